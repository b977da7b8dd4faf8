// Remarks on passages: a dotted line under the words, carried with them; an orphan keeps only its card.
import { type ChangeDesc, type Extension, type Range, StateEffect, StateField } from "@codemirror/state";
import { Decoration, type DecorationSet, EditorView, showTooltip, type Tooltip } from "@codemirror/view";
import { element, icon, t } from "./wire";

export interface Anchored {
  id: number;
  from: number;
  to: number;
  state: string;
}

/** The passage of a remark that is being written: it has no number yet. */
export const NEW = 0;

export const placeAnnotation = StateEffect.define<Anchored>();
export const dropAnnotation = StateEffect.define<number>();
export const selectAnnotation = StateEffect.define<number | null>();

/** What is left of a passage after a change, as engine/anchors.py has it: words in place of all of its words are none of it. */
export function inward(from: number, to: number, changes: ChangeDesc): { from: number; to: number } | null {
  let isGone = false;
  changes.iterChangedRanges((fromA, toA) => {
    if (fromA <= from && toA >= to) isGone = true;
  }, true);
  const [start, end] = [changes.mapPos(from, 1), changes.mapPos(to, -1)];
  return isGone || end <= start ? null : { from: start, to: end };
}

interface Anchors {
  all: ReadonlyMap<number, Anchored>;
  selected: number | null;
}

export const annotationsField = StateField.define<Anchors>({
  create: () => ({ all: new Map(), selected: null }),
  update(value, tr) {
    let { all, selected } = value;
    if (tr.docChanged && all.size) {
      const mapped = new Map<number, Anchored>();
      for (const anchor of all.values()) {
        const kept = inward(anchor.from, anchor.to, tr.changes);
        // gone here; whether it is an orphan the server says
        if (kept) mapped.set(anchor.id, { ...anchor, ...kept });
      }
      all = mapped;
    }
    for (const effect of tr.effects) {
      if (effect.is(placeAnnotation)) all = new Map(all).set(effect.value.id, effect.value);
      else if (effect.is(dropAnnotation)) {
        const next = new Map(all);
        next.delete(effect.value);
        all = next;
      } else if (effect.is(selectAnnotation)) selected = effect.value;
    }
    return all === value.all && selected === value.selected ? value : { all, selected };
  },
});

function decorations({ all, selected }: Anchors): DecorationSet {
  const ranges: Range<Decoration>[] = [];
  for (const { id, from, to, state } of all.values()) {
    if (state === "resolved" && id !== selected) continue;
    ranges.push(
      Decoration.mark({
        tagName: "mark",
        class: id === selected || id === NEW ? "is-selected" : "",
        attributes: id === NEW ? {} : { "data-annotation": String(id), "aria-details": `a-${id}` },
      }).range(from, to),
    );
  }
  return Decoration.set(ranges, true);
}

const computed = EditorView.decorations.compute([annotationsField], state => decorations(state.field(annotationsField)));

/** Select words → a small button beside them opens the field for a remark. */
function remarkButton(onRemark: (from: number, to: number) => void): Extension {
  const tooltip = (from: number, to: number, head: number): Tooltip => ({
    pos: head,
    above: head === from,
    create() {
      const button = element("button", "btn btn--small remark", icon("bubble"), t("remark"));
      button.type = "button";
      button.addEventListener("mousedown", event => event.preventDefault());
      button.addEventListener("click", () => onRemark(from, to));
      return { dom: element("div", "", button) };
    },
  });
  return showTooltip.compute(["selection", "doc", annotationsField], state => {
    const { from, to, head } = state.selection.main;
    // the remark on these words is being written
    const begun = state.field(annotationsField).all.get(NEW);
    if (begun && begun.from <= from && begun.to >= to) return null;
    return from === to || !state.sliceDoc(from, Math.min(to, from + 2000)).trim() ? null : tooltip(from, to, head);
  });
}

export function annotationsShown(onSelect: (annotation: number) => void, onRemark: ((from: number, to: number) => void) | null): Extension {
  return [
    annotationsField,
    computed,
    EditorView.domEventHandlers({
      click(event, view) {
        const hit = (event.target as Element).closest<HTMLElement>("mark[data-annotation]");
        if (hit && view.state.selection.main.empty) onSelect(Number(hit.dataset["annotation"]));
        return false;
      },
    }),
    onRemark ? remarkButton(onRemark) : [],
  ];
}
