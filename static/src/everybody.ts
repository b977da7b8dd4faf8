// What everybody proposes and remarks, as the server says it, kept by the server's positions and put into the view.
//
// Messages name the main version that their positions mean. One that is ahead of the replica waits for the text; one
// that is behind is carried over the updates since.
import type { StateEffect } from "@codemirror/state";
import type { EditorView } from "@codemirror/view";
import { annotationsField, dropAnnotation, placeAnnotation } from "./annotations";
import { type Streams, toEditor } from "./places";
import type { Replica } from "./replica";
import { dropSuggestion, ownSuggestion, placeSuggestion, suggestionsField } from "./suggestions";
import type { Draft, Hunks, Joined, WireAnnotation } from "./wire";

export class Everybody {
  readonly hunks = new Map<number, Hunks>();
  private annotations = new Map<number, WireAnnotation & { version: number }>();
  private waiting: Hunks[] = [];

  constructor(
    readonly main: Replica,
    readonly view: () => EditorView | null,
    readonly streams: () => Streams,
    readonly onHunks: (hunks: Hunks) => void,
  ) {
    main.onJoin(joined => this.joined(joined));
    main.onUpdates(() => {
      const ready = this.waiting;
      this.waiting = [];
      for (const hunks of ready) this.took(hunks);
    });
  }

  private joined(joined: Joined): void {
    this.hunks.clear();
    for (const hunks of joined.suggestions ?? []) this.hunks.set(hunks.suggestion, hunks);
    this.annotations = new Map((joined.annotations ?? []).map(annotation => [annotation.id, { ...annotation, version: joined.version }]));
  }

  took(hunks: Hunks): void {
    if (hunks.version > this.main.version) {
      this.waiting.push(hunks);
      return;
    }
    if (hunks.state === "gone") this.hunks.delete(hunks.suggestion);
    else this.hunks.set(hunks.suggestion, hunks);
    const view = this.view();
    if (view?.state.field(suggestionsField, false)) {
      const placed = hunks.state === "gone" || hunks.suggestion === view.state.facet(ownSuggestion) ? null : this.placed(view, hunks, true);
      if (placed) view.dispatch({ effects: placed });
      else if (view.state.field(suggestionsField).has(hunks.suggestion)) view.dispatch({ effects: dropSuggestion.of(hunks.suggestion) });
    }
    this.onHunks(hunks);
  }

  /** The newest draft of one's own, also one that was opened after the server had made the page. */
  newestDraft(): Draft | null {
    const drafts = [...this.hunks.values()].filter(each => each.mine && each.state === "draft");
    const newest = drafts.sort((a, b) => b.number - a.number)[0];
    return newest ? { id: newest.suggestion, number: newest.number, stream: newest.stream, state: newest.state } : null;
  }

  /** A remark was placed, moved or lost its words. */
  tookAnnotation(annotation: WireAnnotation, version: number): void {
    this.annotations.set(annotation.id, { ...annotation, version });
    const view = this.view();
    if (view?.state.field(annotationsField, false)) view.dispatch({ effects: this.anchored(view, this.annotations.get(annotation.id)!) });
  }

  private placed(view: EditorView, hunks: Hunks, live: boolean): StateEffect<unknown> | null {
    const made = [];
    for (const hunk of hunks.hunks) {
      if (hunk.state !== "open" || hunk.fulfilled) continue;
      const from = toEditor(view, this.streams(), this.main.stream, hunk.start, hunks.version, 1);
      const to = toEditor(view, this.streams(), this.main.stream, hunk.end, hunks.version, hunk.start === hunk.end ? 1 : -1);
      if (from !== null && to !== null) made.push({ id: hunk.id, from, to: Math.max(from, to), text: hunk.text, baseChanged: !!hunk.base_changed });
    }
    return made.length ? placeSuggestion.of({ meta: hunks, hunks: made, live }) : null;
  }

  private anchored(view: EditorView, annotation: WireAnnotation & { version: number }): StateEffect<unknown> {
    const { id, start, end, state, orphaned, version } = annotation;
    if (start === null || end === null || orphaned) return dropAnnotation.of(id);
    const from = toEditor(view, this.streams(), this.main.stream, start, version, 1);
    const to = toEditor(view, this.streams(), this.main.stream, end, version, -1);
    return from === null || to === null || to <= from ? dropAnnotation.of(id) : placeAnnotation.of({ id, from, to, state });
  }

  /** Puts everything into a view that holds nothing of it yet, or something older. */
  placeAll(): void {
    const view = this.view();
    if (!view?.state.field(suggestionsField, false)) return;
    const effects: StateEffect<unknown>[] = [];
    for (const id of view.state.field(suggestionsField).keys()) if (!this.hunks.has(id)) effects.push(dropSuggestion.of(id));
    for (const hunks of this.hunks.values()) {
      if (hunks.suggestion === view.state.facet(ownSuggestion)) continue;
      const placed = this.placed(view, hunks, false);
      if (placed) effects.push(placed);
    }
    for (const annotation of this.annotations.values()) effects.push(this.anchored(view, annotation));
    view.dispatch({ effects });
  }
}
