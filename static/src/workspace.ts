// The section workspace: one CodeMirror view for all modes. Read, Edit, Review and Sources show main; Suggest shows
// the branch of the own suggestion, or main until the first word of a new one is typed.
//
// The server renders the section's text for those who read without script; this file takes its place. State lives in
// CodeMirror's fields; what is kept here is which stream is shown, in which mode, by whom.
import "./page";
import { sendableUpdates } from "@codemirror/collab";
import { EditorSelection, type Extension } from "@codemirror/state";
import { EditorView, type ViewUpdate } from "@codemirror/view";
import { cardActions } from "./actions";
import { annotationsShown } from "./annotations";
import { sourcesShown } from "./attribution";
import type { Cards } from "./cards";
import { Company, tellCaret } from "./company";
import { DraftBar, type Filing } from "./drafts";
import { arrived, newClient, type Saving } from "./editing";
import { editorState } from "./editor";
import { Everybody } from "./everybody";
import { keepFormWords } from "./form-words";
import { Frame } from "./frame";
import { differenceOf, type Fate, hold, openBranch, resend } from "./keep";
import { Line } from "./line";
import { Margin } from "./margin";
import { Orphans } from "./orphans";
import { hunksBetween } from "./own";
import { Picker } from "./picker";
import { toEditor } from "./places";
import { Remarks } from "./remarks";
import { Replica } from "./replica";
import { Review } from "./review";
import { Sources } from "./sources";
import { StatusLine } from "./status";
import { type OwnHunk, ownHunks, setOwnHunks, suggestionsShown } from "./suggestions";
import { toolbar } from "./toolbar";
import { sendLeftBehind, tellFate, Unsent } from "./unsent";
import { api, type Data, type Draft, type Hunks, type Mode, type Person, Refusal, setWords, t } from "./wire";

const $ = <E extends HTMLElement>(selector: string) => document.querySelector<E>(selector);

class Workspace {
  private readonly line: Line;
  private readonly main: Replica;
  private branch: Replica | null = null;
  private draft: Draft | null;
  private mode: Mode;
  private view: EditorView | null = null;
  private readonly margin: Margin;
  private readonly cards: Cards;
  private readonly remarks: Remarks;
  private readonly orphans: Orphans;
  private readonly sources: Sources | null;
  private client = "";
  private readonly everybody: Everybody;
  private readonly company = new Company();
  private readonly unsent: Unsent;
  private opening = false;
  private turns = 0;
  /** others changed the branch since its hunks were last as the server says them */
  private branchMoved = false;
  /** the number of a suggestion that the address names: ?u=17 */
  private asked = new URLSearchParams(location.search).get("u");
  private readonly states = new Map<number, string>();
  private readonly updateTools: ReturnType<typeof toolbar>;
  private readonly status: StatusLine;
  private readonly frame: Frame;
  private readonly picker: Picker;
  private readonly bar: DraftBar;

  constructor(
    readonly root: HTMLElement,
    readonly data: Data,
  ) {
    this.mode = data.mode;
    this.draft = data.suggestion;
    this.line = new Line(data.paths.socket);
    this.main = new Replica(this.line, data.section.stream);
    this.everybody = new Everybody(
      this.main,
      () => this.view,
      () => this.streams(),
      hunks => this.tookHunks(hunks),
    );
    this.unsent = new Unsent(
      () => this.line.state === "open",
      () => this.status.show("wrong", t("keep.full")),
    );
    this.margin = new Margin($(".margin")!, {
      view: () => this.view,
      streams: () => this.streams(),
      own: () => (this.branch ? (this.draft?.id ?? null) : null),
      path: data.paths.cards,
    });
    this.cards = this.margin.cards;
    this.remarks = new Remarks({
      section: data.section.id,
      cards: this.cards,
      view: () => this.view,
      streams: () => this.streams(),
      refresh: id => this.margin.refresh(id, true),
    });
    this.orphans = new Orphans(
      () => this.line.state === "open" && !this.unconfirmed,
      () => this.view?.state.doc.toString() ?? "",
      id => this.tookAnnotation(id),
    );
    const legend = $(".legend");
    const story = $(".story");
    this.sources = legend && story ? new Sources(legend, story, () => this.view, data.section.id, data.paths.story) : null;
    new Review(data.section.id, this.cards, card => this.margin.refresh(card.id, true), () => this.mode === "review");
    this.updateTools = toolbar($(".tools")!, () => this.view);
    this.frame = new Frame(root, data.paths.contents, data.mode, {
      mode: mode => void this.switchMode(mode),
      place: pos => this.goTo(pos),
      remark: () => this.remarks.begin(),
    });
    this.status = new StatusLine(() => this.line.retry());
    this.picker = new Picker(
      data.origins,
      data.document.id,
      data.paths.origins,
      async origins => {
        if (this.draft && this.branch) await api("PATCH", `/api/v1/suggestions/${this.draft.id}`, { origins });
      },
      says => this.status.notice(says),
    );
    this.bar = new DraftBar(
      filing => this.file(filing),
      () => {
        this.draft = null;
        void this.mount("suggest");
      },
    );
  }

