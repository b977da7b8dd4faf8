// Writes collab.json.gz: plays of three real @codemirror/collab clients and an authority that rebases one stored change
// at a time with @codemirror/state. Seeded; the packages are not committed.
//
//   folder=$(mktemp -d) && npm install --prefix "$folder" @codemirror/state@6.7.6 @codemirror/collab@6.1.1
//   node tests/vectors/generate_collab.mjs "$folder" > tests/vectors/collab.json.gz
//
// A file holds {packages, seed, plays}. Each play has
//   pushes   in the order in which they arrived: {client, version, updates: [{sequence, changes}]}; some come twice
//   stored   the log in the end: {client, sequence, changes}
//   text     what the authority and every client have in the end
// Clients receive as the product's do: receiveUpdates(state, [update]), one update at a time.
import { createRequire } from "node:module"
import { gzipSync } from "node:zlib"
import { join, resolve } from "node:path"

const folder = resolve(process.argv[2] ?? ".")
const require = createRequire(join(folder, "package.json"))
const { ChangeSet, EditorState, Text } = require("@codemirror/state")
const { collab, getSyncedVersion, receiveUpdates, sendableUpdates } = require("@codemirror/collab")
const version = name => require(join(folder, `node_modules/@codemirror/${name}/package.json`)).version

const seed = 20_260_302
const count = 800
const longest = 9

let state = seed
function random() {
  state = (state + 0x6d2b79f5) | 0
  let t = Math.imul(state ^ (state >>> 15), 1 | state)
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
  return ((t ^ (t >>> 14)) >>> 0) / 4294967296
}
const below = n => Math.floor(random() * n)
const pick = list => list[below(list.length)]
const alphabet = ["a", "b", " ", "\n", "ż", "🌳"]
const words = n => Array.from({ length: n }, () => pick(alphabet)).join("")
const cutsPair = (text, at) => at > 0 && at < text.length && /[\udc00-\udfff]/.test(text[at])
function place(text, from) {
  for (;;) {
    const at = from + below(text.length - from + 1)
    if (!cutsPair(text, at)) return at
  }
}
function edit(text) {
  const one = () => {
    const from = place(text, 0)
    return { from, to: random() < 0.6 ? place(text, from) : from, insert: random() < 0.7 ? words(1 + below(2)) : "" }
  }
  return random() < 0.3 ? [one(), one()] : one()
}

class Authority {
  log = []
  doc = Text.empty
  pushes = []
  push({ client, version, updates }) {
    this.pushes.push({ client, version, updates: updates.map(u => ({ sequence: u.sequence, changes: u.changes.toJSON() })) })
    let pending = updates.map(u => ({ client, ...u }))
    for (const stored of this.log.slice(version)) {
      if (pending.length && stored.client === client && stored.sequence === pending[0].sequence) {
        pending.shift()
        continue
      }
      let over = stored.changes
      for (const update of pending) {
        const own = update.changes
        update.changes = own.map(over)
        over = over.map(own, true)
      }
    }
    for (const update of pending) {
      this.doc = update.changes.apply(this.doc)
      this.log.push(update)
    }
  }
}

class Client {
  confirmed = 0
  constructor(name) {
    this.name = name
    this.state = EditorState.create({ doc: "", extensions: [collab({ clientID: name })] })
  }
  type() {
    const changes = this.state.changes(edit(this.state.doc.toString()))
    if (!changes.empty && changes.newLength <= longest) this.state = this.state.update({ changes }).state
  }
  message() {
    const updates = sendableUpdates(this.state).map((u, n) => ({ sequence: this.confirmed + n, changes: u.changes }))
    return { client: this.name, version: getSyncedVersion(this.state), updates }
  }
  receive(updates) {
    for (const update of updates) {
      if (update.client === this.name) this.confirmed++
      this.state = receiveUpdates(this.state, [{ clientID: update.client, changes: update.changes }]).state
    }
  }
}

const plays = []
for (let n = 0; n < count; n++) {
  const authority = new Authority()
  const clients = ["A", "B", "C"].map(name => new Client(name))
  const waiting = []
  const fetch = (client, most) => client.receive(authority.log.slice(getSyncedVersion(client.state)).slice(0, most))
  for (let step = 5 + below(40); step > 0; step--) {
    const client = pick(clients)
    const action = random()
    if (action < 0.4) client.type()
    else if (action < 0.6) {
      if (sendableUpdates(client.state).length) waiting.push(client.message())
    } else if (action < 0.8) {
      if (waiting.length) {
        const at = below(waiting.length)
        authority.push(random() < 0.2 ? waiting[at] : waiting.splice(at, 1)[0])
      }
    } else fetch(client, 1 + below(4))
  }
  for (const client of clients) {
    fetch(client, Infinity)
    if (sendableUpdates(client.state).length) authority.push(client.message())
  }
  const text = authority.doc.toString()
  for (const client of clients) {
    fetch(client, Infinity)
    if (client.state.doc.toString() !== text) throw new Error(`play ${n}: ${client.name} ended with another text`)
  }
  const stored = authority.log.map(u => ({ client: u.client, sequence: u.sequence, changes: u.changes.toJSON() }))
  plays.push({ pushes: authority.pushes, stored, text })
}
const packages = Object.fromEntries(["state", "collab"].map(name => [`@codemirror/${name}`, version(name)]))
process.stdout.write(gzipSync(JSON.stringify({ packages, seed, plays }), { level: 9 }))
