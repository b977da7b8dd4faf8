/// <reference types="node" />
// The laws of the own hunks: applying them backwards gives main again, whatever is typed; positions go there and back.
import { test } from "node:test";
import assert from "node:assert/strict";
import { ChangeSet, Text } from "@codemirror/state";
import { fromBranch } from "../src/places";
import { hunksAfter, toBranch, type OwnHunk } from "../src/suggestions";
import { wholeWords } from "../src/words";

/** Small, seeded, and the same everywhere. */
function random(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

const ground = (doc: Text, hunks: readonly OwnHunk[]): string => {
  let made = "";
  let pos = 0;
  for (const hunk of hunks) {
    made += doc.sliceString(pos, hunk.from) + hunk.ground;
    pos = hunk.to;
  }
  return made + doc.sliceString(pos);
};

test("branch = hunks(main): whatever is typed, taking the hunks back gives main", () => {
  const pieces = ["a", "b", " ", "1", "0", ".", "\n", "ą", "🌳", "drzew "];
  for (let seed = 1; seed <= 2000; seed++) {
    const next = random(seed);
    const pick = () => pieces[Math.floor(next() * pieces.length)]!;
    const main = Array.from({ length: Math.floor(next() * 8) }, pick).join("");
    let doc = Text.of(main.split("\n"));
    let hunks: OwnHunk[] = [];
    for (let step = 0; step < 8; step++) {
      const whole = doc.toString();
      const cut = (at: number) => (/[\udc00-\udfff]/.test(whole[at] ?? "") ? at + 1 : at);
      const a = cut(Math.floor(next() * (doc.length + 1)));
      const b = cut(Math.floor(next() * (doc.length + 1)));
      const [from, to] = [Math.min(a, b), Math.min(Math.max(a, b), Math.min(a, b) + 5)];
      const end = cut(to);
      const insert = next() < 0.3 ? "" : pick();
      const changes = ChangeSet.of({ from, to: end, insert: Text.of(insert.split("\n")) }, doc.length);
      const newDoc = changes.apply(doc);
      hunks = hunksAfter(hunks, { changes, newDoc, startState: { doc } });
      doc = newDoc;
      assert.equal(ground(doc, hunks), main, `seed ${seed}, step ${step}: ${JSON.stringify({ doc: doc.toString(), hunks })}`);
      for (let i = 1; i < hunks.length; i++) assert.ok(hunks[i]!.from >= hunks[i - 1]!.to, `seed ${seed}: hunks overlap`);
      for (let pos = 0; pos <= main.length; pos++) {
        const there = toBranch(pos, hunks, -1);
        const back = fromBranch(there, hunks, -1);
        assert.ok(there >= 0 && there <= doc.length, `seed ${seed}: ${pos} → ${there}`);
        if (back !== null && !hunks.some(hunk => there >= hunk.from && there <= hunk.to)) assert.equal(back, pos, `seed ${seed}: ${pos} → ${there} → ${back}`);
      }
    }
  }
});

test("100→150, never 0→5", () => {
  const doc = Text.of(["sadzi 150 drzew"]);
  assert.deepEqual(wholeWords({ from: 7, to: 8, ground: "0" }, doc), { from: 6, to: 9, ground: "100" });
});

test("a word that is typed over is one change", () => {
  const before = Text.of(["spacery badawcze"]);
  const first = ChangeSet.of({ from: 0, to: 7 }, before.length);
  let doc = first.apply(before);
  let hunks = hunksAfter([], { changes: first, newDoc: doc, startState: { doc: before } });
  for (const [i, letter] of [..."wyjścia"].entries()) {
    const changes = ChangeSet.of({ from: i, insert: letter }, doc.length);
    const newDoc = changes.apply(doc);
    hunks = hunksAfter(hunks, { changes, newDoc, startState: { doc } });
    doc = newDoc;
  }
  assert.deepEqual(hunks, [{ from: 0, to: 7, ground: "spacery" }]);
});
