// Polish typography, as formats/markdown.py has it: no line ends after a one-letter word or between a mark of reference
// and its number. The text keeps its ordinary blanks; only where lines break is another.
import { type Extension, Prec } from "@codemirror/state";
import { Decoration, type DecorationSet, EditorView, MatchDecorator, ViewPlugin, type ViewUpdate } from "@codemirror/view";

const bound = new MatchDecorator({
  regexp: /(?<![\p{L}\p{N}_])(?:[aiouwzAIOUWZ]|§{1,2}|(?:[Uu]st|[Aa]rt|[Ll]it|[Pp]oz|[Nn]r|[Pp]kt|[Rr]ozdz|[Ss]tr)\.?) (?=\S|$)/gu,
  decoration: Decoration.mark({ class: "cm-bound" }),
});

export function boundWords(): Extension {
  const plugin = ViewPlugin.fromClass(
    class {
      decorations: DecorationSet;
      constructor(view: EditorView) {
        this.decorations = bound.createDeco(view);
      }
      update(update: ViewUpdate): void {
        this.decorations = bound.updateDeco(update, this.decorations);
      }
    },
    { decorations: plugin => plugin.decorations },
  );
  // innermost, so that no other mark is cut in two by it: the number of a paragraph stays one box
  return Prec.highest(plugin);
}
