// The own suggestion's hunks as ranges of its branch text, made from what the server says or from the two texts.
import { differenceOf } from "./keep";
import type { Replica } from "./replica";
import type { OwnHunk } from "./suggestions";
import type { Hunks } from "./wire";

/** `told` may be missing, or of another moment than the two texts: then their difference says it. */
export function hunksBetween(main: Replica, branch: Replica, told: Hunks | undefined): OwnHunk[] {
  return (told && told.version <= main.version ? asTold(main, branch, told) : null) ?? byDifference(main, branch);
}

function asTold(main: Replica, branch: Replica, told: Hunks): OwnHunk[] | null {
  const made: OwnHunk[] = [];
  let shift = 0;
  for (const hunk of told.hunks.filter(each => each.state === "open").sort((a, b) => a.start - b.start)) {
    const start = main.map(hunk.start, told.version, 1);
    const end = main.map(hunk.end, told.version, -1);
    if (start === null || end === null || end < start) return null;
    const from = start + shift;
    const to = from + hunk.text.length;
    if (branch.text.sliceString(from, to) !== hunk.text) return null;
    made.push({ from, to, ground: main.text.sliceString(start, end) });
    shift += hunk.text.length - (end - start);
  }
  return branch.text.length === main.text.length + shift ? made : null;
}

function byDifference(main: Replica, branch: Replica): OwnHunk[] {
  const made: OwnHunk[] = [];
  differenceOf(main.text, branch.text).iterChanges((fromA, toA, fromB, toB) => {
    made.push({ from: fromB, to: toB, ground: main.text.sliceString(fromA, toA) });
  });
  return made;
}