  async start(): Promise<void> {
    this.listen();
    this.controls();
    await this.enter();
  }

  /** Joins as soon as there is a line; what earlier editors left unsent goes first. */
  private async enter(): Promise<void> {
    for (;;) {
      try {
        if (this.line.state !== "open") throw new Refusal("offline", "");
        if (this.data.user) this.draft = (await sendLeftBehind(this.line, this.data.user.id, this.data.section.id, words => this.status.notice(words))) ?? this.draft;
        await this.main.join();
        break;
      } catch (error) {
        if (!(error instanceof Refusal)) throw error;
        if (!error.isPassing) {
          this.status.show("wrong", error.message);
          return;
        }
        this.status.show(this.line.state === "connecting" ? "connecting" : "offline", t(this.line.state === "connecting" ? "connecting" : "offline.reading"));
        await new Promise<void>(resolve => {
          const off = this.line.onState(() => (off(), resolve()));
          setTimeout(() => (off(), resolve()), 3000);
        });
      }
    }
    if (this.mode === "suggest") this.draft ??= this.everybody.newestDraft();
    try {
      await this.mount(this.mode);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      this.status.show("wrong", error.message);
      this.draft = null;
      await this.mount("read");
    }
    if (this.data.more) await this.margin.refreshAll();
    for (const card of this.cards.all) {
      if (card.dataset["state"] === "orphaned") this.orphans.told(Number(card.id.slice(2)), card.querySelector(".quote")?.textContent ?? "");
    }
    this.openFromAddress();
    keepFormWords(this.data.section.id, () => this.remarks.start(0, 0));
  }

  private openFromAddress(): void {
    const pos = this.margin.openFromAddress(this.asked);
    this.asked = null;
    if (pos !== null && this.mode === "sources") void this.sources?.open(pos, false);
  }

  // ── the view ──

  /** How many updates of the editor the server has not confirmed. */
  private get unconfirmed(): number {
    return this.view && this.writes(this.mode) ? sendableUpdates(this.view.state).length : 0;
  }

  private writes(mode: Mode): boolean {
    return (mode === "edit" && !!this.data.can.edit) || (mode === "suggest" && !!this.data.can.suggest);
  }

  /** Puts the stream of a mode into the view. Raises Refusal. */
  async mount(mode: Mode): Promise<void> {
    const turn = ++this.turns;
    this.remarks.leaving();
    if (mode === "suggest" && this.draft && this.branch?.stream !== this.draft.stream) {
      this.branch?.close();
      this.branch = new Replica(this.line, this.draft.stream);
      await this.branch.join();
      await this.main.pull();
      // another mode was asked for meanwhile: that one is shown
      if (turn !== this.turns) return;
    }
    if (mode !== "suggest" || !this.draft) {
      this.branch?.close();
      this.branch = null;
    }
    this.mode = mode;
    this.setState(this.branch ?? this.main, this.branch ? this.ownHunks() : []);
    this.showMode();
  }

  private ownHunks(): OwnHunk[] {
    return this.branch && this.draft ? hunksBetween(this.main, this.branch, this.everybody.hunks.get(this.draft.id)) : [];
  }

