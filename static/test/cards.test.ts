/// <reference types="node" />
// Where the cards stand.
import assert from "node:assert/strict";
import { test } from "node:test";
import { AWAY, levels, SLACK } from "../src/cards";
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

test("cards that have no room above the chosen one are away, and it stays beside its words", () => {
  const y = levels([...Array.from({ length: 40 }, () => box(60)), box(300)], 40, 30);
  assert.ok(y[40]! <= 300 + SLACK);
  const away = y.filter(each => each === null).length;
  assert.ok(away > 30 && y[away]! >= 30 + AWAY);
});

test("in every case none lies over another, none over the head, and the chosen one is level where it can be", () => {
  for (let seed = 0; seed < 3000; seed++) {
    const random = seeded(seed);
    const roof = random(60);
    const boxes = Array.from({ length: 1 + random(7) }, () => box(random(500), 20 + random(90))).sort((a, b) => a.want - b.want);
    const chosen = random(boxes.length + 1) - 1;
    const y = levels(boxes, chosen, roof);
    assert.equal(y.length, boxes.length, `seed ${seed}`);
    const first = y.findIndex(each => each !== null);
    assert.ok(first === 0 || first <= chosen, `seed ${seed}: away are only cards above the chosen one`);
    const top = first ? roof + AWAY : roof;
    for (let i = first; i < boxes.length; i++) {
      const floor = i === first ? top : y[i - 1]! + boxes[i - 1]!.height + 8;
      assert.ok(y[i]! >= floor, `seed ${seed}: card ${i} lies over what is above it`);
    }
    if (chosen >= 0) {
      const room = boxes.slice(first, chosen).reduce((sum, each) => sum + each.height + 8, top);
      assert.equal(y[chosen], Math.max(boxes[chosen]!.want, room), `seed ${seed}: the chosen card is not level`);
      assert.ok(room <= boxes[chosen]!.want + SLACK || first === chosen, `seed ${seed}: the chosen card is far from its words`);
    }
  }
});
