// Every shape on the wire, in the names that the server uses, and the one door to the JSON API.
// Every number that points into text counts UTF-16 code units, as CodeMirror and JavaScript do.

export interface Origin {
  id: number;
  label: string;
  code: string;
  hue: number;
}

export interface Organization {
  id?: number;
  name: string;
  code: string;
  hue: number;
}

export interface Meeting {
  number: number;
  short: string;
  hue: number;
}

/** A stored or sent update: `client` is one open editor, `sequence` the number it gave the update, from 1. */
export interface WireUpdate {
  client: string;
  sequence: number;
  changes: unknown;
  author?: { id: number | null; name: string } | null;
  kind?: string;
  origins?: number[];
}

export interface UpdatesMessage {
  stream: number;
  /** the stream's version before the first of them */
  version: number;
  updates: WireUpdate[];
}

export interface WireHunk {
  id: number;
  /** main text at the message's version, half-open */
  start: number;
  end: number;
  text: string;
  state: string;
  base_changed?: boolean;
  fulfilled?: boolean;
  hash?: string;
}

export interface Hunks {
  suggestion: number;
  number: number;
  stream: number;
  state: string;
  /** of main: what the hunks' positions mean */
  version: number;
  branch_version: number;
  organization: Organization | null;
  meeting: Meeting | null;
  mine?: boolean;
  hunks: WireHunk[];
}

export interface WireAnnotation {
  id: number;
  number?: number;
  start: number | null;
  end: number | null;
  state: string;
  orphaned?: boolean;
}

export interface Person {
  key: string;
  name: string;
  organization?: string | null;
  code?: string | null;
  hue?: number | null;
  anchor: number | null;
  head: number | null;
  version: number;
}

export interface Can {
  edit?: boolean;
  suggest?: boolean;
  annotate?: boolean;
  decide?: boolean;
}

export interface Joined {
  stream: number;
  version: number;
  kind: "main" | "branch";
  section: number;
  text?: string;
  updates?: WireUpdate[];
  suggestions?: Hunks[];
  annotations?: WireAnnotation[];
  people?: Person[];
  can?: Can;
  key?: string;
}

export interface OpenedSuggestion {
  id: number;
  number: number;
  stream: number;
  version?: number;
  state?: string;
}

export interface Draft {
  id: number;
  number: number;
  stream: number;
  state: string;
}

export type Mode = "read" | "edit" | "suggest" | "review" | "sources";

/** What the page gives to the script: who reads, what may be done, where things are fetched. */
export interface Data {
  user: { id: number; name: string } | null;
  document: { id: number; slug: string; language: string };
  /** limit: code units that its text may have */
  section: { id: number; stream: number; title: string; limit: number };
  organization: { id: number; name: string; code: string; hue: number } | null;
  can: Can;
  mode: Mode;
  /** there are more cards than came with the page */
  more: boolean;
  suggestion: Draft | null;
  origins: number[];
  paths: { socket: string; section: string; cards: string; story: string; contents: string; origins: string };
  words: Record<string, string>;
}

/** What the server said no to: `code` is stable, `message` is in the reader's language. */
export class Refusal extends Error {
  constructor(
    readonly code: string,
    message: string,
    readonly details: Record<string, unknown> = {},
  ) {
    super(message);
  }
  /** No line, no answer, or an answer that says nothing about the request: worth another try. */
  get isPassing(): boolean {
    return this.code === "offline" || this.code === "timeout" || this.code === "server";
  }
}

export function refusalOf(body: unknown, fallback = "server"): Refusal {
  const error = (body as { error?: { code?: string; message?: string; details?: Record<string, unknown> } } | null)?.error;
  return error?.code ? new Refusal(error.code, error.message ?? error.code, error.details ?? {}) : new Refusal(fallback, t("wrong"));
}

const meta = (name: string) => document.querySelector<HTMLMetaElement>(`meta[name="${name}"]`)?.content ?? "";

async function send(method: string, path: string, body?: unknown): Promise<Response> {
  const headers: Record<string, string> = { "X-Requested-With": "fetch" };
  if (method !== "GET") headers["X-CSRFToken"] = meta("csrf-token");
  if (body !== undefined) headers["Content-Type"] = "application/json";
  try {
    return await fetch(path, { method, headers, body: body === undefined ? null : JSON.stringify(body), credentials: "same-origin" });
  } catch {
    throw new Refusal("offline", t("offline.request"));
  }
}

/** One call of the JSON API. Raises Refusal. */
export async function api<T>(method: "GET" | "POST" | "PATCH" | "DELETE", path: string, body?: unknown): Promise<T> {
  const response = await send(method, path, body);
  const text = await response.text();
  let value: unknown = null;
  try {
    value = text ? JSON.parse(text) : null;
  } catch {
    /* not JSON: only a proxy or a crash answers so */
  }
  if (!response.ok) throw refusalOf(value);
  return value as T;
}

/** A partial page as an element, to be put in place. Raises Refusal. */
export async function partial(path: string): Promise<DocumentFragment> {
  const response = await send("GET", path);
  const text = await response.text();
  if (!response.ok) {
    let body: unknown = null;
    try {
      body = JSON.parse(text);
    } catch {
      /* an HTML error page */
    }
    throw refusalOf(body, response.status === 404 ? "not_found" : "server");
  }
  const template = document.createElement("template");
  template.innerHTML = text;
  return template.content;
}

// ── words ──

let words: Record<string, string> = {};

export function setWords(given: Record<string, string>): void {
  words = given;
}

/** A sentence of the interface in the reader's language; `{name}` stands for a value. */
export function t(key: string, values: Record<string, string | number> = {}): string {
  return (words[key] ?? key).replace(/\{(\w+)\}/g, (all, name: string) => String(values[name] ?? all));
}

export function element<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  className = "",
  ...children: (Node | string)[]
): HTMLElementTagNameMap[K] {
  const made = document.createElement(tag);
  if (className) made.className = className;
  made.append(...children);
  return made;
}

export function icon(name: string): SVGSVGElement {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  use.setAttribute("href", `#i-${name}`);
  svg.append(use);
  return svg;
}
