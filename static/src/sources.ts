// The two panels of Sources mode: the legend, which counts and filters, and the story of the words that were asked for.
import type { EditorView } from "@codemirror/view";
import { type Attribution, attributionField, type Colouring, legendOf, showAttribution, tone } from "./attribution";
import { api, element, partial, Refusal, t } from "./wire";

/** A number as the pages write it: "19 831" in Polish, "19,831" in English. */
const count = (number: number) => new Intl.NumberFormat(document.documentElement.lang, { useGrouping: "always" }).format(number);

export class Sources {
  private attribution: Attribution | null = null;
  private readonly hidden = new Set<string>();
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    readonly legend: HTMLElement,
    readonly story: HTMLElement,
    readonly view: () => EditorView | null,
    readonly section: number,
    readonly storyPath: string,
  ) {
    legend.addEventListener("change", event => this.changed(event.target as HTMLInputElement | HTMLSelectElement));
    story.addEventListener("click", event => {
      const target = event.target as Element;
      if (target.closest("[data-close-sheet]")) this.close();
      const link = target.closest<HTMLAnchorElement>("a[data-story-link]");
      if (link && !event.ctrlKey && !event.metaKey) {
        event.preventDefault();
        void this.tell(link.getAttribute("href")!);
      }
    });
  }

  /** Asks the server who brought in what, and colours. */
  async load(): Promise<void> {
    try {
      this.attribution = await api<Attribution>("GET", `/api/v1/sections/${this.section}/attribution?deleted=1`);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      this.legend.querySelector("[data-says]")!.textContent = error.message;
      return;
    }
    this.show();
  }

  /** The text has changed: count anew, soon. */
  later(): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.load(), 800);
  }

  private show(selected?: number): void {
    const view = this.view();
    if (!view || !this.attribution || !view.state.field(attributionField, false)) return;
    const total = this.attribution.spans.reduce((sum, [length]) => sum + length, 0);
    if (total !== view.state.doc.length) {
      this.later();
      return;
    }
    view.dispatch({
      effects: showAttribution.of({
        attribution: this.attribution,
        by: this.by,
        hidden: new Set(this.hidden),
        deleted: this.isOn("deleted"),
        labels: this.isOn("labels"),
        ...(selected === undefined ? {} : { selected }),
      }),
    });
    this.draw();
  }

  // read from the controls, never from a copy: a browser may put them back as they stood before a reload
  private get by(): Colouring {
    return this.legend.querySelector<HTMLSelectElement>("[name=by]")!.value as Colouring;
  }

  private isOn(name: "deleted" | "labels"): boolean {
    return this.legend.querySelector<HTMLInputElement>(`[name=${name}]`)!.checked;
  }

  private changed(field: HTMLInputElement | HTMLSelectElement): void {
    if (field.name === "by") this.hidden.clear();
    else if (field.name === "key") {
      if ((field as HTMLInputElement).checked) this.hidden.delete(field.value);
      else this.hidden.add(field.value);
    }
    const focus = field.name === "key" ? field.value : null;
    this.show();
    if (focus !== null) this.legend.querySelector<HTMLElement>(`input[value="${CSS.escape(focus)}"]`)?.focus();
  }

  private draw(): void {
    const legend = legendOf(this.attribution!, this.by);
    this.legend.querySelector("[data-says]")!.replaceChildren(element("b", "", count(legend.brought)), ` ${t("legend.brought", { all: count(legend.characters) })}`);
    const share = this.legend.querySelector(".share")!;
    share.replaceChildren(...legend.keys.map(key => element("i", `${tone(key)} v-${percent(key.characters, legend.characters)}`)));
    const most = Math.max(1, ...legend.keys.filter(key => key.id !== "team").map(key => key.characters));
    this.legend.querySelector(".legend__list")!.replaceChildren(
      ...legend.keys.map(key => {
        const box = element("input");
        box.type = "checkbox";
        box.name = "key";
        box.value = key.id;
        box.checked = !this.hidden.has(key.id);
        const name = element("span", "key__name", key.label);
        name.title = key.label;
        const label = element("label", `key ${tone(key)}`, box, element("span", `tag ${tone(key)}`, key.code), name, element("span", "num", count(key.characters)));
        if (key.id !== "team") {
          const bar = element("span", `key__bar v-${percent(key.characters, most)}`);
          bar.setAttribute("aria-hidden", "true");
          label.append(bar);
        }
        return element("li", "", label);
      }),
    );
    const removed = this.legend.querySelector("[data-deleted-count]");
    if (removed) removed.textContent = count(legend.deleted);
  }

  /** Opens the story of the words at a position of the editor's text. */
  async open(pos: number, deleted: boolean): Promise<void> {
    this.show(deleted ? -1 : pos);
    this.story.hidden = false;
    this.story.classList.add("is-open");
    const version = this.attribution?.version;
    const query = new URLSearchParams({ pos: String(pos), ...(version === undefined ? {} : { version: String(version) }), ...(deleted ? { deleted: "1" } : {}) });
    await this.tell(`${this.storyPath}?${query}`);
  }

  /** A story, by its address: of words in the text, or of those that had stood before them. */
  private async tell(address: string): Promise<void> {
    const place = this.story.querySelector("[data-story]")!;
    try {
      place.replaceChildren(await partial(address));
      this.story.scrollTop = 0;
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      place.replaceChildren(element("p", "notice notice--wrong", error.message));
    }
  }

  close(): void {
    this.story.classList.remove("is-open");
    this.show(-1);
  }
}

const percent = (part: number, whole: number) => (whole ? Math.max(1, Math.round((100 * part) / whole)) : 0);
