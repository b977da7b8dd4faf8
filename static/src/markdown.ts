// Markdown as one types it: headings look like headings, numbers hang, marks show only where the caret is.
//
// Two readers of the text. Lines are read by their beginnings (number, bullet, §), as official texts have forms that
// Markdown does not know, like "(1)". Inside lines the syntax tree knows what is strong, emphasised or a link.
// Positions never change: what is hidden is still there, and the caret steps over it as one.
import { markdownKeymap, markdownLanguage } from "@codemirror/lang-markdown";
import { syntaxTree } from "@codemirror/language";
import { EditorSelection, type Extension, Prec, type Range, type StateCommand } from "@codemirror/state";
import { Decoration, type DecorationSet, type Command, EditorView, keymap, ViewPlugin, type ViewUpdate, WidgetType } from "@codemirror/view";

const LIST = /^(\s*)((?:\d{1,4}[a-z]?[.)]|\(\d{1,3}[a-z]?\)|[a-z]\)|[-*+–])[ \t]+)/;
const HEADING = /^(#{1,6}[ \t]+)((?:§|Art\.)\s*\d+[a-z]*\.?\s*)?/;
const QUOTE = /^(\s*>\s?)+/;

/** How much of a line is its beginning (number, bullet, heading marks and §) and not words. */
export function beginning(text: string): number {
  return (HEADING.exec(text) ?? LIST.exec(text) ?? QUOTE.exec(text) ?? /^\s*/.exec(text)!)[0].length;
}

class Bullet extends WidgetType {
  override eq(): boolean {
    return true;
  }
  toDOM(): HTMLElement {
    const span = document.createElement("span");
    span.className = "cm-num";
    span.textContent = "–";
    return span;
  }
}

const bullet = Decoration.replace({ widget: new Bullet() });
const hidden = Decoration.replace({});
const mark = (name: string) => Decoration.mark({ class: name });
const line = (name: string) => Decoration.line({ class: name });
const faded = mark("cm-fade");
const number = mark("cm-num");
const sign = mark("cm-sign");
const inline: Record<string, Decoration> = {
  StrongEmphasis: mark("cm-strong"),
  Emphasis: mark("cm-em"),
  InlineCode: mark("cm-code"),
  Strikethrough: mark("cm-struck"),
};
const MARKS = new Set(["EmphasisMark", "CodeMark", "LinkMark", "StrikethroughMark", "URL", "LinkTitle"]);
const SAFE = /^(?:https?:|mailto:|#|\/(?!\/))/i;

function decorate(view: EditorView): { all: DecorationSet; atomic: DecorationSet } {
  const all: Range<Decoration>[] = [];
  const atomic: Range<Decoration>[] = [];
  const { state } = view;
  const writes = !state.readOnly && view.hasFocus;
  const touched = (from: number, to: number) => writes && state.selection.ranges.some(range => range.from <= to && range.to >= from);
  const hide = (from: number, to: number) => {
    if (from >= to) return;
    all.push(hidden.range(from, to));
    atomic.push(hidden.range(from, to));
  };
  for (const { from, to } of view.visibleRanges) {
    let levels: number[] = [];
    for (let pos = from; pos <= to; ) {
      const at = state.doc.lineAt(pos);
      const text = at.text;
      let found: RegExpExecArray | null;
      if (!text.trim()) {
        all.push(line("cm-blank").range(at.from));
      } else if ((found = HEADING.exec(text))) {
        const level = Math.min(found[1]!.trimEnd().length, 4);
        all.push(line(`cm-h cm-h${level}`).range(at.from));
        hide(at.from, at.from + found[1]!.length);
        if (found[2]) all.push(sign.range(at.from + found[1]!.length, at.from + found[0].length));
        levels = [];
      } else if ((found = LIST.exec(text))) {
        const indent = found[1]!.replace(/\t/g, "    ").length;
        while (levels.length && levels.at(-1)! >= indent) levels.pop();
        const depth = indent === 0 ? 0 : indent < 5 ? 1 : 2;
        levels.push(indent);
        all.push(line(`cm-li cm-li${depth}`).range(at.from));
        hide(at.from, at.from + found[1]!.length);
        const [start, end] = [at.from + found[1]!.length, at.from + found[0].length];
        if (/^[-*+]/.test(found[2]!) && !touched(start, end)) all.push(bullet.range(start, end));
        else all.push(number.range(start, end));
      } else if ((found = QUOTE.exec(text))) {
        all.push(line("cm-quote").range(at.from));
        hide(at.from, at.from + found[0].length);
      } else if (/^\s*\|/.test(text)) {
        all.push(line("cm-table").range(at.from));
      } else if (/^\s+\S/.test(text)) {
        const indent = /^\s+/.exec(text)![0].length;
        all.push(line(`cm-p cm-li${indent < 5 ? 0 : 1}`).range(at.from));
        hide(at.from, at.from + indent);
      } else all.push(line("cm-p").range(at.from));
      pos = at.to + 1;
    }
    syntaxTree(state).iterate({
      from,
      to,
      enter(node) {
        const style = inline[node.name];
        if (style && node.to > node.from) all.push(style.range(node.from, node.to));
        else if (node.name === "Link" || node.name === "Autolink") {
          const url = node.node.getChild("URL");
          const href = url ? state.doc.sliceString(url.from, url.to) : "";
          all.push(
            Decoration.mark({ class: "cm-link", attributes: SAFE.test(href) ? { "data-href": href, title: href } : {} }).range(node.from, node.to),
          );
        } else if (MARKS.has(node.name)) {
          const parent = node.node.parent;
          if (!parent || node.to === node.from) return;
          if (node.name === "URL" && parent.name !== "Link") return;
          if (touched(parent.from, parent.to)) all.push(faded.range(node.from, node.to));
          else if (state.doc.lineAt(node.from).to >= node.to) hide(node.from, node.to);
        } else if (node.name === "FencedCode" || node.name === "CodeBlock" || node.name === "HTMLBlock") return false;
        return undefined;
      },
    });
  }
  return { all: Decoration.set(all, true), atomic: Decoration.set(atomic, true) };
}

const styling = ViewPlugin.fromClass(
  class {
    all: DecorationSet;
    atomic: DecorationSet;
    constructor(view: EditorView) {
      ({ all: this.all, atomic: this.atomic } = decorate(view));
    }
    update(update: ViewUpdate): void {
      if (
        update.docChanged ||
        update.viewportChanged ||
        update.selectionSet ||
        update.focusChanged ||
        update.state.readOnly !== update.startState.readOnly ||
        syntaxTree(update.state) !== syntaxTree(update.startState)
      ) {
        ({ all: this.all, atomic: this.atomic } = decorate(update.view));
      }
    }
  },
  {
    decorations: plugin => plugin.all,
    provide: plugin => EditorView.atomicRanges.of(view => view.plugin(plugin)?.atomic ?? Decoration.none),
  },
);

/** A link is followed by a plain click where nobody types, and by Ctrl or ⌘ elsewhere. */
const links = EditorView.domEventHandlers({
  click(event, view) {
    const href = (event.target as Element).closest<HTMLElement>("[data-href]")?.dataset["href"];
    if (!href || !SAFE.test(href) || !(view.state.readOnly || event.ctrlKey || event.metaKey)) return false;
    if (href.startsWith("#") || href.startsWith("/")) location.assign(href);
    else window.open(href, "_blank", "noopener,noreferrer");
    return true;
  },
});

export function markdownAsTyped(): Extension {
  return [markdownLanguage, styling, links];
}

// ── commands of the toolbar ──

/** Puts a mark around the selection, or takes it off again. */
export function wrap(with_: string): StateCommand {
  return ({ state, dispatch }) => {
    if (state.readOnly) return false;
    const size = with_.length;
    const transaction = state.changeByRange(range => {
      let { from, to } = range;
      if (range.empty) {
        const word = state.wordAt(range.head);
        if (word) ({ from, to } = word);
      }
      // never over the ends of a line: a mark does not reach past its paragraph
      const text = state.doc.sliceString(from, to);
      const lead = text.length - text.trimStart().length;
      from += lead;
      to -= text.trim() ? text.length - text.trimEnd().length : 0;
      if (from > to) to = from;
      const around = state.doc.sliceString(from - size, from) === with_ && state.doc.sliceString(to, to + size) === with_;
      const single = with_ === "*" && state.doc.sliceString(from - 2, from) === "**" && state.doc.sliceString(from - 3, from) !== "***";
      if (around && !single) {
        return {
          changes: [
            { from: from - size, to: from },
            { from: to, to: to + size },
          ],
          range: EditorSelection.range(from - size, to - size),
        };
      }
      const inside = state.doc.sliceString(from, to);
      if (inside.length > 2 * size && inside.startsWith(with_) && inside.endsWith(with_)) {
        return {
          changes: [
            { from, to: from + size },
            { from: to - size, to },
          ],
          range: EditorSelection.range(from, to - 2 * size),
        };
      }
      return {
        changes: [
          { from, insert: with_ },
          { from: to, insert: with_ },
        ],
        range: EditorSelection.range(from + size, to + size),
      };
    });
    dispatch(state.update(transaction, { userEvent: "input.format", scrollIntoView: true }));
    return true;
  };
}

/** Gives the lines of the selection another beginning, or takes it off. */
function begin(name: string, is: RegExp, made: (i: number) => string): StateCommand {
  return ({ state, dispatch }) => {
    if (state.readOnly) return false;
    const changes: { from: number; to: number; insert: string }[] = [];
    const { from, to } = state.selection.main;
    const first = state.doc.lineAt(from).number;
    const last = state.doc.lineAt(to).number;
    const lines = [];
    for (let n = first; n <= last; n++) if (state.doc.line(n).text.trim() || first === last) lines.push(state.doc.line(n));
    const off = lines.every(each => is.test(each.text));
    lines.forEach((each, i) => {
      const old = /^(?:#{1,6}\s+|\s*(?:[-*+]|\d{1,4}[.)])\s+)?/.exec(each.text)![0];
      const insert = off ? "" : made(i);
      if (old !== insert) changes.push({ from: each.from, to: each.from + old.length, insert });
    });
    if (changes.length) dispatch(state.update({ changes, userEvent: `input.format.${name}`, scrollIntoView: true }));
    return true;
  };
}

export const bold = wrap("**");
export const italic = wrap("*");
export const heading = begin("heading", /^##\s/, () => "## ");
export const bullets = begin("bullets", /^\s*[-*+]\s/, () => "- ");
export const numbers = begin("numbers", /^\s*\d{1,4}[.)]\s/, i => `${i + 1}. `);

/** What people write for an address, with the scheme that they leave out: www.example.org, somebody@example.org. */
export function withScheme(given: string): string {
  const words = given.trim().replace(/^https?:\/\/(?=https?:\/\/|mailto:)/i, "");
  if (/^[^\s@/:]+@[^\s@/]+\.[^\s@/.]+$/.test(words)) return `mailto:${words}`;
  return /^[^\s/:.]+(\.[^\s/:.]+)+([/:?#]\S*)?$/.test(words) ? `https://${words}` : words;
}

/** Whether it may stand in a link: a page, a mail address, or a place on this site. */
export const isAddress = (address: string): boolean => SAFE.test(address) && !/^(?:https?:\/\/|mailto:)$/i.test(address);

/** An address as it may stand in the round brackets of a link. */
export const asAddress = (address: string): string => address.replace(/[()\s<>]/g, sign => `%${sign.charCodeAt(0).toString(16).padStart(2, "0")}`);

/** Makes the selection a link; the address is asked for by `ask`. */
export function link(ask: (now: string) => Promise<string | null>): Command {
  return view => {
    if (view.state.readOnly) return false;
    void ask("https://").then(address => {
      view.focus();
      const { state } = view;
      if (!address || !isAddress(address) || state.readOnly) return;
      // others may have written meanwhile: the selection is where its words are now
      const range = state.selection.main.empty ? (state.wordAt(state.selection.main.head) ?? state.selection.main) : state.selection.main;
      const words = state.doc.sliceString(range.from, range.to);
      const insert = `[${words || address}](${asAddress(address)})`;
      view.dispatch({ changes: { from: range.from, to: range.to, insert }, selection: { anchor: range.from + insert.length }, userEvent: "input.format.link" });
    });
    return true;
  };
}

/** Enter in a list: the next item, with the next number; the items below keep theirs. An empty item ends the list. */
export const nextItem: StateCommand = ({ state, dispatch }) => {
  const { main } = state.selection;
  const at = state.doc.lineAt(main.head);
  const found = LIST.exec(at.text);
  if (state.readOnly || !main.empty || !found || main.head < at.from + found[0].length) return false;
  if (at.text.length === found[0].length) {
    dispatch(state.update({ changes: { from: at.from, to: at.to }, userEvent: "input" }));
    return true;
  }
  const digits = /\d+/.exec(found[2]!);
  const marker = digits ? found[2]!.replace(digits[0], String(Number(digits[0]) + 1)) : found[2]!;
  const loose = at.number > 1 ? !state.doc.line(at.number - 1).text.trim() : false;
  const insert = `${loose ? "\n\n" : "\n"}${found[1]}${marker}`;
  dispatch(state.update({ changes: { from: main.head, insert }, selection: { anchor: main.head + insert.length }, scrollIntoView: true, userEvent: "input" }));
  return true;
};

export function markdownKeys(ask: (now: string) => Promise<string | null>): Extension {
  return [
    Prec.high(
      keymap.of([
        { key: "Enter", run: nextItem },
        { key: "Mod-b", run: bold },
        { key: "Mod-i", run: italic },
        { key: "Mod-k", run: link(ask) },
        { key: "Mod-Alt-2", run: heading },
        { key: "Mod-Shift-7", run: numbers },
        { key: "Mod-Shift-8", run: bullets },
      ]),
    ),
    keymap.of(markdownKeymap),
  ];
}