  private setState(replica: Replica, hunks: readonly OwnHunk[]): void {
    const { data, mode, view: old } = this;
    const writes = this.writes(mode);
    const held = mode === "suggest" && !this.branch;
    this.unsent.done();
    this.client = newClient();
    if (writes) hold(this.client);
    replica.onRefused = refusal => {
      if (writes && this.unconfirmed) void this.refused(refusal);
      else this.status.show("wrong", refusal.message);
    };
    const state = editorState({
      replica,
      mode,
      title: data.section.title,
      language: data.document.language,
      selection: old ? EditorSelection.single(Math.min(old.state.selection.main.head, replica.text.length)) : undefined,
      writing: writes
        ? {
            client: this.client,
            confirmed: 0,
            origins: () => this.picker.origins,
            onSaving: (saving, unsent) => this.saving(saving, unsent),
            limit: data.section.limit,
            onFull: () => this.status.notice(t("text.full")),
            onRefused: refusal => void this.refused(refusal),
            onChange: (_view, confirmed) => this.keepUnsent(replica, confirmed),
            ...(held ? { onHeld: () => void this.openDraft() } : {}),
          }
        : null,
      marks: mode === "sources" ? sourcesShown((pos, deleted) => void this.sources?.open(pos, deleted)) : this.marks(),
      own: this.branch && this.draft ? { suggestion: this.draft.id, hue: data.organization?.hue ?? 0, hunks } : null,
      tellCaret: data.user && writes ? (anchor, head) => this.view && tellCaret(this.line, this.view, this.streams(), anchor, head) : null,
      onUpdate: update => this.updated(update),
    });
    if (old) {
      old.setState(state);
      if (writes && old.dom.contains(document.activeElement)) old.focus();
    } else {
      const place = $("#editor")!;
      this.view = new EditorView({ state, parent: place });
      $("#editor-fallback")?.remove();
      place.hidden = false;
    }
    this.root.dataset["writes"] = String(writes);
    this.placeEverything();
    this.remarks.entered();
    this.tellDraft();
    this.tellPlace();
    if (!writes) this.saving("saved", 0);
  }

  private updated(update: ViewUpdate): void {
    this.updateTools(update);
    this.orphans.update(update);
    // a key that moves no line moves no card; what it changes in their order comes a little later
    if (update.heightChanged || update.viewportChanged) this.cards.schedule();
    else if (update.docChanged) this.cards.scheduleLater();
    if (update.docChanged && this.mode === "sources") this.sources?.later();
    if (update.docChanged && this.branch && update.transactions.some(tr => tr.effects.some(effect => effect.is(arrived)))) this.branchMoved = true;
    if (update.selectionSet || update.docChanged) this.tellPlace();
    if (this.branch && update.docChanged) this.tellDraft();
  }

  private marks(): Extension {
    const canRemark = !!this.data.can.annotate;
    return [
      suggestionsShown((id, byKey) => void this.margin.select(`s-${id}`, byKey)),
      annotationsShown(id => void this.margin.select(`a-${id}`), canRemark ? (from, to) => this.remarks.start(from, to) : null),
    ];
  }

  // ── what the server says ──

  private listen(): void {
    const { line, main } = this;
    main.onJoin((joined, first) => {
      if (joined.people) this.company.took(main.stream, joined.people);
      if (!first) {
        this.placeEverything();
        void this.margin.refreshAll();
      }
    });
    main.onUpdates(() => this.tellPlace());
    line.on<Hunks>("hunks", hunks => this.everybody.took(hunks));
    line.on<{ stream: number; people: Person[] }>("people", message => {
      this.company.took(message.stream, message.people);
      this.showPeople();
    });
    // a suggestion by its number in the document, a remark by its id
    line.on<{ suggestion?: number; annotation?: number }>("card", message => {
      if (message.suggestion) void this.margin.refreshNumber(message.suggestion);
      if (message.annotation) void this.tookAnnotation(message.annotation);
    });
    line.on<{ section: number; what: string }>("section", message => void this.tookSection(message));
    line.onState(state => {
      if (state !== "open") {
        this.company.left();
        this.showPeople();
        if (this.view) this.saving(this.unconfirmed ? "unsent" : "saved", this.unconfirmed);
      } else if (this.view) this.saving(this.unconfirmed ? "saving" : "saved", this.unconfirmed);
    });
  }

  private streams() {
    return { main: this.main, branch: this.branch };
  }

  private tookHunks(hunks: Hunks): void {
    // a card is fetched again when its state changes, not at every keystroke
    const card = document.getElementById(`s-${hunks.suggestion}`);
    const state = [hunks.state, ...hunks.hunks.map(hunk => [hunk.id, hunk.state, hunk.base_changed, hunk.fulfilled, hunks.state === "draft" ? "" : hunk.hash].join())].join(" ");
    const changed = this.states.get(hunks.suggestion) !== state;
    this.states.set(hunks.suggestion, state);
    if (changed && hunks.state !== "draft") this.frame.contentsLater();
    if (card ? changed : hunks.state !== "gone" && hunks.hunks.length) this.margin.refreshSoon(hunks.number);
    else this.cards.scheduleLater();
    if (this.draft?.id === hunks.suggestion) this.tookOwn(hunks);
  }

