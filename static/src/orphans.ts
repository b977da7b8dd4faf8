// Remarks whose words went away under one's eyes, or came back: whether such a remark is an orphan the server says, so
// its card is fetched again, once the change that did it is stored.
import type { ViewUpdate } from "@codemirror/view";
import { annotationsField, NEW } from "./annotations";

// a change, its storing and its way to the server's anchors take less than this
const SETTLED = 400;

export class Orphans {
  /** words gone just now */
  private readonly gone = new Set<number>();
  /** words gone for longer; true: they read in the text again and that was asked about */
  private readonly orphans = new Map<number, { quote: string; isBack: boolean }>();
  /** changes of the text so far, and how many there were when a card was asked for */
  private changes = 0;
  private readonly asked = new Map<number, number>();
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    readonly isStored: () => boolean,
    readonly text: () => string,
    readonly ask: (annotation: number) => Promise<void>,
  ) {}

  update(update: ViewUpdate): void {
    if (!update.docChanged) return;
    this.changes++;
    const before = update.startState.field(annotationsField, false)?.all;
    const after = update.state.field(annotationsField, false)?.all;
    if (before && after) for (const id of before.keys()) if (id !== NEW && !after.has(id)) this.gone.add(id);
    if (this.gone.size || this.orphans.size) this.later();
  }

  /** What a card says: an orphan with the words it was about, or a remark that has its place. */
  told(id: number, quote: string | null): void {
    if (quote === null) {
      this.orphans.delete(id);
      return;
    }
    // what came while the answer was on its way may have brought the words back
    const isOld = this.asked.has(id) && this.asked.get(id) !== this.changes;
    this.orphans.set(id, { quote, isBack: !isOld && this.text().includes(quote) });
    if (isOld) this.later();
  }

  private later(): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.look(), SETTLED);
  }

  private async look(): Promise<void> {
    if (!this.isStored()) return this.later();
    const asked = [...this.gone];
    this.gone.clear();
    const text = this.orphans.size ? this.text() : "";
    for (const [id, orphan] of this.orphans) {
      const isBack = orphan.quote !== "" && text.includes(orphan.quote);
      if (isBack && !orphan.isBack) asked.push(id);
      orphan.isBack = isBack;
    }
    for (const id of asked) {
      this.asked.set(id, this.changes);
      await this.ask(id);
    }
  }
}
