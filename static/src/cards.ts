// The margin: every card level with its words. The selected card is exactly level; the others give way, those above
// it upwards, those below it downwards; what has no room above it is away until nothing is selected. On a phone the
// cards are a sheet that holds one at a time. Text never moves.
import { EditorView } from "@codemirror/view";
import { element, icon, t } from "./wire";

export interface CardsAt {
  /** where in the editor's text the card belongs; null when it has no place there */
  place: (card: HTMLElement) => number | null;
  onSelect: (card: HTMLElement | null) => void;
}

const GAP = 8;
// so much lower than the middle of its line does a card's first line lie
const RISE = 10;
// ms after the last key
const LATER = 200;

// so far below its words may the chosen card stand for the sake of those above it
export const SLACK = 120;
// the line that says how many are away, with its gap
export const AWAY = 40;

/**
 * Where cards stand, from above: each as level with its words (`want`) as the others allow, none over another, none
 * over the roof. The chosen one (-1: none) is level, or less than SLACK lower where those above it need the room; the
 * first of them that do not fit are away (null), and AWAY is left for the line that says so.
 */
export function levels(boxes: readonly { want: number; height: number }[], chosen: number, roof: number): (number | null)[] {
  const y: number[] = [];
  let first = 0;
  let top = roof;
  const below = (i: number) => (i < first ? top : y[i]! + boxes[i]!.height + GAP);
  if (chosen >= 0) {
    const { want } = boxes[chosen]!;
    let room = boxes.slice(0, chosen).reduce((sum, box) => sum + box.height + GAP, roof);
    if (room > want + SLACK && chosen > 0) {
      top = roof + AWAY;
      room += AWAY;
      while (first < chosen && room > want + SLACK) room -= boxes[first++]!.height + GAP;
    }
    y[chosen] = Math.max(want, room);
    for (let i = chosen - 1; i >= first; i--) y[i] = Math.min(boxes[i]!.want, y[i + 1]! - GAP - boxes[i]!.height);
    for (let i = first; i < chosen; i++) y[i] = Math.max(y[i]!, below(i - 1));
  }
  for (let i = chosen + 1; i < boxes.length; i++) y[i] = Math.max(boxes[i]!.want, below(i - 1));
  return boxes.map((_, i) => (i < first ? null : y[i]!));
}

export class Cards {
  private readonly leader: SVGPathElement | null;
  private readonly away = element("button", "btn btn--quiet btn--small margin__away");
  private frame = 0;
  private later: ReturnType<typeof setTimeout> | undefined;
  private readonly wide = matchMedia("(min-width: 56.01rem)");

  constructor(
    readonly margin: HTMLElement,
    readonly view: () => EditorView | null,
    readonly at: CardsAt,
  ) {
    this.leader = margin.parentElement!.querySelector(".leader path");
    this.away.type = "button";
    this.away.hidden = true;
    this.away.addEventListener("click", () => this.select(null));
    margin.append(this.away);
    margin.addEventListener("click", event => this.clicked(event));
    margin.addEventListener("focusin", event => {
      const card = (event.target as Element).closest<HTMLElement>(".card");
      if (card && !card.classList.contains("is-selected")) this.select(card);
    });
    margin.addEventListener("toggle", () => this.schedule(), true);
    margin.addEventListener("input", () => this.schedule());
    this.wide.addEventListener("change", () => this.schedule());
    new ResizeObserver(() => this.schedule()).observe(margin);
    void document.fonts?.ready.then(() => this.schedule());
  }

  get all(): HTMLElement[] {
    return [...this.margin.querySelectorAll<HTMLElement>(".card")];
  }

  get selected(): HTMLElement | null {
    return this.margin.querySelector(".card.is-selected");
  }

  private clicked(event: MouseEvent): void {
    const target = event.target as Element;
    const step = target.closest<HTMLElement>("[data-step]");
    if (step) {
      this.step(Number(step.dataset["step"]) as 1 | -1);
      return;
    }
    if (target.closest("[data-close-sheet]")) {
      this.select(null);
      return;
    }
    if (target.closest("a, button, input, textarea, select, label, summary")) return;
    const card = target.closest<HTMLElement>(".card");
    if (card) this.select(card);
  }

