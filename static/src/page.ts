// Every page: partials swapped in place (htmx), keys shown as <kbd>, menus that close, dialogs, questions before
// what cannot be undone. Nothing here is needed to read.
import htmx from "htmx.org";
import "./mentions";
import "./stories";
import "./timeline";

const meta = (name: string) => document.querySelector<HTMLMetaElement>(`meta[name="${name}"]`)?.content ?? "";

htmx.config.allowEval = false;
htmx.config.includeIndicatorStyles = false;
htmx.config.selfRequestsOnly = true;
htmx.config.historyCacheSize = 0;
(window as unknown as { htmx: typeof htmx }).htmx = htmx;

document.addEventListener("htmx:configRequest", event => {
  const { headers, verb } = (event as CustomEvent<{ headers: Record<string, string>; verb: string }>).detail;
  if (verb !== "get") headers["X-CSRFToken"] = meta("csrf-token");
});

// the server's words for a refusal, shown where it happened
document.addEventListener("htmx:responseError", event => {
  const { xhr, elt } = (event as CustomEvent<{ xhr: XMLHttpRequest; elt: Element }>).detail;
  let says = xhr.statusText;
  try {
    says = (JSON.parse(xhr.responseText) as { error: { message: string } }).error.message;
  } catch {
    /* an answer that is not our error body keeps its status line */
  }
  const place = elt.closest("form, .card, .panel, .page, main") ?? document.body;
  place.querySelector(":scope > .notice--wrong")?.remove();
  const notice = document.createElement("p");
  notice.className = "notice notice--wrong";
  notice.role = "alert";
  notice.textContent = says;
  place.append(notice);
});

// ── keys: the element that shows its key is the one that the key works ──

const quiet = (target: EventTarget | null) =>
  target instanceof HTMLElement && (target.isContentEditable || !!target.closest("input:not([type=radio], [type=checkbox]), textarea, select, dialog[open]"));

const seen = (element: Element) => element.checkVisibility?.() ?? true;

document.addEventListener("keydown", event => {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  const target = event.target;
  if (event.key === "Escape") {
    document.querySelectorAll<HTMLDetailsElement>("details.menu[open]").forEach(menu => {
      menu.open = false;
      menu.querySelector("summary")?.focus();
    });
    if (quiet(target) && target instanceof HTMLElement && target.closest("[data-keys]")) target.blur();
    return;
  }
  if (quiet(target)) return;
  const key = event.key.toLowerCase();
  const shown = [...document.querySelectorAll("kbd")].find(
    kbd => kbd.textContent?.trim().toLowerCase() === key && kbd.closest("button, a, summary") && seen(kbd.closest("button, a, summary")!),
  );
  const named = document.querySelector<HTMLElement>(`[data-key="${CSS.escape(key)}"]`);
  const works = named && seen(named) ? named : shown?.closest<HTMLElement>("button, a, summary");
  if (!works || works.matches(":disabled, [aria-disabled=true]")) return;
  event.preventDefault();
  if (works.matches("textarea, input:not([type=radio], [type=checkbox])")) works.focus();
  else works.click();
});

document.addEventListener("click", event => {
  const target = event.target as Element;
  document.querySelectorAll<HTMLDetailsElement>("details.menu[open]").forEach(menu => {
    if (!menu.contains(target)) menu.open = false;
  });
  const opens = target.closest<HTMLElement>("[data-opens]");
  if (opens) (document.getElementById(opens.dataset["opens"]!) as HTMLDialogElement | null)?.showModal();
  const closes = target.closest("[data-closes]");
  if (closes) closes.closest("dialog")?.close();
  const copies = target.closest<HTMLElement>("[data-copies]");
  if (copies) void copy(copies);
  // a notification that is followed has been read
  const reads = target.closest<HTMLElement>("[data-read]");
  if (reads) {
    const body = new FormData();
    body.set("id", reads.dataset["read"]!);
    body.set("csrf_token", meta("csrf-token"));
    void fetch("/notifications/read", { method: "POST", body, keepalive: true, redirect: "manual" });
  }
  // a template of a reason puts its words into the field it names
  const writes = target.closest<HTMLElement>("[data-writes]");
  if (writes) {
    const field = document.getElementById(writes.dataset["writes"]!) as HTMLTextAreaElement | null;
    if (field) {
      field.value = [field.value.trim(), writes.dataset["words"] ?? writes.textContent!.trim()].filter(Boolean).join(" ");
      field.focus();
    }
  }
});

/** Copies the words that a button carries and says so on it; where the browser does not let us, they are shown to be taken. */
async function copy(button: HTMLElement): Promise<void> {
  const words = button.dataset["copies"]!;
  try {
    await navigator.clipboard.writeText(words);
  } catch {
    const field = document.createElement("textarea");
    field.className = "field";
    field.readOnly = true;
    field.value = words;
    field.rows = 4;
    field.setAttribute("aria-label", button.innerText.trim());
    button.after(field);
    field.select();
    return;
  }
  const [before, after] = [button.querySelector<HTMLElement>("[data-copy]"), button.querySelector<HTMLElement>("[data-copied]")];
  if (before && after) [before.hidden, after.hidden] = [true, false];
  button.classList.add("is-done");
}

// what is wrong with a form that came back is where one goes on typing
document.querySelector<HTMLElement>("main [aria-invalid=true]")?.focus();

document.addEventListener("submit", event => {
  const form = event.target as HTMLFormElement;
  const asks = (event.submitter as HTMLElement | null)?.dataset["asks"] ?? form.dataset["asks"];
  if (asks && !confirm(asks)) event.preventDefault();
});

// a filter works as soon as it is chosen; without script its button stays
document.addEventListener("change", event => {
  const field = event.target as HTMLElement;
  const form = field.closest<HTMLFormElement>("form[data-at-once]");
  if (form) form.requestSubmit();
});

export { htmx };
