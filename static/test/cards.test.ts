/// <reference types="node" />
// Where the cards stand.
import assert from "node:assert/strict";
import { test } from "node:test";
import { levels } from "../src/cards";
import { seeded } from "./seeded";

const box = (want: number, height = 50) => ({ want, height });

test("cards with room stand level with their words", () => {
  assert.deepEqual(levels([box(100), box(300)], -1, 0), [100, 300]);
});

test("a card gives way downwards when none is chosen", () => {
  assert.deepEqual(levels([box(100), box(110), box(120)], -1, 0), [100, 158, 216]);
});

test("the chosen card is level, those above give way upwards, those below downwards", () => {
  assert.deepEqual(levels([box(190), box(200), box(210)], 1, 0), [142, 200, 258]);
});

test("a chosen card at the top leaves room for the head and the cards above it", () => {
  assert.deepEqual(levels([box(0), box(5)], 1, 30), [30, 88]);
});

test("in every case none lies over another, none over the head, and the chosen one is level where it can be", () => {
  for (let seed = 0; seed < 3000; seed++) {
    const random = seeded(seed);
    const roof = random(60);
    const boxes = Array.from({ length: 1 + random(7) }, () => box(random(500), 20 + random(90))).sort((a, b) => a.want - b.want);
    const chosen = random(boxes.length + 1) - 1;
    const y = levels(boxes, chosen, roof);
    assert.equal(y.length, boxes.length, `seed ${seed}`);
    boxes.forEach((_, i) => {
      const floor = i === 0 ? roof : y[i - 1]! + boxes[i - 1]!.height + 8;
      assert.ok(y[i]! >= floor, `seed ${seed}: card ${i} lies over what is above it`);
    });
    if (chosen >= 0) {
      const room = boxes.slice(0, chosen).reduce((sum, each) => sum + each.height + 8, roof);
      assert.equal(y[chosen], Math.max(boxes[chosen]!.want, room), `seed ${seed}: the chosen card is not level`);
    }
  }
});
