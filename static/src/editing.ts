// Typing into a stream: CodeMirror's collab over a replica.
//
// What is typed is sent at once, one push at a time; it counts as stored when it comes back in the stream's order.
// Both ends carry changes over one stored change at a time (law 4), so every stored update is received by itself
// while something is unconfirmed. The sequence number of an update is its place among all that this client ever
// made on the stream; the order of unconfirmed updates never changes, so the numbers hold across resends.
import { collab, getSyncedVersion, receiveUpdates, sendableUpdates } from "@codemirror/collab";
import { EditorState, type Extension, StateEffect, Transaction } from "@codemirror/state";
import { type EditorView, ViewPlugin, type ViewUpdate } from "@codemirror/view";
import type { Arrival, Replica } from "./replica";
import { Refusal, type WireUpdate } from "./wire";

/** Comes with every foreign update: who made it and what it was. */
export const arrived = StateEffect.define<WireUpdate>();

/** failing: the server has a trouble of its own; the same is sent again */
export type Saving = "saved" | "saving" | "unsent" | "failing";

export interface Writing {
  /** unique per open editor, as collab's clientID */
  client: string;
  /** how many updates of this client the stream already holds */
  confirmed: number;
  /** on whose behalf, at the moment of sending */
  origins: () => number[];
  onSaving: (saving: Saving, unsent: number) => void;
  /** code units that a section may have */
  limit: number;
  /** what was to be put in would have made it longer; nothing was */
  onFull: () => void;
  /** the server will never take what is unconfirmed */
  onRefused: (refusal: Refusal) => void;
  onChange: (view: EditorView, confirmed: number) => void;
  /** what was typed is not for this stream: nothing is sent, `onHeld` hears of the first of it */
  onHeld?: () => void;
}

// one message never holds more than this many updates: an hour offline goes in steps
const BATCH = 200;
// nor many more characters than this; the server ends a line that sends two million at once
const BATCH_SIZE = 600_000;
// a server in trouble (its disk is full, its database is away) is left alone for so long
const TROUBLE = 2000;
// an acknowledged update that has not come back by then is asked for
const RETURN = 3000;

export const newClient = (): string => crypto.getRandomValues(new Uint32Array(3)).reduce((id, part) => id + part.toString(36), "");

export function unconfirmedUpdates(view: EditorView, confirmed: number, client: string): WireUpdate[] {
  return sendableUpdates(view.state).map((update, i) => ({ client, sequence: confirmed + i + 1, changes: update.changes.toJSON() }));
}

/** The first of the updates that go in one message: at least one, and what follows as far as the message stays small. */
export function batch(updates: readonly WireUpdate[]): WireUpdate[] {
  let size = 0;
  const taken = updates.slice(0, BATCH);
  const end = taken.findIndex((update, i) => (size += JSON.stringify(update.changes).length) > BATCH_SIZE && i > 0);
  return end < 0 ? taken : taken.slice(0, end);
}

