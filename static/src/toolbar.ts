// The row of tools: what a click on each does, and which of them are on where the caret stands.
import { redo, redoDepth, undo, undoDepth } from "@codemirror/commands";
import { openSearchPanel } from "@codemirror/search";
import { syntaxTree } from "@codemirror/language";
import type { EditorState } from "@codemirror/state";
import type { Command, EditorView, ViewUpdate } from "@codemirror/view";
import { bold, bullets, heading, isAddress, italic, link, numbers, withScheme } from "./markdown";
import { t } from "./wire";

/** Asks for an address in the dialog of the page; what may not stand in a link is refused there. */
export function askForAddress(): Promise<string | null> {
  const dialog = document.querySelector<HTMLDialogElement>("#ask-link");
  const field = dialog?.querySelector<HTMLInputElement>("input");
  const form = dialog?.querySelector("form");
  if (!dialog || !field || !form) return Promise.resolve(null);
  const error = dialog.querySelector<HTMLElement>("[data-error]")!;
  const says = (words: string) => {
    error.textContent = words;
    error.hidden = !words;
    field.toggleAttribute("aria-invalid", !!words);
  };
  field.value = "https://";
  says("");
  dialog.returnValue = "";
  form.onsubmit = event => {
    const isOk = (event.submitter as HTMLButtonElement | null)?.value === "ok";
    if (!isOk) return;
    field.value = withScheme(field.value);
    if (isAddress(field.value)) return;
    event.preventDefault();
    says(t("link.wrong"));
    field.focus();
  };
  dialog.showModal();
  field.select();
  return new Promise(resolve => dialog.addEventListener("close", () => resolve(dialog.returnValue === "ok" ? field.value : null), { once: true }));
}

const commands: Record<string, Command> = {
  undo,
  redo,
  bold,
  italic,
  heading,
  bullets,
  numbers,
  link: link(askForAddress),
  search: openSearchPanel,
};

function active(state: EditorState): Set<string> {
  const on = new Set<string>();
  const { head } = state.selection.main;
  for (let node = syntaxTree(state).resolveInner(head, -1); node.parent; node = node.parent) {
    if (node.name === "StrongEmphasis") on.add("bold");
    else if (node.name === "Emphasis") on.add("italic");
    else if (node.name === "Link") on.add("link");
  }
  const text = state.doc.lineAt(head).text;
  if (/^#{1,6}\s/.test(text)) on.add("heading");
  if (/^\s*[-*+]\s/.test(text)) on.add("bullets");
  if (/^\s*\d{1,4}[.)]\s/.test(text)) on.add("numbers");
  return on;
}

export function toolbar(bar: HTMLElement, view: () => EditorView | null): (update: ViewUpdate) => void {
  const tools = [...bar.querySelectorAll<HTMLButtonElement>("[data-command]")];
  bar.addEventListener("mousedown", event => {
    // the selection stays in the text
    if ((event.target as Element).closest("[data-command]")) event.preventDefault();
  });
  bar.addEventListener("click", event => {
    const name = (event.target as Element).closest<HTMLElement>("[data-command]")?.dataset["command"];
    const editor = view();
    if (!name || !editor || !commands[name]) return;
    commands[name](editor);
    if (name !== "link" && name !== "search") editor.focus();
  });
  // one stop of the tab key; arrows move inside, as toolbars do
  bar.addEventListener("keydown", event => {
    const by = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0;
    const usable = tools.filter(tool => !tool.disabled && tool.checkVisibility());
    const now = usable.indexOf(document.activeElement as HTMLButtonElement);
    if (!by || now < 0) return;
    usable[(now + by + usable.length) % usable.length]!.focus();
    event.preventDefault();
  });
  return update => {
    if (!update.docChanged && !update.selectionSet && !update.transactions.length) return;
    const on = active(update.state);
    for (const tool of tools) {
      const name = tool.dataset["command"]!;
      if (name === "undo") tool.disabled = undoDepth(update.state) === 0;
      else if (name === "redo") tool.disabled = redoDepth(update.state) === 0;
      else if (["bold", "italic", "heading", "bullets", "numbers", "link"].includes(name)) tool.setAttribute("aria-pressed", String(on.has(name)));
    }
  };
}

/** CodeMirror's own words (search), in the reader's language. */
export const phrases = (): Record<string, string> =>
  Object.fromEntries(
    ["Find", "Replace", "next", "previous", "all", "match case", "regexp", "by word", "replace", "replace all", "close", "current match", "on line"].map(
      word => [word, t(`search.${word}`)],
    ),
  );