  /** The server's form of the own hunks, where both texts are the same as its. */
  private tookOwn(hunks: Hunks): void {
    const view = this.view;
    if (!this.branch || !view || !this.draft) return;
    this.draft = { ...this.draft, number: hunks.number, state: hunks.state };
    if (hunks.state === "withdrawn" || hunks.state === "decided" || hunks.state === "gone") {
      this.draft = null;
      void this.mount("suggest");
      return;
    }
    if (sendableUpdates(view.state).length || hunks.branch_version !== this.branch.version || hunks.version !== this.main.version) return;
    const now = JSON.stringify(view.state.field(ownHunks).map(hunk => hunk.ground));
    const told = this.ownHunks();
    if (JSON.stringify(told.map(hunk => hunk.ground)) !== now && this.branchMoved) view.dispatch({ effects: setOwnHunks.of(told) });
    this.branchMoved = false;
    this.tellDraft();
  }
  private placeEverything(): void {
    this.everybody.placeAll();
    this.showPeople();
    this.cards.schedule();
  }

  private async tookAnnotation(id: number): Promise<void> {
    await this.margin.refresh(`a-${id}`);
    const card = document.getElementById(`a-${id}`);
    const version = Number(card?.dataset["version"] ?? 0);
    if (version > this.main.version) await this.main.pull();
    const at = (name: string) => (card?.dataset[name] === undefined ? null : Number(card.dataset[name]));
    this.everybody.tookAnnotation({ id, start: at("start"), end: at("end"), state: card?.dataset["state"] ?? "open" }, version);
    this.orphans.told(id, card?.dataset["state"] === "orphaned" ? (card.querySelector(".quote")?.textContent ?? "") : null);
    this.cards.schedule();
  }

  private async tookSection(message: { section: number; what: string }): Promise<void> {
    if (message.section === this.data.section.id && (message.what === "removed" || message.what === "phase")) {
      // what one may do has changed: the page says it anew; unsent words are kept by the browser
      this.unsent.now();
      location.reload();
      return;
    }
    this.frame.contentsLater();
  }

  // ── the own suggestion ──

  /** The first word of a new suggestion has been typed: its branch is opened, and the word goes there. */
  private async openDraft(): Promise<void> {
    if (this.opening) return;
    this.opening = true;
    this.status.show("saving", t("draft.opening"));
    try {
      const [suggestion, branch] = await openBranch(this.line, this.main, this.data.section.id, this.picker.origins);
      const view = this.view!;
      if (this.mode !== "suggest" || this.branch) {
        branch.close();
        return;
      }
      const typed = sendableUpdates(view.state).map(update => update.changes);
      const { selection } = view.state;
      const changes = typed.length ? typed.reduce((all, next) => all.compose(next)) : null;
      const fits = branch.text.eq(this.main.text);
      const words = fits || !changes ? changes : differenceOf(branch.text, view.state.doc);
      this.remarks.leaving();
      this.branch = branch;
      this.draft = { id: suggestion.id, number: suggestion.number, stream: suggestion.stream, state: "draft" };
      const scroll = scrollY;
      const had = view.hasFocus;
      this.setState(branch, []);
      if (words) view.dispatch({ changes: words, selection, userEvent: "input.type" });
      if (had) view.focus();
      scrollTo({ top: scroll, behavior: "instant" });
      this.tellDraft();
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      if (error.isPassing) {
        // nothing is lost: the words stay in the editor, and the next try comes with the line
        this.status.show("offline", t("offline.draft"));
        const off = this.line.onState(state => {
          if (state === "open") {
            off();
            void this.openDraft();
          }
        });
      } else if (error.code === "internal") this.status.show("wrong", error.message);
      else void this.refused(error);
    } finally {
      this.opening = false;
    }
  }

  private tellDraft(): void {
    this.bar.show(this.mode === "suggest", this.draft, this.branch ? (this.view?.state.field(ownHunks, false)?.length ?? 0) : 0);
  }

