// From the server's positions to the editor's, and back. One function a direction; nothing else in the browser
// converts a position.
import { sendableUpdates } from "@codemirror/collab";
import type { ChangeDesc } from "@codemirror/state";
import type { EditorView } from "@codemirror/view";
import type { Replica } from "./replica";
import { type OwnHunk, ownHunks, toBranch } from "./suggestions";

/** Where a position of a branch text lies in main; null inside words that main does not have. */
export function fromBranch(pos: number, hunks: readonly OwnHunk[], assoc: number): number | null {
  let shift = 0;
  for (const hunk of hunks) {
    if (pos < hunk.from || (pos === hunk.from && (assoc < 0 || hunk.to === hunk.from))) break;
    if (pos < hunk.to || (pos === hunk.to && assoc < 0)) return null;
    shift += hunk.to - hunk.from - hunk.ground.length;
  }
  return pos - shift;
}

export interface Streams {
  main: Replica;
  /** the own suggestion's, when the editor holds its text */
  branch: Replica | null;
}

/** A stored position as the editor has it now; null when it cannot be said (yet). */
export function toEditor(view: EditorView, { main, branch }: Streams, stream: number, pos: number, version: number, assoc: number): number | null {
  const typed = (at: number | null) =>
    at === null ? null : sendableUpdates(view.state).reduce((now, update) => update.changes.mapPos(now, assoc), at);
  let at: number | null;
  if (branch && stream === branch.stream) at = typed(branch.map(pos, version, assoc));
  else if (stream !== main.stream) return null;
  else if (branch) {
    const there = main.map(pos, version, assoc);
    at = there === null ? null : toBranch(there, view.state.field(ownHunks, false) ?? [], assoc);
  } else at = typed(main.map(pos, version, assoc));
  return at === null || at > view.state.doc.length ? null : at;
}

/** A position of the editor in the stored text of the stream that it writes to. */
export function toStored(view: EditorView, pos: number, assoc: number): number {
  const typed = sendableUpdates(view.state).reduce<ChangeDesc | null>((all, update) => (all ? all.composeDesc(update.changes) : update.changes.desc), null);
  return typed ? typed.invertedDesc.mapPos(pos, assoc) : pos;
}

/** A position of the editor in main as it is stored; null inside one's own proposed words. */
export function toMain(view: EditorView, { branch }: Streams, pos: number, assoc: number): number | null {
  if (!branch) return toStored(view, pos, assoc);
  return fromBranch(pos, view.state.field(ownHunks, false) ?? [], assoc);
}
