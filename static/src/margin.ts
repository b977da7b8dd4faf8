// Which card belongs where: a card to its words, words to their card, and cards fetched again from the server.
import { EditorView } from "@codemirror/view";
import { annotationsField, NEW, selectAnnotation } from "./annotations";
import { Cards } from "./cards";
import { type Streams, toEditor } from "./places";
import { Renewal } from "./renewal";
import { ownHunks, selectSuggestion, suggestionsField } from "./suggestions";

export interface Around {
  view: () => EditorView | null;
  streams: () => Streams;
  /** the own suggestion whose branch the editor holds */
  own: () => number | null;
  /** where the cards of the section are fetched */
  path: string;
}

/** "s-12" is the card of suggestion 12, "a-7" that of remark 7. */
function named(id: string | undefined): { kind: "s" | "a" | ""; id: number } {
  const found = /^([sa])-(\d+)$/.exec(id ?? "");
  return found ? { kind: found[1] as "s" | "a", id: Number(found[2]) } : { kind: "", id: 0 };
}

// a card is fetched again when its state changes, not at every keystroke under it
const SOON = 250;

export class Margin {
  readonly cards: Cards;
  private readonly renewal: Renewal;
  private readonly soon = new Map<number, ReturnType<typeof setTimeout>>();

  constructor(
    margin: HTMLElement,
    readonly around: Around,
  ) {
    this.cards = new Cards(margin, around.view, { place: card => this.placeOf(card), onSelect: card => this.selected(card) });
    this.renewal = new Renewal(this.cards);
    margin.addEventListener("keydown", event => this.back(event));
  }

  private placeOf(card: HTMLElement): number | null {
    const view = this.around.view();
    if (!view) return null;
    const { kind, id } = named(card.id);
    if (kind === "s" && id === this.around.own()) return view.state.field(ownHunks, false)?.[0]?.from ?? null;
    if (kind === "s") {
      const placed = view.state.field(suggestionsField, false)?.get(id);
      if (placed?.hunks.length) return placed.hunks[0]!.from;
    }
    if (kind === "a") {
      const anchor = view.state.field(annotationsField, false)?.all.get(id);
      if (anchor) return anchor.from;
    }
    if (card.id === "new-remark") return view.state.field(annotationsField, false)?.all.get(NEW)?.from ?? Math.min(Number(card.dataset["from"]), view.state.doc.length);
    // decided or orphaned: where the server says it stood, else where it was last seen here
    const { pos, seen, version } = card.dataset;
    if (!pos) return seen === undefined ? null : Math.min(Number(seen), view.state.doc.length);
    const { main } = this.around.streams();
    return toEditor(view, this.around.streams(), main.stream, Number(pos), Number(version ?? main.version), 1);
  }

  private selected(card: HTMLElement | null): void {
    this.renewal.leftFor(card);
    const view = this.around.view();
    if (!view?.state.field(suggestionsField, false)) return;
    const { kind, id } = named(card?.id);
    view.dispatch({ effects: [selectSuggestion.of(kind === "s" ? id : null), selectAnnotation.of(kind === "a" ? id : null)] });
  }

  /** Selects the card of words that were chosen; fetches it when it is not there yet. Who came by key goes on in the card. */
  async select(id: string, byKey = false): Promise<void> {
    if (!document.getElementById(id) && named(id).kind === "s") await this.refresh(id);
    const card = document.getElementById(id)?.closest<HTMLElement>(".card");
    if (card) this.cards.select(card);
    if (byKey) card?.focus({ preventScroll: true });
  }

  /** Escape on a card goes back to its number in the text. */
  private back(event: KeyboardEvent): void {
    const target = event.target as HTMLElement;
    if (event.key !== "Escape" || event.defaultPrevented || target.closest("textarea, select, input")) return;
    const { kind, id } = named(target.closest<HTMLElement>(".card")?.id);
    const ref = kind === "s" ? this.around.view()?.contentDOM.querySelector<HTMLElement>(`[data-suggestion="${id}"] .ref`) : null;
    if (ref) ref.focus();
    else this.around.view()?.focus();
  }

  /** `forced`: also when somebody writes in it; their words go over into the new form. */
  async refresh(id: string, forced = false): Promise<void> {
    if (named(id).kind) await this.renewal.one(id, this.pathOf(id), forced);
  }

  private pathOf(id: string): string {
    const { kind, id: number } = named(id);
    return `${this.around.path}?${kind === "s" ? "suggestion" : "annotation"}=${number}`;
  }

  /** The card of suggestion U-number, which may not be here yet. */
  async refreshNumber(number: number): Promise<void> {
    const id = this.cards.margin.querySelector(`.card[id^="s-"][data-number="${number}"]`)?.id ?? "";
    await this.renewal.one(id, `${this.around.path}?number=${number}`);
  }

  /** The same when changes come one behind the other: once they have come. */
  refreshSoon(number: number): void {
    clearTimeout(this.soon.get(number));
    this.soon.set(number, setTimeout(() => void this.refreshNumber(number), SOON));
  }

  /** All of them, after the line was down. */
  async refreshAll(): Promise<void> {
    await this.renewal.all(this.around.path, id => this.pathOf(id));
  }

  /** Opens what the address names: #U-17 or ?u=17, the id of a card, #pos-120 or ?pos=120. Returns a position that was named. */
  openFromAddress(asked: string | null): number | null {
    const id = decodeURIComponent(location.hash.slice(1));
    const number = /^U-(\d+)$/.exec(id)?.[1] ?? (id || !/^\d+$/.test(asked ?? "") ? undefined : asked!);
    const card = number
      ? this.cards.margin.querySelector<HTMLElement>(`.card[id^="s-"][data-number="${number}"]`)
      : id
        ? (document.getElementById(id)?.closest<HTMLElement>(".margin .card") ?? null)
        : null;
    if (card) {
      this.cards.select(card, true);
      return null;
    }
    const named_at = /^pos-(\d+)$/.exec(id)?.[1] ?? new URLSearchParams(location.search).get("pos");
    const view = this.around.view();
    if (!view || !named_at || !/^\d+$/.test(named_at)) return null;
    const pos = Math.min(Number(named_at), view.state.doc.length);
    view.dispatch({ selection: { anchor: pos }, effects: EditorView.scrollIntoView(pos, { y: "center" }) });
    return pos;
  }
}
