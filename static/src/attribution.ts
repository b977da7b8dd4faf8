// Sources mode: every run of the text in the hue of whom it came from, with a label and a line pattern, and a legend
// that counts and filters. A click, or Enter on a run, opens its story.
import { type Extension, type Range, StateEffect, StateField, type Text } from "@codemirror/state";
import { Decoration, type DecorationSet, EditorView, WidgetType } from "@codemirror/view";
import { beginning } from "./markdown";
import { element, t } from "./wire";

export interface Source {
  label: string;
  organization: { code: string; name: string; hue: number } | null;
  meeting: { number: number; topic: string; hue: number } | null;
  kind: string;
  suggestion: number | null;
  decision: string | null;
  at: string | null;
  by: string | null;
}

export interface Attribution {
  version: number;
  /** lengths in code units that add up to the text, with an index into sources; −1: the team's own text */
  spans: [number, number][];
  sources: Source[];
  /** deleted runs: where they stood, their words, the source that removed them */
  deleted?: { pos: number; text: string; source: number }[];
}

export type Colouring = "meeting" | "organization" | "kind" | "decision" | "age";

export interface Key {
  id: string;
  code: string;
  label: string;
  hue: number;
  characters: number;
}

export interface Legend {
  keys: Key[];
  characters: number;
  brought: number;
  deleted: number;
}

/** The group a source belongs to under a colouring; null: without a source of its own. */
export function groupOf(source: Source | undefined, by: Colouring, now: number): Omit<Key, "characters"> | null {
  if (!source) return null;
  if (by === "meeting") {
    if (source.meeting) return { id: `m${source.meeting.number}`, code: String(source.meeting.number), label: source.meeting.topic, hue: source.meeting.hue };
    if (source.organization) return { id: "platform", code: "P", label: t("source.platform"), hue: 12 };
    return null;
  }
  if (by === "organization") {
    const { organization } = source;
    return organization ? { id: `o${organization.code}`, code: organization.code, label: organization.name, hue: organization.hue } : null;
  }
  if (by === "kind") {
    const kinds = ["suggestion", "edit", "import", "restore", "revert", "move", "rewording"];
    const at = Math.max(0, kinds.indexOf(source.kind));
    return { id: kinds[at]!, code: t(`kind.${kinds[at]}.code`), label: t(`kind.${kinds[at]}`), hue: at + 1 };
  }
  if (by === "decision") {
    const verdict = source.decision ?? (source.suggestion ? "accepted" : "");
    if (!verdict) return null;
    const verdicts = ["accepted", "reworded", "reverted"];
    const at = Math.max(0, verdicts.indexOf(verdict));
    return { id: verdicts[at]!, code: t(`verdict.${verdicts[at]}.code`), label: t(`verdict.${verdicts[at]}`), hue: [3, 5, 2][at]! };
  }
  if (!source.at) return null;
  const days = (now - Date.parse(source.at)) / 86_400_000;
  const limits = [7, 30, 90, 365];
  const at = limits.findIndex(limit => days < limit);
  const i = at < 0 ? limits.length : at;
  return { id: `age-${i}`, code: t(`age.${i}.code`), label: t(`age.${i}`), hue: [2, 12, 8, 5, 1][i]! };
}

/** What words without a group are called under a colouring. */
const nobody = (by: Colouring): Omit<Key, "characters"> => {
  const label = t(by === "organization" ? "source.unnamed" : by === "decision" ? "source.undecided" : "source.team");
  return { id: "team", code: "–", label, hue: 0 };
};

/** The classes of a colour: a hue, and of an age one of five steps from dark to light. */
export const tone = ({ id, hue }: { id: string; hue: number }) => (id.startsWith("age-") ? `hue-${hue} ${id}` : `hue-${hue}`);

const isOfSomebody = (source: Source | undefined) => Boolean(source && (source.organization ?? source.meeting ?? source.suggestion ?? source.decision));

/** How many code units each group brought in; `brought`: those that are there on somebody's behalf, under any colouring. */
export function legendOf(attribution: Attribution, by: Colouring, now = Date.now()): Legend {
  const keys = new Map<string, Key>();
  let [brought, all] = [0, 0];
  for (const [length, index] of attribution.spans) {
    all += length;
    const source = attribution.sources[index];
    const group = groupOf(source, by, now) ?? nobody(by);
    if (isOfSomebody(source)) brought += length;
    const key = keys.get(group.id) ?? { ...group, characters: 0 };
    key.characters += length;
    keys.set(group.id, key);
  }
  const sorted = [...keys.values()].sort(
    (a, b) => Number(a.id === "team") - Number(b.id === "team") || (by === "age" ? a.id.localeCompare(b.id) : b.characters - a.characters),
  );
  return { keys: sorted, characters: all, brought, deleted: (attribution.deleted ?? []).reduce((sum, run) => sum + run.text.length, 0) };
}

interface Shown {
  attribution: Attribution | null;
  by: Colouring;
  hidden: ReadonlySet<string>;
  deleted: boolean;
  labels: boolean;
  selected: number | null;
  decorations: DecorationSet;
}