export function editing(replica: Replica, writing: Writing): Extension {
  class Pusher {
    confirmed = writing.confirmed;
    private sending = false;
    /** the last sequence that the server has said to have stored */
    private acknowledged = 0;
    private stopped = false;
    private failing = false;
    private late: ReturnType<typeof setTimeout> | undefined;
    private readonly offs: (() => void)[];

    constructor(readonly view: EditorView) {
      this.offs = [
        replica.onUpdates(arrivals => this.receive(arrivals)),
        replica.onJoin(() => {
          this.acknowledged = 0;
          this.push();
        }),
        replica.line.onState(() => this.tell()),
      ];
      // updates that came between the making of this editor and now
      queueMicrotask(() => {
        if (!this.stopped && sendableUpdates(this.view.state).length) this.push();
        this.tell();
      });
    }

    update(update: ViewUpdate): void {
      if (!update.docChanged) return;
      const remote = update.transactions.every(tr => tr.effects.some(effect => effect.is(arrived)) || !tr.docChanged);
      if (!remote) {
        if (writing.onHeld) writing.onHeld();
        else queueMicrotask(() => this.push());
      }
      queueMicrotask(() => {
        if (this.stopped) return;
        this.tell();
        writing.onChange(this.view, this.confirmed);
      });
    }

    private tell(): void {
      if (this.stopped) return;
      const unsent = sendableUpdates(this.view.state).length;
      const closed = replica.line.state !== "open";
      writing.onSaving(unsent === 0 || writing.onHeld ? "saved" : closed ? "unsent" : this.failing ? "failing" : "saving", unsent);
    }

    private receive(arrivals: Arrival[]): void {
      if (this.stopped) return;
      const updates = arrivals.map(({ update, changes }) => ({
        clientID: update.client,
        changes,
        effects: update.client === writing.client ? [] : [arrived.of(update)],
      }));
      this.confirmed += arrivals.filter(({ update }) => update.client === writing.client).length;
      // with nothing of one's own in between, a composition gives the same text and one redraw
      if (sendableUpdates(this.view.state).length === 0) this.view.dispatch(receiveUpdates(this.view.state, updates));
      else for (const update of updates) this.view.dispatch(receiveUpdates(this.view.state, [update]));
      clearTimeout(this.late);
      this.tell();
      writing.onChange(this.view, this.confirmed);
      if (sendableUpdates(this.view.state).length) this.push();
    }

    push(): void {
      if (writing.onHeld || this.stopped || this.sending || this.acknowledged > this.confirmed) return;
      if (sendableUpdates(this.view.state).length === 0 || replica.line.state !== "open") return;
      this.sending = true;
      const updates = batch(unconfirmedUpdates(this.view, this.confirmed, writing.client));
      replica.line
        .request<{ version: number }>("push", {
          stream: replica.stream,
          version: getSyncedVersion(this.view.state),
          updates,
          origins: writing.origins(),
        })
        .then(
          () => {
            this.failing = false;
            // stored; it leaves the unconfirmed when it comes back in the stream's order
            this.acknowledged = updates.at(-1)!.sequence;
            clearTimeout(this.late);
            if (this.acknowledged > this.confirmed) this.late = setTimeout(() => void this.fetch(), RETURN);
          },
          async (error: unknown) => {
            if (!(error instanceof Refusal)) throw error;
            if (error.code === "version_conflict") await replica.pull();
            else if (error.code === "internal") {
              this.failing = true;
              this.tell();
              await new Promise(resolve => setTimeout(resolve, TROUBLE));
            } else if (!error.isPassing) {
              this.stopped = true;
              writing.onRefused(error);
            } else if (replica.line.state === "open") await new Promise(resolve => setTimeout(resolve, 1000));
          },
        )
        .finally(() => {
          this.sending = false;
          if (this.stopped) return;
          this.push();
          this.tell();
        });
    }

    private async fetch(): Promise<void> {
      await replica.pull();
      this.acknowledged = 0;
      this.push();
    }

    destroy(): void {
      this.stopped = true;
      clearTimeout(this.late);
      for (const off of this.offs) off();
    }
  }

  return [collab({ startVersion: replica.version, clientID: writing.client }), within(writing), ViewPlugin.fromClass(Pusher)];
}

/** Nothing is put into a text that would become longer than a section may be: the server would refuse it for good. */
function within(writing: Writing): Extension {
  return EditorState.changeFilter.of(tr => {
    const { length, newLength } = tr.changes;
    if (tr.annotation(Transaction.remote) || newLength <= writing.limit || newLength <= length) return true;
    queueMicrotask(() => writing.onFull());
    return false;
  });
}

/** Follows a stream without writing: the editor's text is the replica's. */
export function following(replica: Replica): Extension {
  return editing(replica, {
    client: `reader-${newClient()}`,
    confirmed: 0,
    origins: () => [],
    onSaving: () => {},
    limit: Infinity,
    onFull: () => {},
    onRefused: () => {},
    onChange: () => {},
  });
}
