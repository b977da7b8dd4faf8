/// <reference types="node" />
// The laws of the own hunks: applying them backwards gives main again; positions go there and back.
import assert from "node:assert/strict";
import { test } from "node:test";
import { ChangeSet, Text } from "@codemirror/state";
import { fromBranch } from "../src/places";
import { hunksAfter, type OwnHunk, toBranch } from "../src/suggestions";
import { crowded, seeded } from "./seeded";

/** Main as the hunks say it: each range of the branch text with its ground in its place. */
function mainOf(branch: Text, hunks: readonly OwnHunk[]): string {
  let main = "";
  let pos = 0;
  for (const hunk of hunks) {
    main += branch.sliceString(pos, hunk.from) + hunk.ground;
    pos = hunk.to;
  }
  return main + branch.sliceString(pos);
}

function typed(doc: Text, hunks: readonly OwnHunk[], spec: { from: number; to?: number; insert?: string }): [Text, OwnHunk[]] {
  const changes = ChangeSet.of({ ...spec, insert: Text.of((spec.insert ?? "").split("\n")) }, doc.length);
  const newDoc = changes.apply(doc);
  return [newDoc, hunksAfter(hunks, { changes, newDoc, startState: { doc } })];
}

const cuts = (text: string, pos: number) => /[\ud800-\udbff]/.test(text[pos - 1] ?? "") && /[\udc00-\udfff]/.test(text[pos] ?? "");

test("typing a word into a number is one hunk of whole words", () => {
  const [, hunks] = typed(Text.of(["Posadzi 100 drzew."]), [], { from: 9, to: 10, insert: "5" });
  assert.deepEqual(hunks, [{ from: 8, to: 11, ground: "100" }]);
});

test("what is typed and taken back leaves no hunk", () => {
  const [doc, hunks] = typed(Text.of(["Posadzi drzewa."]), [], { from: 8, insert: "wiele " });
  assert.equal(hunks.length, 1);
  assert.deepEqual(typed(doc, hunks, { from: 8, to: 14 })[1], []);
});

test("law 6: putting the ground in the place of every hunk gives main, after any typing", () => {
  for (let seed = 0; seed < 4000; seed++) {
    const random = seeded(seed);
    const main = crowded(random);
    let doc = Text.of(main.split("\n"));
    let hunks: OwnHunk[] = [];
    for (let step = 0; step < 6; step++) {
      const text = doc.toString();
      let from = random(doc.length + 1);
      let to = Math.min(doc.length, from + random(4));
      if (cuts(text, from)) from--;
      if (cuts(text, to)) to++;
      [doc, hunks] = typed(doc, hunks, { from, to, insert: crowded(random, 2) });
      assert.equal(mainOf(doc, hunks), main, `seed ${seed}, step ${step}`);
      hunks.forEach((hunk, i) => {
        assert.ok(hunk.from <= hunk.to && (i === 0 || hunks[i - 1]!.to <= hunk.from), `seed ${seed}: hunks lie over each other`);
        assert.ok(hunk.ground !== "" || hunk.to > hunk.from, `seed ${seed}: a hunk that changes nothing`);
      });
    }
  }
});

test("a position of main outside the hunks goes to the branch and back", () => {
  for (let seed = 0; seed < 4000; seed++) {
    const random = seeded(seed);
    let doc = Text.of(crowded(random).split("\n"));
    let hunks: OwnHunk[] = [];
    const main = doc.length;
    for (let step = 0; step < 3; step++) {
      const text = doc.toString();
      let from = random(doc.length + 1);
      if (cuts(text, from)) from--;
      [doc, hunks] = typed(doc, hunks, { from, insert: crowded(random, 2) });
    }
    let last = 0;
    for (let pos = 0; pos <= main; pos++) {
      for (const assoc of [-1, 1]) {
        const there = toBranch(pos, hunks, assoc);
        assert.ok(there >= 0 && there <= doc.length, `seed ${seed}: ${pos} lies outside the branch`);
        if (assoc === 1) {
          assert.ok(there >= last, `seed ${seed}: two positions change places`);
          last = there;
        }
        const inside = hunks.some(hunk => there >= hunk.from && there <= hunk.to);
        if (!inside) assert.equal(fromBranch(there, hunks, assoc), pos, `seed ${seed}, ${pos}`);
      }
    }
  }
});

test("words that main does not have have no place in it", () => {
  const [, hunks] = typed(Text.of(["ab cd"]), [], { from: 3, insert: "nowe " });
  assert.equal(fromBranch(5, hunks, 1), null);
  assert.equal(fromBranch(8, hunks, 1), 3);
});
