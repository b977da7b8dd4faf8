// Cards fetched anew, without losing what somebody writes in them.
//
// Answers may overtake each other: each request has a ticket, and an answer older than the one a card was made from
// is dropped. What was typed into a card, where the caret stood and what was refused there go over into the fresh
// card. A card in which somebody is writing stays as it was read (law 9: a decision is about what was read); it says
// that there is something newer and comes anew when the writer leaves it, asks for it, or was refused for it.
import type { Cards } from "./cards";
import { element, partial, Refusal, t } from "./wire";

type Field = HTMLTextAreaElement | HTMLSelectElement | HTMLInputElement;

const FIELDS = "textarea, select, input";

/** The same field in another form of the same card. */
const counterpart = (field: Element, card: Element): Field | null => {
  if (field.id) return card.querySelector<Field>(`[id="${CSS.escape(field.id)}"]`);
  const { name, value } = field as Field;
  return [...card.querySelectorAll<Field>(FIELDS)].find(each => each.name === name && each.value === value) ?? null;
};

const isTicked = (field: Field): field is HTMLInputElement => field instanceof HTMLInputElement && ["checkbox", "radio"].includes(field.type);

/** Says something other than what the server had put there. */
function isChanged(field: Field): boolean {
  if (isTicked(field)) return field.checked !== field.defaultChecked;
  if (!(field instanceof HTMLSelectElement)) return field.value !== field.defaultValue;
  const first = [...field.options].find(option => option.defaultSelected) ?? field.options[0];
  return field.value !== (first?.value ?? "");
}

const changed = (card: Element) => [...card.querySelectorAll<Field>(FIELDS)].filter(field => !field.closest(".card__kept") && isChanged(field));

/** The focus is inside, on words that the server does not have. */
function isWritten(card: Element): boolean {
  const focus = document.activeElement;
  return focus !== null && card.contains(focus) && changed(card).some(field => !isTicked(field));
}

/** Words whose field is gone, to be copied. */
function keptWords(words: string, id: string): HTMLElement {
  const field = element("textarea", "field");
  field.readOnly = true;
  field.rows = 3;
  field.value = words;
  field.id = `kept-${id}`;
  const label = element("label", "label", t("card.kept"));
  label.htmlFor = field.id;
  const close = element("button", "btn btn--quiet btn--small", t("card.discard"));
  close.type = "button";
  const kept = element("div", "card__kept", label, field, close);
  close.addEventListener("click", () => kept.remove());
  return kept;
}

/** Typed words, ticked boxes, opened parts, focus and what was refused go from one form of a card to the next. */
export function carryOver(old: HTMLElement, fresh: HTMLElement): void {
  const focus = document.activeElement;
  const homeless: string[] = [];
  for (const field of changed(old)) {
    const there = counterpart(field, fresh);
    if (!there) {
      if (field instanceof HTMLTextAreaElement && field.value.trim()) homeless.push(field.value);
    } else if (isTicked(field) && isTicked(there)) there.checked = field.checked;
    else there.value = field.value;
  }
  const parts = [...fresh.querySelectorAll("details")];
  old.querySelectorAll("details").forEach((part, i) => {
    if (part.open && parts[i]) parts[i].open = true;
  });
  for (const notice of old.querySelectorAll(":scope > .notice, :scope > .card__kept")) fresh.append(notice);
  if (homeless.length) fresh.append(keptWords(homeless.join("\n\n"), fresh.id));
  if (!focus || !old.contains(focus)) return;
  const there = counterpart(focus, fresh) ?? sameButton(focus, fresh) ?? fresh;
  // the card is put in place first: only then can it take the focus
  queueMicrotask(() => {
    if (!there.isConnected) return;
    there.focus({ preventScroll: true });
    if (focus instanceof HTMLTextAreaElement && there instanceof HTMLTextAreaElement) {
      there.setSelectionRange(focus.selectionStart, focus.selectionEnd, focus.selectionDirection);
      there.scrollTop = focus.scrollTop;
    }
  });
}

function sameButton(focus: Element, card: Element): HTMLElement | null {
  if (!(focus instanceof HTMLButtonElement)) return null;
  const { post, verdict, amend } = focus.dataset;
  return (
    [...card.querySelectorAll<HTMLButtonElement>("button")].find(
      each => (post && each.dataset["post"] === post) || (verdict && each.dataset["verdict"] === verdict) || (amend && each.dataset["amend"]),
    ) ?? null
  );
}

// what a card says by attributes that move with every revision, without saying anything else to its reader
const MOVING = ["data-version", "data-pos", "data-start", "data-end", "data-items"];
const AT = / data-(?:version|pos|start|end)="[^"]*"|&quot;branch_version&quot;: ?\d+/g;

export class Renewal {
  private tickets = 0;
  /** what each card said when it came, without what moves */
  private readonly said = new Map<string, string>();
  /** the ticket that each card's form was made from */
  private readonly made = new Map<string, number>();
  /** where the newer form of a card is fetched that is kept as it was read */
  private readonly newer = new Map<string, string>();
  private pressed: Promise<void> | null = null;