  /** In the order of their places in the text. */
  private inOrder(): { card: HTMLElement; pos: number | null }[] {
    return this.all
      .filter(card => !card.hidden)
      .map(card => ({ card, pos: this.at.place(card) }))
      .sort((a, b) => (a.pos ?? Infinity) - (b.pos ?? Infinity) || Number(a.card.dataset["number"] ?? 0) - Number(b.card.dataset["number"] ?? 0));
  }

  select(card: HTMLElement | null, scroll = false): void {
    for (const other of this.margin.querySelectorAll(".card.is-selected")) if (other !== card) other.classList.remove("is-selected");
    card?.classList.add("is-selected");
    this.margin.classList.toggle("is-open", card !== null);
    this.at.onSelect(card);
    const count = this.margin.querySelector("[data-sheet-count]");
    if (count && card) {
      const order = this.inOrder();
      count.textContent = t("sheet.count", { n: order.findIndex(each => each.card === card) + 1, all: order.length });
    }
    this.place();
    // a sheet may have come over the words, and a card that stood far from them has gone to them
    if (card && (scroll || !this.wide.matches || this.isOutOfSight(card))) this.bringIntoSight(card);
  }

  /** The next or previous card in the order of the text. */
  step(by: 1 | -1): HTMLElement | null {
    const order = this.inOrder();
    if (!order.length) return null;
    const now = order.findIndex(each => each.card.classList.contains("is-selected"));
    const next = order[now < 0 ? (by > 0 ? 0 : order.length - 1) : Math.min(Math.max(now + by, 0), order.length - 1)]!;
    this.select(next.card, true);
    return next.card;
  }

  /** The next one behind a card, in the order of the text, that is wanted. */
  after(id: string, isWanted: (card: HTMLElement) => boolean = () => true): HTMLElement | null {
    const order = this.inOrder().map(each => each.card);
    return order.slice(order.findIndex(each => each.id === id) + 1).find(isWanted) ?? null;
  }

  private isOutOfSight(card: HTMLElement): boolean {
    const { top } = card.getBoundingClientRect();
    return top < 0 || top > innerHeight - 80;
  }

  private bringIntoSight(card: HTMLElement): void {
    const view = this.view();
    const pos = this.at.place(card);
    if (!view || pos === null) {
      card.scrollIntoView({ block: "nearest" });
      return;
    }
    // of its places the one that is on the screen
    const [kind, id] = card.id.split("-");
    const drawn = [...view.contentDOM.querySelectorAll(kind === "s" ? `[data-suggestion="${id}"]` : `[data-annotation="${id}"]`)];
    const shown = drawn.map(words => words.getBoundingClientRect().top).find(y => y >= 0 && y < innerHeight);
    const at = Math.min(pos, view.state.doc.length);
    const top = shown ?? this.level(view, at, view.documentTop);
    // between the controls above and, on a phone, the sheet below
    const high = (document.querySelector(".controls")?.getBoundingClientRect().bottom ?? 0) + 2 * GAP;
    const low = this.wide.matches ? innerHeight - 160 : this.margin.getBoundingClientRect().top - 6 * GAP;
    const margin = this.wide.matches ? innerHeight * 0.35 : high;
    const isDrawn = shown !== undefined || (at >= view.viewport.from && at <= view.viewport.to);
    // what is not drawn yet has only an estimated height; the editor draws on its way there
    if (!isDrawn) view.dispatch({ effects: EditorView.scrollIntoView(at, { y: "start", yMargin: margin }) });
    else if (top < high || top > low) scrollBy({ top: top - margin, behavior: "instant" });
    requestAnimationFrame(() => this.place());
  }

  schedule(): void {
    this.frame ||= requestAnimationFrame(() => {
      this.frame = 0;
      this.place();
    });
  }

  /** The same once nobody has typed for a moment. */
  scheduleLater(): void {
    clearTimeout(this.later);
    this.later = setTimeout(() => this.schedule(), LATER);
  }

