// A new remark: a card with a field, level with its words, until it is sent or given up. Its passage is carried with
// the text while it is written, as every remark's is. Without selected words it is about the whole section.
//
// An orphan is put back here too: on the words that a person selects.
import type { EditorView } from "@codemirror/view";
import { annotationsField, dropAnnotation, NEW, placeAnnotation } from "./annotations";
import type { Cards } from "./cards";
import { type Streams, toEditor, toMain } from "./places";
import { refusedAt, unsaid } from "./status";
import { api, Refusal, t } from "./wire";

/** A passage of main, code units at `version`. */
interface Passage {
  start: number;
  end: number;
  version: number;
}

export interface Around {
  section: number;
  cards: Cards;
  view: () => EditorView | null;
  streams: () => Streams;
  refresh: (id: string) => Promise<void>;
}

export class Remarks {
  /** where the passage of the new remark was in main when the editor's state was last left */
  private left: Passage | null = null;

  constructor(readonly around: Around) {
    around.cards.margin.addEventListener("click", event => {
      const button = (event.target as Element).closest<HTMLElement>("[data-place]");
      const card = button?.closest<HTMLElement>(".card");
      if (button && card) void this.putBack(card, button.dataset["place"]!);
    });
  }

  private passage(from: number, to: number): Passage {
    const view = this.around.view()!;
    const streams = this.around.streams();
    const start = toMain(view, streams, from, 1);
    const end = toMain(view, streams, to, -1);
    if (start === null || end === null || end <= start) throw new Refusal("inside", t("remark.inside"));
    return { start, end, version: streams.main.version };
  }

  private anchor(): { from: number; to: number } | null {
    return this.around.view()?.state.field(annotationsField, false)?.all.get(NEW) ?? null;
  }

  /** The editor's state is about to be another one; the passage is placed again by `entered`. */
  leaving(): void {
    const anchor = this.anchor();
    this.left = null;
    if (!anchor) return;
    try {
      this.left = this.passage(anchor.from, anchor.to);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
    }
  }

  entered(): void {
    const view = this.around.view();
    if (!this.left || !view?.state.field(annotationsField, false)) return;
    const { main } = this.around.streams();
    const { start, end, version } = this.left;
    const from = toEditor(view, this.around.streams(), main.stream, start, version, 1);
    const to = toEditor(view, this.around.streams(), main.stream, end, version, -1);
    if (from !== null && to !== null && to > from) this.mark(from, to);
  }

  private mark(from: number, to: number): void {
    this.around.view()!.dispatch({ effects: placeAnnotation.of({ id: NEW, from, to, state: "open" }) });
  }

  private unmark(): void {
    const view = this.around.view();
    this.left = null;
    if (view?.state.field(annotationsField, false)) view.dispatch({ effects: dropAnnotation.of(NEW) });
  }

  /** A remark on the selected words, or on the whole section. */
  begin(): void {
    const { from, to } = this.around.view()!.state.selection.main;
    this.start(from, to);
  }

  /** Opens the form; a remark that is being written already keeps its words and gets this passage. */
  start(from: number, to: number): void {
    const { cards } = this.around;
    const view = this.around.view()!;
    const quote = view.state.sliceDoc(from, to).trim();
    const form = this.form();
    if (!form) return;
    unsaid(form);
    form.dataset["whole"] = String(!quote);
    form.dataset["from"] = String(from);
    form.querySelector("[data-quote]")!.textContent = quote ? quote.slice(0, 200) : t("remark.whole");
    if (quote) this.mark(from, to);
    else this.unmark();
    if (!form.isConnected) cards.insert(form);
    cards.select(form, true);
    form.querySelector("textarea")!.focus({ preventScroll: true });
  }

  private form(): HTMLFormElement | null {
    const there = document.getElementById("new-remark") as HTMLFormElement | null;
    const template = document.querySelector<HTMLTemplateElement>("#remark-form");
    if (there || !template) return there;
    const form = template.content.firstElementChild!.cloneNode(true) as HTMLFormElement;
    form.addEventListener("submit", event => {
      event.preventDefault();
      void this.send(form);
    });
    form.querySelector("[data-cancel]")?.addEventListener("click", () => this.close(form));
    form.addEventListener("keydown", event => {
      if (event.key === "Escape" && !form.querySelector("textarea")!.value.trim()) this.close(form);
    });
    return form;
  }

  private close(form: HTMLElement): void {
    form.remove();
    this.unmark();
    this.around.cards.select(null);
    this.around.view()?.focus();
  }

  private async send(form: HTMLFormElement): Promise<void> {
    const { cards, section } = this.around;
    const text = form.querySelector("textarea")!.value.trim();
    if (form.hasAttribute("aria-busy")) return;
    unsaid(form);
    form.setAttribute("aria-busy", "true");
    try {
      let about: Passage | object = {};
      if (form.dataset["whole"] !== "true") {
        const anchor = this.anchor();
        if (!anchor) throw new Refusal("gone", t("remark.gone"));
        about = this.passage(anchor.from, anchor.to);
      }
      const { annotation } = await api<{ annotation: { id: number } }>("POST", `/api/v1/sections/${section}/annotations`, { ...about, text });
      form.remove();
      this.unmark();
      await this.around.refresh(`a-${annotation.id}`);
      const card = document.getElementById(`a-${annotation.id}`);
      if (card) cards.select(card, true);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      refusedAt(form, error.message);
    } finally {
      form.removeAttribute("aria-busy");
      cards.schedule();
    }
  }

  /** An orphan put on the words that are selected in the text. */
  private async putBack(card: HTMLElement, path: string): Promise<void> {
    const { cards } = this.around;
    const { from, to, empty } = this.around.view()!.state.selection.main;
    unsaid(card);
    try {
      if (empty) throw new Refusal("empty", t("remark.select"));
      await api("POST", path, this.passage(from, to));
      await this.around.refresh(card.id);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      refusedAt(document.getElementById(card.id) ?? card, error.message);
    }
    cards.schedule();
  }
}
