// Who else is here: carets with names. A flag lies over free space: at a line's end beside the caret, elsewhere above
// it and only for a moment after it moved. Offline, the others' carets disappear.
import { type Extension, type Range, StateEffect, StateField } from "@codemirror/state";
import { Decoration, EditorView, ViewPlugin, type ViewUpdate, WidgetType } from "@codemirror/view";
import { element } from "./wire";

export interface Placed {
  key: string;
  name: string;
  hue: number;
  anchor: number;
  head: number;
}

export const placePeople = StateEffect.define<readonly Placed[]>();

class Caret extends WidgetType {
  constructor(
    readonly key: string,
    readonly name: string,
    readonly hue: number,
    readonly side: boolean,
  ) {
    super();
  }
  override eq(other: Caret): boolean {
    return other.key === this.key && other.name === this.name && other.hue === this.hue && other.side === this.side;
  }
  toDOM(): HTMLElement {
    const caret = element("span", `caret hue-${this.hue}${this.side ? " is-side" : ""}`, element("span", "", this.name));
    caret.setAttribute("aria-hidden", "true");
    return caret;
  }
  override get estimatedHeight(): number {
    return -1;
  }
}

const people = StateField.define<readonly Placed[]>({
  create: () => [],
  update(value, tr) {
    if (tr.docChanged && value.length) {
      value = value.map(person => ({ ...person, anchor: tr.changes.mapPos(person.anchor, 1), head: tr.changes.mapPos(person.head, 1) }));
    }
    for (const effect of tr.effects) if (effect.is(placePeople)) value = effect.value;
    return value;
  },
  provide: field =>
    EditorView.decorations.compute([field], state => {
      const ranges: Range<Decoration>[] = [];
      for (const person of state.field(field)) {
        const head = Math.min(person.head, state.doc.length);
        const anchor = Math.min(person.anchor, state.doc.length);
        const [from, to] = anchor < head ? [anchor, head] : [head, anchor];
        if (to > from) ranges.push(Decoration.mark({ class: `cm-chosen hue-${person.hue}` }).range(from, to));
        const side = state.doc.lineAt(head).to === head;
        ranges.push(Decoration.widget({ widget: new Caret(person.key, person.name, person.hue, side), side: 1 }).range(head));
      }
      return Decoration.set(ranges, true);
    }),
});

// the own caret is told at most this often; the server gathers them further
const EVERY = 80;

// a flag that would reach over the edge of the page lies above the line, to the left of its caret
const flags = ViewPlugin.fromClass(
  class {
    constructor(view: EditorView) {
      this.measure(view);
    }
    update(update: ViewUpdate): void {
      if (update.docChanged || update.geometryChanged || update.viewportChanged || update.transactions.some(tr => tr.effects.some(effect => effect.is(placePeople)))) this.measure(update.view);
    }
    private measure(view: EditorView): void {
      if (!view.state.field(people, false)?.length) return;
      view.requestMeasure({
        key: this,
        read: () => {
          const room = document.documentElement.clientWidth - 4;
          return [...view.contentDOM.querySelectorAll<HTMLElement>(".caret")].map(caret => {
            const left = caret.getBoundingClientRect().left + 4;
            return { caret, isOver: left + (caret.firstElementChild as HTMLElement).offsetWidth > room };
          });
        },
        write: found => {
          for (const { caret, isOver } of found) caret.classList.toggle("is-flipped", isOver);
        },
      });
    }
  },
);

export function presence(tell: ((anchor: number | null, head: number | null) => void) | null): Extension {
  if (!tell) return [people, flags];
  const teller = ViewPlugin.fromClass(
    class {
      private timer: ReturnType<typeof setTimeout> | undefined;
      private last = "";
      update(update: ViewUpdate): void {
        if (!update.selectionSet && !update.focusChanged && !update.docChanged) return;
        this.timer ??= setTimeout(() => {
          this.timer = undefined;
          const { anchor, head } = update.view.state.selection.main;
          const now = update.view.hasFocus ? `${anchor} ${head}` : "";
          if (now === this.last) return;
          this.last = now;
          if (now) tell(anchor, head);
          else tell(null, null);
        }, EVERY);
      }
      destroy(): void {
        clearTimeout(this.timer);
      }
    },
  );
  return [people, flags, teller];
}
