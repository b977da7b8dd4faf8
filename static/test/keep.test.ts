/// <reference types="node" />
// What keeps words: differences, passages, addresses.
import assert from "node:assert/strict";
import { test } from "node:test";
import { ChangeSet, Text } from "@codemirror/state";
import { inward } from "../src/annotations";
import { differenceOf } from "../src/keep";
import { asAddress, isAddress, withScheme } from "../src/markdown";
import { crowded, seeded } from "./seeded";

test("the difference of two texts makes one of the other, and cuts no drawn character", () => {
  for (let seed = 0; seed < 3000; seed++) {
    const random = seeded(seed);
    const [a, b] = [Text.of(crowded(random).split("\n")), Text.of(crowded(random).split("\n"))];
    const changes = differenceOf(a, b);
    assert.equal(changes.apply(a).toString(), b.toString(), `seed ${seed}`);
    changes.iterChanges((fromA, toA) => {
      for (const pos of [fromA, toA]) {
        const [before, after] = [a.sliceString(pos - 1, pos), a.sliceString(pos, pos + 1)];
        assert.ok(!(/[\ud800-\udbff]/.test(before) && /[\udc00-\udfff]/.test(after)), `seed ${seed}: a pair is cut at ${pos}`);
      }
    });
  }
});

test("a passage moves with its words and is gone with all of them", () => {
  const after = (from: number, to: number, insert: string) => inward(4, 9, ChangeSet.of({ from, to, insert }, 20));
  assert.deepEqual(after(0, 0, "xx"), { from: 6, to: 11 });
  assert.deepEqual(after(4, 4, "xx"), { from: 6, to: 11 });
  assert.deepEqual(after(9, 9, "xx"), { from: 4, to: 9 });
  assert.deepEqual(after(2, 6, ""), { from: 2, to: 5 });
  assert.deepEqual(after(6, 12, "y"), { from: 4, to: 6 });
  assert.equal(after(4, 9, ""), null);
  assert.equal(after(4, 9, "other"), null);
  assert.equal(after(0, 20, ""), null);
});

test("addresses as people write them", () => {
  assert.equal(withScheme(" www.example.org/a b"), "www.example.org/a b");
  assert.equal(withScheme("www.example.org/ab?c=1"), "https://www.example.org/ab?c=1");
  assert.equal(withScheme("https://https://example.org"), "https://example.org");
  assert.equal(withScheme("biuro@example.org"), "mailto:biuro@example.org");
  for (const good of ["https://example.org", "mailto:a@b.pl", "#czesc", "/d/program"]) assert.ok(isAddress(withScheme(good)), good);
  for (const bad of ["javascript:alert(1)", "JAVASCRIPT:alert(1)", "data:text/html,x", "//evil.example", "https://", "słowa"]) {
    assert.ok(!isAddress(withScheme(bad)), bad);
  }
  assert.equal(asAddress("https://example.org/a_(b) c"), "https://example.org/a_%28b%29%20c");
});
