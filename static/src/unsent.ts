// Keeps what an editor has not stored yet: at once when there is no line, else when storing takes long.
import { sendableUpdates } from "@codemirror/collab";
import type { EditorView } from "@codemirror/view";
import { type Fate, forget, keep, type Kept, leftBehind, resend } from "./keep";
import type { Line } from "./line";
import { type Draft, t } from "./wire";

// with a line an update is stored in milliseconds; what takes this long is kept
const SLOW = 2000;
const QUICK = 150;

export class Unsent {
  private timer: ReturnType<typeof setTimeout> | undefined;
  private kept: Kept | null = null;
  private make: (() => Kept) | null = null;
  private view: EditorView | null = null;

  constructor(
    readonly isOpen: () => boolean,
    readonly onFull: () => void,
  ) {
    addEventListener("pagehide", () => this.now());
  }

  /** After every change; `make` makes the record of what is unconfirmed. */
  changed(view: EditorView, make: () => Kept): void {
    this.view = view;
    this.make = make;
    if (!sendableUpdates(view.state).length) {
      this.done();
      return;
    }
    this.timer ??= setTimeout(
      () => {
        this.timer = undefined;
        this.now();
      },
      this.isOpen() ? SLOW : QUICK,
    );
  }

  /** Everything is stored, or the editor is another one. */
  done(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.make = null;
    if (this.kept) forget(this.kept);
    this.kept = null;
  }

  now(): void {
    if (!this.view || !this.make || !sendableUpdates(this.view.state).length) return;
    const record = this.make();
    if (keep(record)) this.kept = record;
    else this.onFull();
  }

  /** The record for somebody else to send: from here on it is theirs. */
  handOver(): Kept | null {
    if (!this.make) return null;
    const record = this.make();
    keep(record);
    clearTimeout(this.timer);
    this.timer = undefined;
    this.kept = null;
    this.make = null;
    return record;
  }
}

/** Tells what became of words that an editor had left behind. */
export function tellFate(fate: Fate, notice: (words: string) => void): void {
  if (fate.kind === "sent") {
    if (fate.count) notice(t("kept.sent"));
  } else if (fate.kind === "suggested") notice(t("kept.suggested", { number: fate.suggestion.number }));
  else {
    const dialog = document.querySelector<HTMLDialogElement>("#kept-words");
    if (!dialog) return;
    dialog.querySelector("[data-why]")!.textContent = fate.refusal.message;
    dialog.querySelector("textarea")!.value = fate.words.join("\n\n");
    dialog.addEventListener("close", () => dialog.returnValue === "forget" && forget(fate.record), { once: true });
    if (!dialog.open) dialog.showModal();
  }
}

/** Sends what editors that are gone left unsent, and tells what became of it; returns the last draft that it was put into. */
export async function sendLeftBehind(line: Line, user: number, section: number, notice: (words: string) => void): Promise<Draft | null> {
  let draft: Draft | null = null;
  for (const record of await leftBehind(user, section)) {
    const fate = await resend(line, record);
    if (fate.kind === "suggested") draft = { ...fate.suggestion, state: "draft" };
    tellFate(fate.kind === "suggested" && record.kind === "held" ? { kind: "sent", count: 1 } : fate, notice);
  }
  return draft;
}