  place(): void {
    clearTimeout(this.later);
    const view = this.view();
    const wide = this.wide.matches;
    this.margin.classList.toggle("is-placed", wide && view !== null);
    if (!view || !wide) {
      if (wide) return;
      this.margin.style.minHeight = "";
      return;
    }
    const marginTop = this.margin.getBoundingClientRect().top;
    const documentTop = view.documentTop;
    const head = this.margin.querySelector<HTMLElement>(".margin__head");
    const roof = head ? head.offsetTop + head.offsetHeight + GAP : 0;
    const order = this.inOrder();
    const lowest = order.reduce((max, each) => Math.max(max, each.pos ?? 0), 0);
    const boxes = order.map(({ card, pos }) => ({ card, pos, want: this.level(view, pos ?? lowest, documentTop) - marginTop - RISE, height: card.offsetHeight, y: 0 }));
    if (!boxes.length) {
      this.margin.style.minHeight = "";
      this.leader?.setAttribute("d", "");
      return;
    }
    const chosen = boxes.findIndex(box => box.card.classList.contains("is-selected"));
    const stand = levels(boxes, chosen, roof);
    const away = stand.filter(y => y === null).length;
    stand.forEach((y, i) => (boxes[i]!.y = y ?? roof));
    boxes.forEach((box, i) => box.card.classList.toggle("is-away", i < away));
    this.away.hidden = !away;
    if (away) {
      this.away.replaceChildren(icon("up"), t("cards.away", { n: away }));
      this.away.style.top = `${Math.round(boxes[away]!.y - AWAY)}px`;
    }
    for (const box of boxes) {
      const top = `${Math.round(box.y)}px`;
      if (box.card.style.top !== top) box.card.style.top = top;
    }
    const last = boxes.at(-1)!;
    this.margin.style.minHeight = `${Math.round(last.y + last.height)}px`;
    this.draw(view, chosen < 0 ? null : boxes[chosen]!, marginTop);
  }

  /** Height of the words on the screen; estimated where they are not drawn. */
  private level(view: EditorView, pos: number, documentTop: number): number {
    const at = Math.min(pos, view.state.doc.length);
    const { from, to } = view.viewport;
    const coords = at >= from && at <= to ? view.coordsAtPos(at, 1) : null;
    return coords ? coords.top : documentTop + view.lineBlockAt(at).top;
  }

  private draw(view: EditorView, box: { card: HTMLElement; pos: number | null; y: number } | null, marginTop: number): void {
    if (!this.leader) return;
    const coords = box?.pos != null && box.pos >= view.viewport.from && box.pos <= view.viewport.to ? view.coordsAtPos(box.pos, -1) : null;
    if (!box || !coords) {
      this.leader.setAttribute("d", "");
      return;
    }
    const frame = this.margin.parentElement!.getBoundingClientRect();
    const hue = /\bhue-\d+\b/.exec(box.card.className)?.[0] ?? "hue-0";
    this.leader.ownerSVGElement!.setAttribute("class", `leader ${hue}`);
    const textRight = view.contentDOM.getBoundingClientRect().right - frame.left + 4;
    const y1 = (coords.top + coords.bottom) / 2 - frame.top;
    const x2 = this.margin.getBoundingClientRect().left - frame.left - 12;
    const y2 = box.y + marginTop - frame.top + 22;
    this.leader.setAttribute("d", `M${textRight} ${y1}H${x2 - 10}V${y2}H${x2}`);
  }

  /** Puts a card among the others, in the order of the text. */
  insert(card: HTMLElement): void {
    const list = this.margin.querySelector("[data-cards]") ?? this.margin;
    const pos = this.at.place(card) ?? Infinity;
    const next = this.all.find(other => other.parentElement === list && (this.at.place(other) ?? Infinity) > pos);
    list.insertBefore(card, next ?? null);
  }

  /** Some are others than before: counts and places are made anew. */
  changed(): void {
    this.margin.querySelector(".empty")?.toggleAttribute("hidden", this.all.length > 0);
    const count = this.margin.querySelector("[data-counts]");
    if (count) {
      const open = this.all.filter(card => card.id.startsWith("s-") && ["open", "competing", "base-changed"].includes(card.dataset["state"]!));
      const remarks = this.all.filter(card => card.id.startsWith("a-") && card.dataset["state"] !== "resolved");
      count.textContent = t("counts", { suggestions: open.length, remarks: remarks.length });
    }
    this.schedule();
  }
}
