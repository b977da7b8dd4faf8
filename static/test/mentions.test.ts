/// <reference types="node" />
// Which names are offered after an @.
import assert from "node:assert/strict";
import { test } from "node:test";

// only what needs no page is looked at
(globalThis as Record<string, unknown>)["document"] = { querySelector: () => null };
const { beingWritten, matching } = await import("../src/mentions");

const person = (name: string, organization = "", code = "") => ({ name, organization, code, hue: 1 });
const PEOPLE = [person("Anna Łąka", "Fundacja Zielony Przykład", "ZP"), person("Jan Kowal"), person("Jan Kowalski", "Osiedle Wzorcowe", "OW")];
const names = (typed: string) => matching(PEOPLE, typed).map(each => each.name);

test("a name is being written after an @ that begins a word", () => {
  assert.deepEqual(beingWritten("Proszę @Jan Ko", 14), { at: 7, typed: "Jan Ko" });
  assert.deepEqual(beingWritten("@", 1), { at: 0, typed: "" });
  assert.deepEqual(beingWritten("Pytanie (@an", 12), { at: 9, typed: "an" });
  assert.equal(beingWritten("biuro@example.org", 17), null);
  assert.equal(beingWritten("@ sam", 5), null);
  assert.equal(beingWritten("@Jan\nKo", 7), null);
  assert.equal(beingWritten("Proszę @Jan", 3), null);
});

test("names are found by their beginning, a later word, the organisation, without regard to accents", () => {
  assert.deepEqual(names(""), ["Anna Łąka", "Jan Kowal", "Jan Kowalski"]);
  assert.deepEqual(names("laka"), ["Anna Łąka"]);
  assert.deepEqual(names("zp"), ["Anna Łąka"]);
  assert.deepEqual(names("osiedle w"), ["Jan Kowalski"]);
  assert.deepEqual(names("jan k"), ["Jan Kowal", "Jan Kowalski"]);
  assert.deepEqual(names("x"), []);
});

test("a name that is written out is not offered again", () => {
  assert.deepEqual(names("Jan Kowal"), ["Jan Kowalski"]);
  assert.deepEqual(names("Jan Kowalski"), []);
  assert.deepEqual(names("Jan Kowalski "), []);
});
