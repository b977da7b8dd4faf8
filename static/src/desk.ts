// The review desk: from one proposal to the next by key, a reason asked for where it is missing, the chosen wording
// named on the button. Without script the desk is an ordinary form.
import "./page";

const desk = document.querySelector<HTMLElement>(".desk");

function step(by: 1 | -1): void {
  const items = [...document.querySelectorAll<HTMLAnchorElement>(".queue .item")];
  const now = items.findIndex(item => item.hasAttribute("aria-current"));
  const next = items[now + by]?.href ?? desk?.dataset[by > 0 ? "after" : "before"]; // the list is a page of the queue
  if (next) location.assign(next);
}

document.addEventListener("keydown", event => {
  const target = event.target as HTMLElement;
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
  if (target.closest("textarea, select, dialog, input:not([type=radio], [type=checkbox])")) {
    // from the reason, the main verdict is Ctrl-Enter away; see below
    return;
  }
  if (event.key === "j" || event.key === "J") step(1);
  else if (event.key === "k" || event.key === "K") step(-1);
  else if (/^[1-9]$/.test(event.key)) {
    const picks = document.querySelectorAll<HTMLInputElement>(".wording__pick");
    picks[Number(event.key) - 1]?.click();
  } else if (event.key === "?") document.querySelector<HTMLDialogElement>("dialog#keys")?.showModal();
  else return;
  event.preventDefault();
});

document.addEventListener("keydown", event => {
  if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
  const form = (event.target as HTMLElement).closest("form");
  const main = form?.querySelector<HTMLButtonElement>(".btn--main") ?? document.querySelector<HTMLButtonElement>(".verdict .btn--main");
  main?.click();
});

// the own wording starts from the one that was chosen last
const own = desk?.querySelector<HTMLTextAreaElement>(".wording textarea");
const wordingOf = (pick: HTMLInputElement): string => {
  const text = pick.closest<HTMLElement>(".wording")?.querySelector<HTMLElement>(".wording__text");
  if (!text) return "";
  const copy = text.cloneNode(true) as HTMLElement;
  copy.querySelectorAll("del").forEach(gone => gone.remove());
  return pick.dataset["wording"] ?? copy.textContent!.replace(/\s+/g, " ").trim();
};
// the button says which proposal it accepts
const accepts = desk?.querySelector<HTMLElement>("[data-accepts]");
const unnamed = accepts?.textContent ?? "";
const name = (pick: HTMLInputElement) => {
  const number = pick.dataset["number"];
  if (accepts) accepts.textContent = number ? accepts.dataset["accepts"]!.replace("{number}", number) : unnamed;
};
const checked = desk?.querySelector<HTMLInputElement>(".wording__pick:checked");
if (checked) name(checked);
let chosen = checked ? wordingOf(checked) : "";
desk?.addEventListener("change", event => {
  const pick = event.target as HTMLInputElement;
  if (!pick.matches(".wording__pick")) return;
  name(pick);
  if (pick.value === "own") {
    own?.focus();
    if (own && !own.value.trim()) own.value = chosen;
  } else if (pick.dataset["number"]) chosen = wordingOf(pick);
});
own?.addEventListener("focus", () => {
  const pick = own.closest(".wording")?.querySelector<HTMLInputElement>(".wording__pick");
  if (pick && !pick.checked) pick.click();
  if (!own.value.trim()) own.value = chosen;
});

// no own wording yet: the button leads to it
desk?.querySelector("button[value=reworded]")?.addEventListener("click", event => {
  const pick = document.querySelector<HTMLInputElement>("#own");
  if (!own || !pick || own.value.trim()) return;
  event.preventDefault();
  pick.click();
});

desk?.querySelector(".item[aria-current]")?.scrollIntoView({ block: "nearest" });
