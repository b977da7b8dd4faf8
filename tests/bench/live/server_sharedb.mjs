// ShareDB 7 in memory with ot-text-unicode over plain WebSockets: one document, "bench/text".
// arguments: port, file with the first text. Prints "ready" when it listens.
import { readFileSync } from "node:fs"
import { createServer } from "node:http"
import ShareDB from "sharedb"
import { type } from "ot-text-unicode"
import { WebSocketServer } from "ws"
import WebSocketJSONStream from "@teamwork/websocket-json-stream"

const [port, file] = process.argv.slice(2)
ShareDB.types.register(type)
const backend = new ShareDB()
const doc = backend.connect().get("bench", "text")
doc.create(readFileSync(file, "utf8"), type.uri, (error) => {
  if (error) throw error
  const server = createServer()
  const sockets = new WebSocketServer({ server, perMessageDeflate: false })
  sockets.on("connection", (socket) => backend.listen(new WebSocketJSONStream(socket)))
  server.listen(Number(port), "127.0.0.1", () => console.log("ready"))
})
