// The one connection to the server: Socket.IO over WebSocket only, every event answered, refusals as exceptions.
import { io, type Socket } from "socket.io-client";
import { Refusal, refusalOf, t } from "./wire";

export type LineState = "connecting" | "open" | "closed";

// an answer takes milliseconds; after this long the line is taken for dead and what was sent is sent again
const PATIENCE = 8000;

export class Line {
  state: LineState = "connecting";
  private readonly socket: Socket;
  private readonly listeners = new Set<(state: LineState) => void>();

  constructor(path: string) {
    const meta = document.querySelector<HTMLMetaElement>('meta[name="csrf-token"]')?.content ?? "";
    this.socket = io({
      path,
      transports: ["websocket"],
      reconnectionDelay: 400,
      reconnectionDelayMax: 4000,
      auth: { csrf: meta },
    });
    this.socket.on("connect", () => this.enter("open"));
    this.socket.on("disconnect", reason => {
      this.enter("closed");
      // the server ends a line on purpose when it restarts or when a queue runs over: come back
      if (reason === "io server disconnect") setTimeout(() => this.socket.connect(), 500);
    });
    this.socket.on("connect_error", () => {
      this.enter("closed");
      if (!this.socket.active) setTimeout(() => this.socket.connect(), 2000);
    });
    // the browser knows before the line does
    addEventListener("offline", () => {
      if (this.socket.connected) this.socket.io.engine?.close();
    });
    addEventListener("online", () => this.retry());
  }

  private enter(state: LineState): void {
    if (state === this.state) return;
    this.state = state;
    for (const listener of this.listeners) listener(state);
  }

  retry(): void {
    if (!this.socket.connected) this.socket.disconnect().connect();
  }

  close(): void {
    this.socket.disconnect();
  }

  onState(listener: (state: LineState) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  on<T>(event: string, listener: (message: T) => void): () => void {
    this.socket.on(event, listener);
    return () => this.socket.off(event, listener);
  }

  /** Sends an event and waits for its answer. Raises Refusal: the server's, "offline" or "timeout". */
  async request<T>(event: string, body: unknown): Promise<T> {
    if (!this.socket.connected) throw new Refusal("offline", t("offline.request"));
    let answer: unknown;
    try {
      answer = await this.socket.timeout(PATIENCE).emitWithAck(event, body);
    } catch {
      throw new Refusal("timeout", t("offline.request"));
    }
    if (answer && typeof answer === "object" && "error" in answer) throw refusalOf(answer);
    return answer as T;
  }

  /** Sends what is worth nothing later (a caret). */
  mention(event: string, body: unknown): void {
    if (this.socket.connected) this.socket.volatile.emit(event, body, () => {});
  }
}
