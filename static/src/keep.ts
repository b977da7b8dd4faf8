// Nothing typed is lost: what the server has not stored yet is kept in this browser, also across a reload, and sent
// again under the same numbers. What can no longer be merged becomes a suggestion; what may not even be suggested is
// shown to its author, to be copied.
//
// One record per person, stream and client. The open editor holds a lock on its client's name, so a record whose
// lock is free belongs to an editor that is gone, and the next editor of the section sends it.
import { collab, getSyncedVersion, receiveUpdates, sendableUpdates } from "@codemirror/collab";
import { ChangeSet, EditorState, Text } from "@codemirror/state";
import { presentableDiff } from "@codemirror/merge";
import { newClient } from "./editing";
import type { Line } from "./line";
import { Replica } from "./replica";
import { api, type OpenedSuggestion, Refusal, type UpdatesMessage, type WireUpdate } from "./wire";

export interface Kept {
  user: number;
  section: number;
  /** held: typed in Suggest mode on main's text before a suggestion was open; it never goes into main */
  kind: "main" | "branch" | "held";
  stream: number;
  suggestion: number | null;
  client: string;
  /** updates of this client that the stream held */
  confirmed: number;
  /** what `text` is, and what the updates stand on */
  version: number;
  text: string;
  updates: unknown[];
  origins: number[];
  at: number;
}

export type Fate =
  | { kind: "sent"; count: number }
  | { kind: "suggested"; suggestion: OpenedSuggestion }
  | { kind: "refused"; refusal: Refusal; words: string[]; record: Kept };

const PREFIX = "drafting.kept.";
const keyOf = (record: Pick<Kept, "user" | "stream" | "client">) => `${PREFIX}${record.user}.${record.stream}.${record.client}`;
// without the lock API (a page without TLS), a record untouched for this long has no editor
const ALIVE = 5000;
const LEAVING = 1500;

export function keep(record: Kept): boolean {
  try {
    localStorage.setItem(keyOf(record), JSON.stringify(record));
    return true;
  } catch {
    return false;
  }
}

export function forget(record: Pick<Kept, "user" | "stream" | "client">): void {
  try {
    localStorage.removeItem(keyOf(record));
  } catch {
    /* storage switched off: nothing was kept either */
  }
}

/** Holds the client's name as long as this page lives. */
export function hold(client: string): void {
  void navigator.locks?.request(`drafting.${client}`, () => new Promise<void>(() => {}));
}

async function isFree(record: Kept): Promise<boolean> {
  if (!navigator.locks) return Date.now() - record.at > ALIVE;
  try {
    // the page before this one may be on its way out: its lock comes free in a moment
    return await navigator.locks.request(`drafting.${record.client}`, { signal: AbortSignal.timeout(LEAVING) }, () => true);
  } catch {
    return false;
  }
}

/** Records of editors that are gone, oldest first. */
export async function leftBehind(user: number, section: number): Promise<Kept[]> {
  const found: Kept[] = [];
  try {
    for (let i = 0; i < localStorage.length; i++) {
      const key = localStorage.key(i);
      if (!key?.startsWith(`${PREFIX}${user}.`)) continue;
      try {
        const record = JSON.parse(localStorage.getItem(key)!) as Kept;
        if (record.section === section && record.updates.length && (await isFree(record))) found.push(record);
      } catch {
        /* not a record of ours any more */
      }
    }
  } catch {
    return [];
  }
  return found.sort((a, b) => a.at - b.at);
}

function restored(record: Kept): EditorState {
  let state = EditorState.create({
    doc: record.text,
    extensions: [collab({ startVersion: record.version, clientID: record.client })],
  });
  for (const changes of record.updates) state = state.update({ changes: ChangeSet.fromJSON(changes) }).state;
  return state;
}

function received(state: EditorState, updates: WireUpdate[]): EditorState {
  for (const update of updates) {
    state = receiveUpdates(state, [{ clientID: update.client, changes: ChangeSet.fromJSON(update.changes) }]).state;
  }
  return state;
}

const unconfirmed = (state: EditorState): ChangeSet | null =>
  sendableUpdates(state).reduce<ChangeSet | null>((all, update) => (all ? all.compose(update.changes) : update.changes), null);