  constructor(readonly cards: Cards) {
    const { margin } = cards;
    for (const card of cards.all) this.said.set(card.id, card.outerHTML.replace(AT, ""));
    margin.addEventListener("focusout", event => {
      // a button takes no focus in Safari when it is clicked: only a focus that is known to be elsewhere counts
      const to = event.relatedTarget as Element | null;
      const card = (event.target as Element).closest<HTMLElement>(".card");
      if (card && to && !card.contains(to)) this.left(card.id);
    });
    document.addEventListener("pointerdown", event => {
      const card = (event.target as Element).closest?.<HTMLElement>(".margin .card") ?? null;
      this.leftFor(card);
      if (card) this.pressed = pressedUntil();
    });
    margin.addEventListener("click", event => {
      const card = (event.target as Element).closest("[data-newer]")?.closest<HTMLElement>(".card");
      if (card) this.left(card.id);
    });
  }

  /** Fetches one card and puts it in place, adds it, or takes it away when there is none any more. */
  async one(id: string, path: string, forced = false): Promise<void> {
    const ticket = ++this.tickets;
    let fresh: HTMLElement | null = null;
    try {
      fresh = (await partial(path)).querySelector<HTMLElement>(".card");
    } catch (error) {
      if (!(error instanceof Refusal) || error.code !== "not_found") return;
    }
    await this.pressed;
    this.put(fresh?.id ?? id, fresh, ticket, path, forced);
    this.cards.changed();
  }

  /** Fetches all of them; `path` gives the address of one. Those that are not among them any more are asked for singly. */
  async all(from: string, path: (id: string) => string): Promise<void> {
    const ticket = ++this.tickets;
    let fresh: HTMLElement[];
    try {
      fresh = [...(await partial(from)).querySelectorAll<HTMLElement>(".card")];
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      return;
    }
    await this.pressed;
    const missing = this.cards.all.filter(card => /^[sa]-\d+$/.test(card.id) && !fresh.some(each => each.id === card.id));
    for (const card of fresh) this.put(card.id, card, ticket, path(card.id), false);
    this.cards.changed();
    await Promise.all(missing.map(card => this.one(card.id, path(card.id))));
  }

  /** Whoever wrote in the card does not any more: its newer form comes. */
  left(id: string): void {
    const path = this.newer.get(id);
    if (path !== undefined) void this.one(id, path, true);
  }

  /** Another card was chosen, or none. */
  leftFor(card: HTMLElement | null): void {
    for (const id of [...this.newer.keys()]) if (id !== card?.id) this.left(id);
  }

  private put(id: string, fresh: HTMLElement | null, ticket: number, path: string, forced: boolean): void {
    if (!id || ticket < (this.made.get(id) ?? 0)) return;
    const old = document.getElementById(id);
    const says = fresh?.outerHTML.replace(AT, "") ?? "";
    if (old && fresh && says === this.said.get(id)) {
      // it says what it said: only where its words are may be another place
      for (const name of MOVING) if (fresh.hasAttribute(name)) old.setAttribute(name, fresh.getAttribute(name)!);
      old.querySelector(":scope > .card__newer")?.remove();
      this.made.set(id, ticket);
      this.newer.delete(id);
      return;
    }
    if (old && !forced && isWritten(old)) {
      this.newer.set(id, path);
      tellNewer(old);
      this.made.set(id, ticket);
      return;
    }
    this.made.set(id, ticket);
    this.newer.delete(id);
    this.said.set(id, says);
    if (!fresh) {
      // who was in it goes on in the next one, or in the text
      const next = old?.contains(document.activeElement) ? (this.cards.after(id) ?? this.cards.view()?.contentDOM) : null;
      old?.remove();
      next?.focus({ preventScroll: true });
      return;
    }
    if (!old) {
      this.cards.insert(fresh);
      return;
    }
    const seen = this.cards.at.place(old);
    if (seen !== null) fresh.dataset["seen"] = String(seen);
    fresh.classList.toggle("is-selected", old.classList.contains("is-selected"));
    carryOver(old, fresh);
    old.replaceWith(fresh);
  }
}

/** Resolves when the finger or button is up and the click has been heard: a card is not taken away under it. */
function pressedUntil(): Promise<void> {
  return new Promise(resolve => {
    const up = () => {
      removeEventListener("pointerup", up);
      removeEventListener("pointercancel", up);
      setTimeout(resolve);
    };
    addEventListener("pointerup", up);
    addEventListener("pointercancel", up);
  });
}

function tellNewer(card: HTMLElement): void {
  if (card.querySelector(":scope > .card__newer")) return;
  const show = element("button", "btn btn--small", t("card.show"));
  show.type = "button";
  show.dataset["newer"] = "";
  const says = element("p", "card__newer", element("span", "", t(card.id.startsWith("s-") ? "card.newer" : "remark.newer")), show);
  says.role = "status";
  card.append(says);
}
