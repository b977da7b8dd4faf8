// What stands around the text: the mode switch, the parts that a mode shows, the contents, the place of the caret.
import type { EditorState } from "@codemirror/state";
import { caretPlace } from "./caret-place";
import { type Mode, partial, Refusal, t } from "./wire";

export interface Asked {
  mode: (mode: Mode) => void;
  /** a place of main that a heading in the contents names */
  place: (pos: number) => void;
  remark: () => void;
}

// counts in the contents change with every decision: several changes come together
const SOON = 1200;

export class Frame {
  private readonly place = document.querySelector(".statusline [data-place]");
  private timer: ReturnType<typeof setTimeout> | undefined;
  private mode: Mode;

  constructor(
    readonly root: HTMLElement,
    readonly contents: string,
    start: Mode,
    asked: Asked,
  ) {
    this.mode = start;
    document.addEventListener("change", event => {
      const field = event.target as HTMLInputElement;
      if (field.name === "mode" && field.closest(".modes")) asked.mode(field.value as Mode);
    });
    for (const button of document.querySelectorAll("button[data-remark]")) {
      // the selection stays in the text
      button.addEventListener("mousedown", event => event.preventDefault());
      button.addEventListener("click", asked.remark);
    }
    document.addEventListener("click", event => {
      const link = (event.target as Element).closest<HTMLElement>("a[data-pos]");
      if (!link) return;
      event.preventDefault();
      asked.place(Number(link.dataset["pos"]));
    });
  }

  show(mode: Mode): void {
    this.mode = mode;
    this.check();
    this.root.dataset["mode"] = mode;
    document.documentElement.dataset["mode"] = mode;
    for (const part of document.querySelectorAll<HTMLElement>("[data-for]")) part.hidden = !part.dataset["for"]!.split(" ").includes(mode);
    const url = new URL(location.href);
    url.searchParams.set("mode", mode);
    url.searchParams.delete("u");
    window.history.replaceState(null, "", url);
  }

  /** The switch says the mode that is shown, also when another one was asked for in vain. */
  check(): void {
    const radio = document.querySelector<HTMLInputElement>(`.modes input[value="${this.mode}"]`);
    if (radio) radio.checked = true;
  }

  /** Counts and titles in the contents, soon. */
  contentsLater(): void {
    this.timer ??= setTimeout(async () => {
      this.timer = undefined;
      try {
        const fresh = (await partial(this.contents)).querySelector<HTMLElement>(".contents");
        if (fresh) fresh.hidden = this.mode === "sources";
        if (fresh) document.querySelector(".contents")?.replaceWith(fresh);
      } catch (error) {
        if (!(error instanceof Refusal)) throw error;
      }
    }, SOON);
  }

  /** "§ 9 ust. 3 pkt 2 · version 482" for the caret. */
  tellPlace(state: EditorState, version: number): void {
    if (this.place) this.place.textContent = [caretPlace(state), t("place.version", { n: version })].filter(Boolean).join(" · ");
  }
}