/** Sends what an editor left behind, or saves it in another form. Raises Refusal only while the line is down. */
export async function resend(line: Line, record: Kept): Promise<Fate> {
  const count = record.updates.length;
  let state = restored(record);
  let confirmed = record.confirmed;
  const take = (message: UpdatesMessage) => {
    const missing = message.updates.slice(Math.max(0, getSyncedVersion(state) - message.version));
    confirmed += missing.filter(update => update.client === record.client).length;
    state = received(state, missing);
  };
  try {
    const pull = async () => {
      const answer = await line.request<UpdatesMessage>("pull", { stream: record.stream, version: getSyncedVersion(state) });
      take({ ...answer, version: answer.version - answer.updates.length });
    };
    await line.request("join", { stream: record.stream, version: record.version });
    await pull();
    if (record.kind === "held") return await saveAsSuggestion(line, record, state, new Refusal("held", ""));
    for (let tries = 0; sendableUpdates(state).length && tries < 50; tries++) {
      const updates = sendableUpdates(state)
        .slice(0, 200)
        .map((update, i) => ({ client: record.client, sequence: confirmed + i + 1, changes: update.changes.toJSON() }));
      try {
        await line.request("push", { stream: record.stream, version: getSyncedVersion(state), updates, origins: record.origins });
      } catch (error) {
        if (!(error instanceof Refusal) || error.code !== "version_conflict") throw error;
      }
      await pull();
    }
    forget(record);
    return { kind: "sent", count };
  } catch (error) {
    if (!(error instanceof Refusal) || error.isPassing) throw error;
    return saveAsSuggestion(line, record, state, error);
  }
}

/** Opens a suggestion whose branch stands exactly on what `main` holds. Raises Refusal. */
export async function openBranch(line: Line, main: Replica, section: number, origins: number[]): Promise<[OpenedSuggestion, Replica]> {
  const { suggestion } = await api<{ suggestion: OpenedSuggestion }>("POST", `/api/v1/sections/${section}/suggestions`, {
    origins,
    version: main.version,
  });
  const branch = new Replica(line, suggestion.stream);
  await branch.join();
  // main may have moved while the branch was made; both are live, so they soon say the same
  for (let tries = 0; tries < 40 && !branch.text.eq(main.text); tries++) {
    await main.pull();
    await branch.pull();
    if (branch.text.eq(main.text)) break;
    await new Promise(resolve => setTimeout(resolve, 50));
  }
  return [suggestion, branch];
}

/** What turns one text into another, for people: whole words. */
export function differenceOf(a: Text, b: Text): ChangeSet {
  const [from, to] = [a.toString(), b.toString()];
  const changes = presentableDiff(from, to, { scanLimit: 2000 });
  return ChangeSet.of(
    changes.map(change => ({ from: change.fromA, to: change.toA, insert: Text.of(to.slice(change.fromB, change.toB).split("\n")) })),
    from.length,
  );
}

async function saveAsSuggestion(line: Line, record: Kept, state: EditorState, refusal: Refusal): Promise<Fate> {
  let mine = unconfirmed(state);
  const words: string[] = [];
  mine?.iterChanges((_fromA, _toA, _fromB, _toB, inserted) => {
    if (inserted.length) words.push(inserted.toString());
  });
  if (!mine || mine.empty) {
    forget(record);
    return { kind: "sent", count: 0 };
  }
  let main: Replica | null = null;
  let branch: Replica | null = null;
  try {
    const { stream } = await api<{ stream: number }>("GET", `/api/v1/sections/${record.section}`);
    main = new Replica(line, stream);
    await main.join();
    let suggestion: OpenedSuggestion;
    [suggestion, branch] = await openBranch(line, main, record.section, record.origins);
    // on main, what was typed carried over what came since; from another's branch or a lost version, the difference
    let fits = false;
    if (record.stream === main.stream && getSyncedVersion(state) <= main.version && branch.text.eq(main.text)) {
      const version = getSyncedVersion(state);
      const since = await line.request<UpdatesMessage>("pull", { stream: main.stream, version });
      state = received(state, since.updates.slice(0, main.version - version));
      mine = unconfirmed(state);
      fits = getSyncedVersion(state) === main.version && mine !== null;
    }
    const changes = fits ? mine! : differenceOf(branch.text, state.doc);
    await line.request("push", {
      stream: branch.stream,
      version: branch.version,
      updates: [{ client: newClient(), sequence: 1, changes: changes.toJSON() }],
      origins: record.origins,
    });
    forget(record);
    return { kind: "suggested", suggestion };
  } catch (error) {
    if (!(error instanceof Refusal) || error.isPassing) throw error;
    return { kind: "refused", refusal, words, record };
  } finally {
    main?.close();
    branch?.close();
  }
}
