// Writes codemirror.json.gz: what @codemirror/state makes of random change sets. Seeded; the package is not committed.
//
//   folder=$(mktemp -d) && npm install --prefix "$folder" @codemirror/state@6.7.6
//   node tests/vectors/generate.mjs "$folder" > tests/vectors/codemirror.json.gz
//
// A file holds {package, version, seed, cases}. Each case has
//   text     the old text, ordinary Unicode
//   spec, a  what ChangeSet.of was given ({from, to, insert}, {set: changes} or a list) and what it made; in some cases
//            `a` is a composition, a mapped or an inverted change set instead, and spec is null
//   b        another change set over the same text        c   one over the text that a produces
//   applied, inverted, composed (a then c), mapped (a over b), mappedBefore, bMapped (b over a), bMappedBefore
//   positions   for mode simple, track_del, track_before, track_after and in each for assoc -1, 0, 1:
//               where a takes every position from 0 to the length, null where it is deleted
import { createRequire } from "node:module"
import { gzipSync } from "node:zlib"
import { join, resolve } from "node:path"

const folder = resolve(process.argv[2] ?? ".")
const require = createRequire(join(folder, "package.json"))
const { ChangeSet, MapMode, Text } = require("@codemirror/state")
const version = require(join(folder, "node_modules/@codemirror/state/package.json")).version

const seed = 20_260_301
const tiny = 5600
const long = 400

// mulberry32, so that the same seed gives the same cases everywhere
let state = seed
function random() {
  state = (state + 0x6d2b79f5) | 0
  let t = Math.imul(state ^ (state >>> 15), 1 | state)
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
  return ((t ^ (t >>> 14)) >>> 0) / 4294967296
}
const below = n => Math.floor(random() * n)
const pick = list => list[below(list.length)]

const alphabet = ["a", "b", "c", " ", "\n", "ż", "e\u0301", "🌳", "👩‍🌾", "1", "."]
const words = n => Array.from({ length: n }, () => pick(alphabet)).join("")
const cutsPair = (text, at) => at > 0 && at < text.length && /[\udc00-\udfff]/.test(text[at]) && /[\ud800-\udbff]/.test(text[at - 1])
function place(text, from = 0) {
  for (;;) {
    const at = from + below(text.length - from + 1)
    if (!cutsPair(text, at)) return at
  }
}

function one(text, size) {
  const from = place(text)
  let to = from
  if (random() < 0.6) do to = from + below(Math.min(size, text.length - from) + 1)
  while (cutsPair(text, to))
  return { from, to, insert: random() < 0.65 ? words(1 + below(3)) : "" }
}
function spec(text, count, size, depth = 0) {
  const list = []
  for (let i = below(count + 1); i > 0; i--) {
    const kind = random()
    if (kind < 0.08 && depth < 2) list.push(spec(text, count, size, depth + 1))
    else if (kind < 0.13) list.push({ set: of(one(text, size), text).toJSON() })
    else list.push(one(text, size))
  }
  return random() < 0.5 ? list.sort((x, y) => (x.from ?? 0) - (y.from ?? 0)) : list
}
const real = s => Array.isArray(s) ? s.map(real) : s.set ? ChangeSet.fromJSON(s.set) : s
const of = (s, text) => ChangeSet.of(real(s), text.length)
const asText = text => Text.of(text.split("\n"))
const after = (set, text) => set.apply(asText(text)).toString()

function other(text, count, size) {
  const kind = random()
  const first = of(spec(text, count, size), text)
  if (kind < 0.5) return first
  const second = of(spec(text, count, size), text)
  if (kind < 0.8) return first.compose(second.map(first, random() < 0.5))
  // the inverse of a change that produced the text
  const old = words(below(6))
  const making = of([{ from: 0, to: old.length, insert: text }], old)
  const piece = random() < 0.5 ? making : of([{ from: old.length, insert: text.slice(old.length) }], old)
  return after(piece, old) === text ? piece.invert(asText(old)) : first
}

const modes = [MapMode.Simple, MapMode.TrackDel, MapMode.TrackBefore, MapMode.TrackAfter]
function positions(set, length) {
  return modes.map(mode => [-1, 0, 1].map(assoc =>
    Array.from({ length: length + 1 }, (_, at) => set.mapPos(at, assoc, mode))))
}

const cases = []
for (let i = 0; i < tiny + long; i++) {
  const [most, count, size] = i < tiny ? [7, 3, 4] : [60, 12, 9]
  const text = words(below(most + 1))
  const given = random() < 0.6 ? spec(text, count, size) : null
  const a = given ? of(given, text) : other(text, count, size)
  const b = other(text, count, size)
  const applied = after(a, text)
  const c = other(applied, count, size)
  cases.push({
    text, spec: given, a, b, c, applied,
    inverted: a.invert(asText(text)),
    composed: a.compose(c),
    mapped: a.map(b),
    mappedBefore: a.map(b, true),
    bMapped: b.map(a),
    bMappedBefore: b.map(a, true),
    positions: positions(a, text.length),
  })
}
process.stdout.write(gzipSync(JSON.stringify({ package: "@codemirror/state", version, seed, cases }), { level: 9 }))
