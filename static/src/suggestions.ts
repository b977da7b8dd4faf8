// Suggestions in the text: one's own as it is typed, others' as they arrive.
//
// In Suggest mode the editor's text is the branch text of the own suggestion; its hunks are kept beside it as ranges
// of that text with the words that stood there before (the ground). A hunk of somebody else is never in the text: the
// words it would delete are struck, the words it would insert stand in a widget. All positions here are of the
// editor's text; the workspace converts what the server says.
import { type Extension, Facet, type Range, StateEffect, StateField, type Text, type Transaction } from "@codemirror/state";
import { Decoration, type DecorationSet, EditorView, WidgetType } from "@codemirror/view";
import { arrived } from "./editing";
import { element, type Hunks, icon, t } from "./wire";
import { allWhole, REACH, type Replacement, runsOn } from "./words";

// ── own hunks ──

/** A range of the branch text; `ground` is what main has in its place. */
export type OwnHunk = Replacement;

export const setOwnHunks = StateEffect.define<readonly OwnHunk[]>();

/** hunks ∘ change: what the change touches becomes one hunk, what it undoes is gone. */
export function hunksAfter(hunks: readonly OwnHunk[], tr: Pick<Transaction, "changes" | "newDoc"> & { startState: { doc: Text } }): OwnHunk[] {
  let all = hunks.slice();
  const old = tr.startState.doc;
  const touched: { from: number; to: number }[] = [];
  tr.changes.iterChangedRanges((fromA, toA) => touched.push({ from: fromA, to: toA }));
  // grow the ranges in the old text first, then carry everything over at once
  for (const { from, to } of touched) {
    const over = all.filter(hunk => hunk.from <= to && hunk.to >= from);
    const start = Math.min(from, ...over.map(hunk => hunk.from));
    const end = Math.max(to, ...over.map(hunk => hunk.to));
    let ground = "";
    let pos = start;
    for (const hunk of over) {
      ground += old.sliceString(pos, hunk.from) + hunk.ground;
      pos = hunk.to;
    }
    ground += old.sliceString(pos, end);
    all = all.filter(hunk => !over.includes(hunk));
    all.push({ from: start, to: end, ground });
    all.sort((a, b) => a.from - b.from);
  }
  const carried = all.map(hunk => ({ from: tr.changes.mapPos(hunk.from, -1), to: tr.changes.mapPos(hunk.to, 1), ground: hunk.ground }));
  return allWhole(carried, tr.newDoc);
}

export const ownHunks = StateField.define<readonly OwnHunk[]>({
  create: () => [],
  update(hunks, tr) {
    for (const effect of tr.effects) if (effect.is(setOwnHunks)) return effect.value;
    if (!tr.docChanged) return hunks;
    const foreign = tr.effects.find(effect => effect.is(arrived));
    // what comes from main lies outside the hunks
    if (foreign && foreign.value.client === "main") {
      return hunks.map(hunk => ({ ...hunk, from: tr.changes.mapPos(hunk.from, 1), to: Math.max(tr.changes.mapPos(hunk.from, 1), tr.changes.mapPos(hunk.to, -1)) }));
    }
    return hunksAfter(hunks, tr);
  },
});

/** Where a position of main lies in the branch text; inside an own hunk, at the side `assoc` of it. */
export function toBranch(pos: number, hunks: readonly OwnHunk[], assoc: number): number {
  let shift = 0;
  for (const hunk of hunks) {
    const from = hunk.from - shift;
    const to = from + hunk.ground.length;
    if (pos < from || (pos === from && assoc < 0)) break;
    if (pos < to || (pos === to && assoc < 0 && hunk.ground.length > 0)) return assoc < 0 ? hunk.from : hunk.to;
    shift += hunk.to - hunk.from - hunk.ground.length;
  }
  return pos + shift;
}

/** The words of a hunk for people: a paragraph mark where there is nothing but a line end. */
const shown = (text: string) => (text.trim() ? text : text.replace(/\n+/g, "¶"));

class Deleted extends WidgetType {
  constructor(
    readonly words: string,
    readonly hue: number,
  ) {
    super();
  }
  override eq(other: Deleted): boolean {
    return other.words === this.words && other.hue === this.hue;
  }
  toDOM(): HTMLElement {
    const del = element("del", `hue-${this.hue}`, shown(this.words));
    del.role = "deletion";
    return element("span", "cm-gone", del);
  }
  override ignoreEvent(): boolean {
    return false;
  }
}

function ownDecorations(hunks: readonly OwnHunk[], hue: number): DecorationSet {
  const ranges: Range<Decoration>[] = [];
  for (const { from, to, ground } of hunks) {
    if (ground) ranges.push(Decoration.widget({ widget: new Deleted(ground, hue), side: -1 }).range(from));
    if (to > from) {
      ranges.push(Decoration.mark({ tagName: "ins", class: `hue-${hue} is-own`, attributes: { role: "insertion" } }).range(from, to));
    }
  }
  return Decoration.set(ranges, true);
}

