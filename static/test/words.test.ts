/// <reference types="node" />
// The form in which a replacement is kept and shown: whole words and numbers.
import { test } from "node:test";
import assert from "node:assert/strict";
import { ChangeSet, Text } from "@codemirror/state";
import { hunksAfter } from "../src/suggestions";
import { wholeWords } from "../src/words";

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