export const showAttribution = StateEffect.define<Partial<Omit<Shown, "decorations">>>();

class DeletedRun extends WidgetType {
  constructor(
    readonly words: string,
    readonly code: string,
    readonly tone: string,
    readonly title: string,
    readonly pos: number,
  ) {
    super();
  }
  override eq(other: DeletedRun): boolean {
    return other.words === this.words && other.code === this.code && other.pos === this.pos;
  }
  toDOM(): HTMLElement {
    const del = element("del", `run ${this.tone}`, this.words.trim() ? this.words : "¶");
    del.dataset["code"] = this.code;
    del.dataset["deleted"] = String(this.pos);
    del.title = this.title;
    del.tabIndex = 0;
    del.role = "deletion";
    return del;
  }
  override ignoreEvent(): boolean {
    return false;
  }
}

function decorate(shown: Shown, doc: Text): DecorationSet {
  const { attribution, by, hidden } = shown;
  const { length } = doc;
  if (!attribution) return Decoration.none;
  const ranges: Range<Decoration>[] = [];
  const now = Date.now();
  let pos = 0;
  let run: { from: number; to: number; index: number; goesOn: boolean; id: string; code: string; label: string; hue: number } | null = null;
  let before = { to: -1, id: "" };
  const flush = () => {
    if (run && run.from < run.to && run.to <= length) {
      const on = shown.selected !== null && shown.selected >= run.from && shown.selected < run.to ? " is-selected" : "";
      // line by line, so that hanging numbers stay free
      for (let pos = run.from; pos < run.to; ) {
        const line = doc.lineAt(pos);
        const from = Math.max(pos, line.from + beginning(line.text));
        const to = Math.min(run.to, line.to);
        // one label for neighbours of one group on one line
        const bare = !shown.labels || (run.goesOn && pos === run.from && pos > line.from + beginning(line.text)) ? " run--bare" : "";
        if (from < to && doc.sliceString(from, to).trim()) {
          ranges.push(
            Decoration.mark({
              class: `run ${tone(run)}${on}${bare}`,
              attributes: { "data-code": run.code, title: run.label, "data-run": String(from), tabindex: "0", role: "button" },
            }).range(from, to),
          );
        }
        pos = line.to + 1;
      }
    }
    run = null;
  };
  for (const [size, index] of attribution.spans) {
    const group = groupOf(attribution.sources[index], by, now);
    if (group && !hidden.has(group.id)) {
      if (run && run.index === index && run.to === pos) run.to += size;
      else {
        flush();
        run = { from: pos, to: pos + size, index, goesOn: before.to === pos && before.id === group.id, ...group };
      }
      before = { to: pos + size, id: group.id };
    } else flush();
    pos += size;
  }
  flush();
  if (shown.deleted) {
    for (const gone of attribution.deleted ?? []) {
      const group = groupOf(attribution.sources[gone.source], by, now) ?? nobody(by);
      if (hidden.has(group.id) || gone.pos > length) continue;
      ranges.push(Decoration.widget({ widget: new DeletedRun(gone.text, group.code, tone(group), t("source.deleted", { label: group.label }), gone.pos), side: -1 }).range(gone.pos));
    }
  }
  return Decoration.set(ranges, true);
}

export const attributionField = StateField.define<Shown>({
  create: () => ({ attribution: null, by: "meeting", hidden: new Set(), deleted: false, labels: true, selected: null, decorations: Decoration.none }),
  update(value, tr) {
    // the text has moved on: what was coloured stays coloured until the server has counted anew
    if (tr.docChanged) value = { ...value, decorations: value.decorations.map(tr.changes) };
    for (const effect of tr.effects) {
      if (effect.is(showAttribution)) {
        value = { ...value, ...effect.value };
        value.decorations = decorate(value, tr.newDoc);
      }
    }
    return value;
  },
  provide: field => EditorView.decorations.from(field, value => value.decorations),
});

/** Colours the text and tells of the run that was asked for: its position, and whether its words are deleted ones. */
export function sourcesShown(onRun: (pos: number, deleted: boolean) => void): Extension {
  const open = (target: EventTarget | null): boolean => {
    const hit = (target as Element).closest<HTMLElement>("[data-run], [data-deleted]");
    if (!hit) return false;
    onRun(Number(hit.dataset["run"] ?? hit.dataset["deleted"]), hit.dataset["deleted"] !== undefined);
    return true;
  };
  const isDeleted = (target: EventTarget | null) => (target as Element).closest("[data-deleted]") !== null;
  return [
    attributionField,
    EditorView.domEventHandlers({
      click(event, view) {
        if (isDeleted(event.target)) return open(event.target);
        const pos = view.posAtCoords({ x: event.clientX, y: event.clientY });
        if (pos === null) return open(event.target);
        if (pos < view.state.doc.length) onRun(pos, false);
        return false;
      },
      keydown(event) {
        return (event.key === "Enter" || event.key === " ") && open(event.target);
      },
    }),
  ];
}