export function suggesting(hue: number, start: readonly OwnHunk[]): Extension {
  return [
    ownHunks.init(() => start),
    EditorView.decorations.compute([ownHunks], state => ownDecorations(state.field(ownHunks), hue)),
  ];
}

// ── everybody's hunks ──

export interface PlacedHunk {
  id: number;
  from: number;
  to: number;
  text: string;
  baseChanged: boolean;
}

export interface Placed {
  meta: Hunks;
  hunks: readonly PlacedHunk[];
  /** the words changed just now */
  live: boolean;
}

export type Suggestions = ReadonlyMap<number, Placed>;

export const placeSuggestion = StateEffect.define<Placed>();
export const dropSuggestion = StateEffect.define<number>();
export const selectSuggestion = StateEffect.define<number | null>();

export const selected = StateField.define<number | null>({
  create: () => null,
  update(value, tr) {
    for (const effect of tr.effects) if (effect.is(selectSuggestion)) value = effect.value;
    return value;
  },
});

export const suggestionsField = StateField.define<Suggestions>({
  create: () => new Map(),
  update(value, tr) {
    let next = value as Map<number, Placed>;
    if (tr.docChanged && next.size) {
      const mapped = new Map<number, Placed>();
      for (const [id, placed] of next) {
        mapped.set(id, {
          meta: placed.meta,
          live: false,
          hunks: placed.hunks.map(hunk => {
            // a hunk without ground stands after what is inserted at its place, as on the server
            const from = tr.changes.mapPos(hunk.from, 1);
            return { ...hunk, from, to: Math.max(from, tr.changes.mapPos(hunk.to, -1)) };
          }),
        });
      }
      next = mapped;
    }
    for (const effect of tr.effects) {
      if (effect.is(placeSuggestion)) {
        if (next === value) next = new Map(next);
        next.set(effect.value.meta.suggestion, effect.value);
      } else if (effect.is(dropSuggestion)) {
        if (next === value) next = new Map(next);
        next.delete(effect.value);
      }
    }
    return next;
  },
});

/** Which suggestion is one's own branch, so that it is not shown a second time; null in other modes. */
export const ownSuggestion = Facet.define<number | null, number | null>({ combine: values => values[0] ?? null });

class Inserted extends WidgetType {
  constructor(
    readonly suggestion: number,
    readonly number: number,
    readonly hue: number,
    readonly organization: string,
    readonly words: string,
    readonly state: "" | "draft" | "rival" | "changed",
    readonly selected: boolean,
    readonly live: boolean,
    readonly apart: boolean,
  ) {
    super();
  }
  override eq(other: Inserted): boolean {
    return (
      other.suggestion === this.suggestion &&
      other.hue === this.hue &&
      other.words === this.words &&
      other.state === this.state &&
      other.selected === this.selected
    );
  }
  toDOM(): HTMLElement {
    const on = this.selected ? " is-selected" : "";
    const whole = element("span", `cm-proposed hue-${this.hue}${on}${this.apart ? " cm-proposed--apart" : ""}`);
    whole.contentEditable = "false";
    whole.dataset["suggestion"] = String(this.suggestion);
    if (this.words) {
      const ins = element("ins", this.live ? "live" : "", shown(this.words));
      ins.role = "insertion";
      const words = element("span", "", ins);
      words.role = "suggestion";
      words.setAttribute("aria-details", `s-${this.suggestion}`);
      whole.append(words);
    }
    const ref = element("a", `ref hue-${this.hue}${on}`, `U-${this.number}`);
    ref.href = `#s-${this.suggestion}`;
    ref.tabIndex = 0;
    ref.setAttribute("aria-label", t("suggestion.of", { number: this.number, organization: this.organization }));
    if (this.state === "draft") ref.append(icon("pencil"));
    if (this.state === "changed") ref.append(icon("warn"));
    whole.append(ref);
    if (this.state === "rival") {
      const rival = element("span", "ref ref--rival", icon("rival"));
      rival.title = t("rival");
      rival.append(element("span", "sr", t("rival")));
      whole.append(rival);
    }
    return whole;
  }
  override ignoreEvent(): boolean {
    return false;
  }
}

const isBlankBetween = (left: string, right: string) => /\s$/.test(left) || /^\s/.test(right);

/**
 * Whether only one of the two can be accepted, as engine/relations.py has it: neither alone gives the same text, and
 * they overlap or run together where they meet. Two that only delete share what both delete.
 */
