// What goes in one message: in order, at least one, never much.
import assert from "node:assert/strict";
import { test } from "node:test";
import { batch } from "../src/editing";

const update = (sequence: number, length: number) => ({ client: "c", sequence, changes: [5, [0, "x".repeat(length)]] });

test("a batch is the first updates, at most two hundred", () => {
  const all = Array.from({ length: 500 }, (_, i) => update(i + 1, 1));
  assert.deepEqual(batch(all), all.slice(0, 200));
  assert.deepEqual(batch(all.slice(0, 3)), all.slice(0, 3));
  assert.deepEqual(batch([]), []);
});

test("long pastes go in messages of their own, none is left out", () => {
  const all = [update(1, 290_000), update(2, 290_000), update(3, 290_000), update(4, 900_000), update(5, 1), update(6, 1)];
  const sent = [];
  for (let rest = all; rest.length; ) {
    const first = batch(rest);
    assert.ok(first.length > 0);
    assert.ok(first.length === 1 || JSON.stringify(first).length < 700_000);
    sent.push(first.length);
    rest = rest.slice(first.length);
  }
  assert.deepEqual(sent, [2, 1, 1, 2]);
});
