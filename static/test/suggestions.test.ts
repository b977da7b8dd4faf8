/// <reference types="node" />
// The laws of the own hunks: applying them backwards gives main again; positions go there and back.
import assert from "node:assert/strict";
import { test } from "node:test";
import { ChangeSet, Text } from "@codemirror/state";
import { fromBranch } from "../src/places";
import { hunksAfter, type OwnHunk, type Placed, rivals, toBranch } from "../src/suggestions";
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

test("the text marks as rivals what the server calls a clash, and nothing else", () => {
  const doc = Text.of(["Miasto sadzi 100 drzew i krzewy."]);
  const hunk = (from: number, to: number, text: string) => ({ id: 1, from, to, text, baseChanged: false });
  const marked = (...hunks: ReturnType<typeof hunk>[]) =>
    rivals(new Map(hunks.map((each, i) => [i + 1, { meta: { suggestion: i + 1 } as Placed["meta"], live: false, hunks: [each] }])), doc).size;
  const at = "Miasto sadzi 100 drzew".length;
  assert.equal(marked(hunk(13, 16, "250"), hunk(13, 16, "150")), 2, "two numbers for one");
  assert.equal(marked(hunk(13, 16, "250"), hunk(13, 16, "250")), 0, "the same wording");
  assert.equal(marked(hunk(13, 22, ""), hunk(17, 24, "")), 0, "two deletions share what both delete");
  assert.equal(marked(hunk(at, at, " rodzimych"), hunk(at, at, " liściastych")), 0, "two insertions with a blank between");
  assert.equal(marked(hunk(at, at, ","), hunk(at, at, ";")), 2, "two insertions without a blank between");
  assert.equal(marked(hunk(13, 22, "sto"), hunk(17, 17, "młodych ")), 2, "an insertion inside what another replaces");
  assert.equal(marked(hunk(0, 6, "Gmina"), hunk(13, 16, "250")), 0, "far from one another");
});
