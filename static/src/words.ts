// Whole words: the one form in which a replacement is kept and shown, as engine/words.py has it. Equal ends are taken
// off, then the replacement is widened to the whole words and numbers that it changes (100→150, never 0→5).
import type { Text } from "@codemirror/state";

const WORD = /[\p{L}\p{N}\p{M}]/u;
const DIGIT = /\p{Nd}/u;
const LETTER = /\p{L}/u;

const lastPoint = (units: string) => (/[\udc00-\udfff]$/.test(units) && units.length > 1 ? units.slice(-2) : units.slice(-1));
const firstPoint = (units: string) => (/^[\ud800-\udbff]/.test(units) && units.length > 1 ? units.slice(0, 2) : units.slice(0, 1));

function isInside(separator: string, before: string, after: string): boolean {
  if (/[.,\u00a0\u202f]/.test(separator)) return DIGIT.test(before) && DIGIT.test(after);
  return /['\u2019]/.test(separator) && LETTER.test(before) && LETTER.test(after);
}

/** Whether a word, a number or one drawn character goes on across the seam between two texts; their ends suffice. */
export function runsOn(left: string, right: string): boolean {
  if (!left || !right) return false;
  const [before, after] = [lastPoint(left), firstPoint(right)];
  if (/[\ud800-\udbff]$/.test(left) && /^[\udc00-\udfff]/.test(right)) return true;
  if (before === "\n" || after === "\n") return false;
  if (before === "\u200d" || after === "\u200d" || /^\p{M}/u.test(after) || /^[\u{1f3fb}-\u{1f3ff}]/u.test(after)) return true;
  if (WORD.test(before) && WORD.test(after)) return true;
  return isInside(before, left.at(-2) ?? "", after) || isInside(after, before, right[1] ?? "");
}

/** so many code units beside a seam tell whether something goes on across it */
export const REACH = 3;

/** A range of a text with the words that stood in its place. */
export interface Replacement {
  from: number;
  to: number;
  ground: string;
}

function trimmed({ from, to, ground }: Replacement, doc: Text): Replacement {
  const words = doc.sliceString(from, to);
  const limit = Math.min(words.length, ground.length);
  let front = 0;
  while (front < limit && words[front] === ground[front]) front++;
  if (front && /[\ud800-\udbff]/.test(words[front - 1]!)) front--;
  let back = 0;
  while (back < limit - front && words[words.length - 1 - back] === ground[ground.length - 1 - back]) back++;
  if (back && /[\udc00-\udfff]/.test(words[words.length - back]!)) back--;
  return { from: from + front, to: to - back, ground: ground.slice(front, ground.length - back) };
}

/**
 * The one form of a replacement, or null when it changes nothing. `low` and `high` are how far it may be widened:
 * where the neighbours stand.
 */
export function wholeWords(given: Replacement, doc: Text, low = 0, high = doc.length): Replacement | null {
  const seam = (at: number) => runsOn(doc.sliceString(Math.max(0, at - REACH), at), doc.sliceString(at, at + REACH));
  let now = given;
  for (;;) {
    const core = trimmed(now, doc);
    let { from, to, ground } = core;
    const words = doc.sliceString(from, to);
    if (!words && !ground) return null;
    const after = doc.sliceString(to, to + REACH);
    const before = doc.sliceString(Math.max(0, from - REACH), from);
    if (from > low && (runsOn(before, words + after) || runsOn(before, ground + after))) {
      let stop = from - 1;
      while (stop > low && seam(stop)) stop--;
      ground = doc.sliceString(stop, from) + ground;
      from = stop;
    }
    if (to < high && (runsOn(before + words, after) || runsOn(before + core.ground, after))) {
      let stop = to + 1;
      while (stop < high && seam(stop)) stop++;
      ground += doc.sliceString(to, stop);
      to = stop;
    }
    now = { from, to, ground };
    const again = trimmed(now, doc);
    if (again.from === core.from && again.to === core.to && again.ground === core.ground) return now;
  }
}

/** All in their form, in order; those that come to touch are one. */
export function allWhole(given: readonly Replacement[], doc: Text): Replacement[] {
  const made: Replacement[] = [];
  for (let i = 0; i < given.length; i++) {
    const low = made.at(-1)?.to ?? 0;
    const formed = wholeWords(given[i]!, doc, low, given[i + 1]?.from ?? doc.length);
    if (!formed) continue;
    const last = made.at(-1);
    if (last && last.to === formed.from && runsOn(doc.sliceString(Math.max(0, formed.from - REACH), formed.from) || last.ground, doc.sliceString(formed.from, formed.from + REACH) || formed.ground)) {
      made.pop();
      const joined = wholeWords({ from: last.from, to: formed.to, ground: last.ground + formed.ground }, doc, made.at(-1)?.to ?? 0, given[i + 1]?.from ?? doc.length);
      if (joined) made.push(joined);
    } else made.push(formed);
  }
  return made;
}