function clash(doc: Text, a: PlacedHunk, b: PlacedHunk): boolean {
  if (a.to < b.from || b.to < a.from) return false;
  const [low, high] = [Math.min(a.from, b.from), Math.max(a.to, b.to)];
  const result = ({ from, to, text }: PlacedHunk) => doc.sliceString(low, from) + text + doc.sliceString(to, high);
  if (result(a) === result(b)) return false;
  if (a.to !== b.from && b.to !== a.from) return !!(a.text || b.text);
  const meeting = (left: PlacedHunk, right: PlacedHunk) => {
    const before = doc.sliceString(Math.max(0, left.from - REACH), left.from) + left.text;
    const after = right.text + doc.sliceString(right.to, right.to + REACH);
    return runsOn(before, after) || (low === high && !!left.text && !!right.text && !isBlankBetween(left.text, right.text));
  };
  return (a.to === b.from && meeting(a, b)) || (b.to === a.from && meeting(b, a));
}

/** Those of which only one can be accepted, each as "suggestion.hunk". */
export function rivals(suggestions: Suggestions, doc: Text): Set<string> {
  const all = [...suggestions.values()].flatMap(({ meta, hunks }) => hunks.map(hunk => ({ ...hunk, suggestion: meta.suggestion })));
  all.sort((a, b) => a.from - b.from || a.to - b.to);
  const found = new Set<string>();
  for (let i = 0; i < all.length; i++) {
    for (let j = i + 1; j < all.length && all[j]!.from <= all[i]!.to; j++) {
      const [a, b] = [all[i]!, all[j]!];
      if (a.suggestion === b.suggestion || !clash(doc, a, b)) continue;
      found.add(`${a.suggestion}.${a.id}`).add(`${b.suggestion}.${b.id}`);
    }
  }
  return found;
}

function decorations(suggestions: Suggestions, doc: Text, own: number | null, chosen: number | null): DecorationSet {
  const ranges: Range<Decoration>[] = [];
  const struck: { from: number; to: number; hue: number; suggestion: number }[] = [];
  const competing = rivals(suggestions, doc);
  for (const { meta, hunks, live } of suggestions.values()) {
    if (meta.suggestion === own) continue;
    const hue = meta.organization?.hue ?? 0;
    for (const hunk of hunks) {
      if (hunk.to > hunk.from) struck.push({ from: hunk.from, to: hunk.to, hue, suggestion: meta.suggestion });
      const state = hunk.baseChanged ? "changed" : competing.has(`${meta.suggestion}.${hunk.id}`) ? "rival" : meta.state === "draft" ? "draft" : "";
      const widget = new Inserted(meta.suggestion, meta.number, hue, meta.organization?.name ?? "", hunk.text, state, meta.suggestion === chosen, live, hunk.to > hunk.from);
      ranges.push(Decoration.widget({ widget, side: 10 + Math.min(meta.number, 9000) }).range(hunk.to));
    }
  }
  // words that two suggestions delete carry both lines: cut into pieces, then say who strikes each
  const cuts = [...new Set(struck.flatMap(({ from, to }) => [from, to]))].sort((a, b) => a - b);
  const byStart = struck.sort((a, b) => a.from - b.from);
  let first = 0;
  for (let i = 0; i + 1 < cuts.length; i++) {
    const [from, to] = [cuts[i]!, cuts[i + 1]!];
    while (first < byStart.length && byStart[first]!.to <= from) first++;
    const over = [];
    for (let k = first; k < byStart.length && byStart[k]!.from < to; k++) if (byStart[k]!.to > from) over.push(byStart[k]!);
    if (!over.length) continue;
    const hues = [...new Set(over.map(each => each.hue))];
    const pair = hues.length > 1 ? ` both hueb-${hues[1]}` : "";
    const on = over.some(each => each.suggestion === chosen) ? " is-selected" : "";
    ranges.push(
      Decoration.mark({
        tagName: "del",
        class: `hue-${hues[0]}${pair}${on}`,
        attributes: { role: "deletion", "data-suggestion": String(over[0]!.suggestion) },
      }).range(from, to),
    );
  }
  return Decoration.set(ranges, true);
}

const computed = EditorView.decorations.compute([suggestionsField, selected, ownSuggestion], state =>
  decorations(state.field(suggestionsField), state.doc, state.facet(ownSuggestion), state.field(selected)),
);

/** Everybody's suggestions as they arrive; `onSelect` hears of a click on one, or of Enter on its number. */
export function suggestionsShown(onSelect: (suggestion: number, byKey: boolean) => void): Extension {
  return [
    suggestionsField,
    selected,
    computed,
    EditorView.domEventHandlers({
      click(event, view) {
        const hit = (event.target as Element).closest<HTMLElement>("[data-suggestion]");
        if (!hit) return false;
        const inWidget = hit.classList.contains("cm-proposed");
        // a click into struck words that one may edit puts the caret there, and shows the card too
        // by a key when no pointer made it: Firefox counts Enter on a link as one click
        onSelect(Number(hit.dataset["suggestion"]), event.detail === 0 || (event as PointerEvent).pointerType === "");
        if (inWidget || view.state.readOnly) event.preventDefault();
        return inWidget;
      },
    }),
  ];
}
