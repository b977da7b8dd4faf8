// A stream as this browser knows it: the confirmed text at a version, brought forward one stored update at a time.
//
// A replica never holds what is not stored; what is typed and not yet stored lives in the editor's collab field
// (editing.ts). Positions that come for an older version are carried over the updates since.
import { ChangeSet, type ChangeDesc, MapMode, Text } from "@codemirror/state";
import { Refusal, type Joined, type UpdatesMessage, type WireUpdate } from "./wire";
import type { Line } from "./line";

export interface Arrival {
  update: WireUpdate;
  changes: ChangeSet;
}

// positions older than this many versions are not carried: the message that names them is then asked for again
const KEPT = 2000;

export class Replica {
  version = 0;
  text: Text = Text.empty;
  joined: Joined | null = null;
  /** no longer usable: the stream is gone, or may not be read any more */
  refused: Refusal | null = null;
  /** hears that a stream that was open may not be entered again */
  onRefused: ((refusal: Refusal) => void) | null = null;
  private readonly recent: ChangeDesc[] = [];
  private readonly listeners = new Set<(arrivals: Arrival[]) => void>();
  private readonly joinListeners = new Set<(joined: Joined, fresh: boolean) => void>();
  private pulling: Promise<void> | null = null;
  private readonly offs: (() => void)[];
  private closed = false;

  constructor(
    readonly line: Line,
    readonly stream: number,
  ) {
    this.offs = [
      line.on("updates", (message: UpdatesMessage) => {
        if (message.stream === this.stream) this.receive(message);
      }),
      line.onState(state => {
        if (state !== "open" || !this.joined) return;
        this.join().catch((error: unknown) => {
          if (error instanceof Refusal && !error.isPassing) this.onRefused?.(error);
        });
      }),
    ];
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    for (const off of this.offs) off();
    if (this.line.state === "open") void this.line.request("leave", { stream: this.stream }).catch(() => {});
  }

  onUpdates(listener: (arrivals: Arrival[]) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  onJoin(listener: (joined: Joined, fresh: boolean) => void): () => void {
    this.joinListeners.add(listener);
    return () => this.joinListeners.delete(listener);
  }

  /** Enters the room; the whole text the first time, what is missing after that. Raises Refusal. */
  async join(): Promise<Joined> {
    const first = this.joined === null;
    let joined: Joined;
    try {
      joined = await this.line.request<Joined>("join", first ? { stream: this.stream } : { stream: this.stream, version: this.version });
    } catch (error) {
      if (error instanceof Refusal && !error.isPassing) this.refused = error;
      throw error;
    }
    if (joined.text !== undefined && first) {
      this.version = joined.version;
      this.text = Text.of(joined.text.split("\n"));
    }
    this.joined = joined;
    if (!first && joined.updates) {
      this.receive({ stream: this.stream, version: joined.version - joined.updates.length, updates: joined.updates });
    }
    // too far behind for the answer to hold the updates: they are asked for by themselves
    if (!first && !joined.updates && joined.version > this.version) await this.pull();
    for (const listener of this.joinListeners) listener(joined, first);
    return joined;
  }

  /** Applies what is new in a message; asks for what is missing before it. */
  receive(message: UpdatesMessage): void {
    if (!this.joined) return;
    const skip = this.version - message.version;
    if (skip < 0) {
      void this.pull();
      return;
    }
    const arrivals: Arrival[] = [];
    for (const update of message.updates.slice(skip)) {
      const changes = ChangeSet.fromJSON(update.changes);
      this.text = changes.apply(this.text);
      this.version += 1;
      this.recent.push(changes.desc);
      arrivals.push({ update, changes });
    }
    if (this.recent.length > KEPT) this.recent.splice(0, this.recent.length - KEPT);
    if (arrivals.length) for (const listener of this.listeners) listener(arrivals);
  }

  /** Asks for the updates since the own version. */
  pull(): Promise<void> {
    this.pulling ??= this.line
      .request<UpdatesMessage>("pull", { stream: this.stream, version: this.version })
      .then(answer => this.receive({ stream: this.stream, version: answer.version - answer.updates.length, updates: answer.updates }))
      .catch(error => {
        if (error instanceof Refusal && !error.isPassing) this.refused = error;
      })
      .finally(() => (this.pulling = null));
    return this.pulling;
  }

  /** Where a position of an earlier version lies now; null when that version is too old, or ahead of this replica. */
  map(pos: number, version: number, assoc: number): number | null {
    const back = this.version - version;
    if (back < 0 || back > this.recent.length) return null;
    let at: number | null = pos;
    for (const changes of back ? this.recent.slice(-back) : []) {
      if (at === null || at > changes.length) return null;
      at = changes.mapPos(at, assoc, MapMode.Simple);
    }
    return at !== null && at <= this.text.length ? at : null;
  }
}
