// One client of each system behind one shape:
//
//   await connect(config, index)   → client
//   client.text()                  the replica
//   client.type(mark)              one keystroke: inserts the one character `mark` where this writer is
//   client.onInserted = (text) =>  called for every text that another client inserted, once applied here
//   client.pending()               keystrokes not acknowledged yet
//   client.close()
//
// Every system types at the writer's own place, and every replica applies what it receives.
import ShareDB from "sharedb/lib/client/index.js"
import { type as otText } from "ot-text-unicode"
import WebSocket from "ws"
import * as Y from "yjs"
import { HocuspocusProvider, HocuspocusProviderWebsocket } from "@hocuspocus/provider"
import { io } from "socket.io-client"
import { ChangeSet, Text } from "@codemirror/state"

ShareDB.types.register(otText)

const place = (index, length) => Math.floor(((index * 2654435761) % 4294967296) / 4294967296 * length)

/** ShareDB: text operations with rebasing in its own client. */
async function sharedb(config, index) {
  const socket = new WebSocket(config.url, { perMessageDeflate: false })
  const connection = new ShareDB.Connection(socket)
  const doc = connection.get("bench", "text")
  await new Promise((resolve, reject) => doc.subscribe((error) => (error ? reject(error) : resolve())))
  const client = { onInserted: null, text: () => doc.data, close: () => connection.close() }
  let at = place(index, doc.data.length)
  doc.on("op", (op, source) => {
    if (source) return
    let pos = 0
    for (const part of op) {
      if (typeof part === "number") pos += part
      else if (typeof part === "string") {
        if (pos <= at) at += part.length
        pos += part.length
        client.onInserted?.(part)
      }
    }
  })
  client.type = (mark) => {
    at = Math.min(at, doc.data.length)
    doc.submitOp(at ? [at, mark] : [mark])
    at += 1
  }
  client.pending = () => (doc.hasPending() ? 1 : 0)
  return client
}

/** Hocuspocus: a Yjs document over its provider. */
async function hocuspocus(config, index) {
  const doc = new Y.Doc()
  const websocketProvider = new HocuspocusProviderWebsocket({ url: config.url, WebSocketPolyfill: WebSocket })
  const provider = new HocuspocusProvider({ websocketProvider, name: "bench", document: doc, token: "none" })
  provider.attach?.()
  await new Promise((resolve) => provider.on("synced", resolve))
  const text = doc.getText("text")
  const client = { onInserted: null, text: () => text.toString() }
  let at = place(index, text.length)
  text.observe((event) => {
    if (event.transaction.local) return
    let pos = 0
    for (const part of event.delta) {
      if (part.retain) pos += part.retain
      else if (part.insert) {
        if (pos <= at) at += part.insert.length
        pos += part.insert.length
        client.onInserted?.(part.insert)
      }
    }
  })
  client.type = (mark) => {
    text.insert(Math.min(at, text.length), mark)
    at += 1
  }
  client.pending = () => (provider.hasUnsyncedChanges ? 1 : 0)
  client.close = () => {
    provider.destroy()
    websocketProvider.destroy()
  }
  return client
}

/** Drafting: the live protocol, with the client side of CodeMirror's collab (one stored update at a time). */
async function drafting(config, index) {
  const who = config.people[index % config.people.length]
  const socket = io(config.url, {
    transports: ["websocket"], forceNew: true, reconnection: false,
    extraHeaders: { Cookie: who.cookie, Origin: config.url }, auth: { csrf: who.csrf },
  })
  await new Promise((resolve, reject) => {
    socket.on("connect", resolve)
    socket.on("connect_error", reject)
  })
  const ask = (event, data) => new Promise((resolve) => socket.emit(event, data, resolve))
  const joined = await ask("join", { stream: config.stream })
  if (joined.error) throw new Error(JSON.stringify(joined.error))
  const name = `bench-${index}-${config.run}`
  let text = Text.of(joined.text.split("\n"))
  let version = joined.version
  let sequence = 0
  let unconfirmed = [] // {sequence, changes}
  let inFlight = false
  let at = place(index, text.length)
  const early = []
  const client = { onInserted: null, text: () => text.toString(), close: () => socket.close(), errors: [] }

  function receive(update) {
    version += 1
    if (update.client === name) {
      unconfirmed.shift()
      return
    }
    let changes = ChangeSet.fromJSON(update.changes)
    for (let i = 0; i < unconfirmed.length; i++) {
      const mine = unconfirmed[i].changes
      unconfirmed[i] = { sequence: unconfirmed[i].sequence, changes: mine.map(changes) }
      changes = changes.map(mine, true)
    }
    text = changes.apply(text)
    at = changes.mapPos(at, 1)
    if (client.onInserted) changes.iterChanges((a, b, c, d, inserted) => inserted.length && client.onInserted(inserted.toString()))
  }
  function take(message) {
    if (message.version > version) {
      early.push(message)
      void ask("pull", { stream: config.stream, version }).then(take)
      return
    }
    message.updates.slice(version - message.version).forEach(receive)
    for (let i = 0; i < early.length; i++) if (early[i].version <= version) take(early.splice(i--, 1)[0])
  }
  socket.on("updates", (message) => {
    if (message.stream === config.stream) take(message)
  })
  async function push() {
    if (inFlight || !unconfirmed.length) return
    inFlight = true
    const updates = unconfirmed.map(({ sequence, changes }) => ({ client: name, sequence, changes: changes.toJSON() }))
    const answer = await ask("push", { stream: config.stream, version, updates, origins: [] })
    inFlight = false
    if (answer.error && answer.error.code !== "version_conflict") client.errors.push(answer.error)
    else if (answer.version > version) setTimeout(push, 0)
    if (unconfirmed.length) setTimeout(push, answer.error ? 20 : 0)
  }
  client.type = (mark) => {
    const changes = ChangeSet.of([{ from: at, insert: mark }], text.length)
    text = changes.apply(text)
    at += 1
    unconfirmed.push({ sequence: ++sequence, changes })
    void push()
  }
  client.pending = () => unconfirmed.length
  return client
}

export const connect = { sharedb, hocuspocus, drafting }
