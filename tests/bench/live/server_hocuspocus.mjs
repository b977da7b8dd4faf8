// Hocuspocus 4 (Yjs), in memory: one document, "bench", its text "text".
// arguments: port, file with the first text. Prints "ready" when it listens.
import { readFileSync } from "node:fs"
import { Server } from "@hocuspocus/server"

const [port, file] = process.argv.slice(2)
const server = new Server({
  port: Number(port),
  address: "127.0.0.1",
  quiet: true,
  async onLoadDocument({ document }) {
    document.getText("text").insert(0, readFileSync(file, "utf8"))
    return document
  },
})
await server.listen()
console.log("ready")
