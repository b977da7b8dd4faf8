// The load: N clients on one text, W of them typing `rate` characters a second for `seconds`, from one process.
// argument: a JSON object {system, url, clients, writers, seconds, rate, ...what the client of the system needs}.
// Prints one JSON object: delays in ms from the keystroke to another client having applied it, and whether all are equal.
import { createHash } from "node:crypto"
import { connect } from "./clients.mjs"

const config = JSON.parse(process.argv[2])
const FIRST_MARK = 0x4e00 // every keystroke is a character of its own, so that a receiver knows which one it sees
const sent = new Float64Array(0x5000)
const delays = []
let typed = 0
let measuring = false

const clients = []
for (let start = 0; start < config.clients; start += 10) {
  const some = Array.from({ length: Math.min(10, config.clients - start) }, (_, k) => connect[config.system](config, start + k))
  clients.push(...(await Promise.all(some)))
}
for (const client of clients)
  client.onInserted = (text) => {
    const now = performance.now()
    for (let i = 0; i < text.length; i++) {
      const mark = text.charCodeAt(i) - FIRST_MARK
      if (mark >= 0 && mark < typed && measuring) delays.push(now - sent[mark])
    }
  }

const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms))
await wait(1000)
const cpu = process.cpuUsage()
const began = performance.now()
console.error("begin")
measuring = true
const gap = 1000 / config.rate
await Promise.all(
  clients.slice(0, config.writers).map(async (client, k) => {
    await wait((gap * k) / config.writers)
    for (let n = 0; performance.now() - began < config.seconds * 1000; n++) {
      const mark = typed++
      sent[mark] = performance.now()
      client.type(String.fromCharCode(FIRST_MARK + mark))
      const due = began + (gap * k) / config.writers + gap * (n + 1)
      await wait(Math.max(0, due - performance.now()))
    }
  }),
)
const elapsed = (performance.now() - began) / 1000
console.error("end")
const used = process.cpuUsage(cpu)
const digest = (client) => createHash("sha1").update(client.text()).digest("hex")
let equal = false
for (let tries = 0; tries < 150 && !equal; tries++) {
  await wait(100)
  equal = clients.every((client) => client.pending() === 0) && new Set(clients.map(digest)).size === 1
}
const text = clients[0].text()
let arrived = 0
for (let mark = 0; mark < typed; mark++) if (text.includes(String.fromCharCode(FIRST_MARK + mark))) arrived++
delays.sort((a, b) => a - b)
const at = (share) => (delays.length ? delays[Math.min(delays.length - 1, Math.floor(delays.length * share))] : null)
console.log(JSON.stringify({
  typed, arrived, equal, deliveries: delays.length, expected: typed * (config.clients - 1), seconds: elapsed,
  p50: at(0.5), p95: at(0.95), p99: at(0.99), max: at(1), load_cpu: (used.user + used.system) / 1e6,
  errors: clients.flatMap((client) => client.errors ?? []).slice(0, 3),
}))
for (const client of clients) client.close()
setTimeout(() => process.exit(0), 200)
