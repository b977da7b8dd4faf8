// Who else has the section open: badges in the status line, carets in the text.
import type { EditorView } from "@codemirror/view";
import type { Line } from "./line";
import { type Streams, toEditor, toStored } from "./places";
import { placePeople } from "./presence";
import { element, type Person, t } from "./wire";

const SHOWN = 8;

export class Company {
  private readonly people = new Map<number, Person[]>();
  private readonly place = document.querySelector<HTMLElement>("[data-people]");

  took(stream: number, people: Person[]): void {
    this.people.set(stream, people);
  }

  left(): void {
    this.people.clear();
  }

  /** `own` is this tab's key, which is not shown to itself. */
  show(view: EditorView | null, streams: Streams, own: string | undefined): void {
    const others = [...this.people].flatMap(([stream, people]) => people.filter(person => person.key !== own).map(person => ({ stream, person })));
    const unique = [...new Map(others.map(({ person }) => [person.key, person])).values()];
    const tags = new Map<string, HTMLElement>();
    for (const person of unique) {
      const code = person.code || person.name.split(/\s+/).map(word => word[0] ?? "").join("").slice(0, 2).toUpperCase();
      if (tags.has(code)) continue;
      const tag = element("abbr", `tag hue-${person.hue ?? 0}`, code);
      tag.title = person.organization || person.name;
      tags.set(code, tag);
    }
    const badges = element("span", "tags", ...[...tags.values()].slice(0, SHOWN));
    this.place?.replaceChildren(...(unique.length ? [badges, ` ${t("people", { n: unique.length })}`] : []));
    if (!view) return;
    const placed = [];
    for (const { stream, person } of others) {
      if (person.head === null || person.anchor === null) continue;
      const head = toEditor(view, streams, stream, person.head, person.version, 1);
      const anchor = toEditor(view, streams, stream, person.anchor, person.version, 1);
      if (head !== null && anchor !== null) placed.push({ key: person.key, name: person.organization || person.name, hue: person.hue ?? 0, anchor, head });
    }
    view.dispatch({ effects: placePeople.of(placed) });
  }
}

/** Tells the others where the own caret is, in the stream that the editor writes to; null: nowhere. */
export function tellCaret(line: Line, view: EditorView, { main, branch }: Streams, anchor: number | null, head: number | null): void {
  const { stream, version } = branch ?? main;
  const stored = (pos: number | null) => (pos === null ? null : toStored(view, pos, 1));
  line.mention("caret", { stream, version, anchor: stored(anchor), head: stored(head) });
}