  private async file(filing: Filing): Promise<void> {
    if (!this.draft) return;
    const { id } = this.draft;
    await this.saved();
    await api("POST", `/api/v1/suggestions/${id}/file`, { ...filing, origins: this.picker.origins });
    this.draft = null;
    await this.mount("suggest");
    await this.margin.refresh(`s-${id}`);
    void this.margin.select(`s-${id}`);
  }

  /** Resolves when everything typed is stored. */
  private async saved(): Promise<void> {
    for (let i = 0; i < 100 && this.unconfirmed && this.line.state === "open"; i++) await new Promise(resolve => setTimeout(resolve, 50));
    if (this.unconfirmed) throw new Refusal("offline", t("offline.request"));
  }

  // ── saving, and what cannot be saved ──

  private saving(saving: Saving, unsent: number): void {
    this.status.saving(this.line.state, saving, unsent, this.writes(this.mode), !!this.data.user);
  }

  private keepUnsent(replica: Replica, confirmed: number): void {
    const { view, data, branch, client } = this;
    if (!view || !data.user || !this.writes(this.mode)) return;
    const user = data.user.id;
    const suggestion = branch ? (this.draft?.id ?? null) : null;
    this.unsent.changed(view, () => ({
      user,
      section: data.section.id,
      kind: replica !== this.main ? "branch" : this.mode === "suggest" ? "held" : "main",
      stream: replica.stream,
      suggestion,
      client,
      confirmed,
      version: replica.version,
      text: replica.text.toString(),
      updates: sendableUpdates(view.state).map(update => update.changes.toJSON()),
      origins: this.picker.origins,
      at: Date.now(),
    }));
  }

  /** The server will not take it: what was typed becomes a suggestion, or is shown to be copied. */
  private async refused(refusal: Refusal): Promise<void> {
    const record = this.unsent.handOver();
    if (!record || !this.view) return;
    this.status.show("saving", refusal.message);
    let fate: Fate;
    try {
      fate = await resend(this.line, record);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      return;
    }
    tellFate(fate, words => this.status.notice(words));
    this.draft = fate.kind === "suggested" ? { ...fate.suggestion, state: "draft" } : null;
    if (fate.kind !== "suggested") this.data.can = { ...this.data.can, edit: false };
    const mode: Mode = fate.kind === "suggested" ? "suggest" : "read";
    try {
      await this.mount(mode);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      this.draft = null;
      await this.mount("read");
    }
  }

  // ── people ──

  private showPeople(): void {
    this.company.show(this.view, this.streams(), this.main.joined?.key);
  }

  // ── controls ──

  private controls(): void {
    cardActions(
      this.cards,
      card => this.margin.refresh(card.id, true),
      draft => {
        this.draft = draft;
        void this.switchMode("suggest");
      },
    );
    addEventListener("hashchange", () => this.openFromAddress());
    addEventListener("scroll", () => this.cards.schedule(), { passive: true });
  }

  private async switchMode(mode: Mode): Promise<void> {
    if (this.unconfirmed) {
      try {
        await this.saved();
      } catch {
        // without a line the words wait where they were typed
        this.frame.check();
        this.status.notice(t("offline.stay"));
        return;
      }
    }
    const scroll = scrollY;
    try {
      await this.mount(mode);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      this.draft = null;
      this.status.notice(error.message);
      await this.mount(mode);
    }
    scrollTo({ top: scroll, behavior: "instant" });
  }

  private showMode(): void {
    this.frame.show(this.mode);
    if (this.mode === "sources") void this.sources?.load();
    this.cards.schedule();
    this.tellDraft();
  }

  /** The caret goes to a place of main. */
  private goTo(pos: number): void {
    const { view } = this;
    if (!view) return;
    const at = toEditor(view, this.streams(), this.main.stream, pos, this.main.version, 1) ?? Math.min(pos, view.state.doc.length);
    view.dispatch({ selection: { anchor: at }, effects: EditorView.scrollIntoView(at, { y: "start", yMargin: 130 }) });
    view.focus();
  }

  private tellPlace(): void {
    if (this.view) this.frame.tellPlace(this.view.state, (this.branch ?? this.main).version);
  }
}

const root = $("[data-workspace]");
const given = document.getElementById("workspace-data");
if (root && given) {
  const data = JSON.parse(given.textContent!) as Data;
  setWords(data.words);
  const workspace = new Workspace(root, data);
  (window as unknown as { workspace: Workspace }).workspace = workspace;
  void workspace.start();
}
