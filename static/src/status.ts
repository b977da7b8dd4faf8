// The quiet line under the text: connected, saving, saved, or what is wrong; and notices that stay until read.
import type { Saving } from "./editing";
import type { LineState } from "./line";
import { element, icon, t } from "./wire";

export class StatusLine {
  private readonly line = document.querySelector<HTMLElement>(".statusline")!;
  private readonly place = document.querySelector<HTMLElement>("[data-notices]");

  constructor(onRetry: () => void) {
    this.line.querySelector("[data-retry]")?.addEventListener("click", onRetry);
  }

  show(state: "saved" | "saving" | "offline" | "connecting" | "wrong", words: string): void {
    const { line } = this;
    if (line.dataset["state"] === state && line.dataset["words"] === words) return;
    line.dataset["state"] = state;
    line.dataset["words"] = words;
    const says = line.querySelector("[data-says-saving]")!;
    if (state === "offline") says.replaceChildren(icon("off"), element("strong", "", t("offline")), ` ${words}`);
    else if (state === "saving" || state === "connecting") {
      const pen = element("span", "pen hue-0", element("i"), element("i"), element("i"));
      pen.setAttribute("aria-hidden", "true");
      says.replaceChildren(pen, words);
    } else says.replaceChildren(icon(state === "wrong" ? "warn" : "check"), words);
    line.querySelector<HTMLElement>("[data-retry]")!.hidden = state !== "offline";
  }

  /** What the editor says about its unconfirmed updates; `writes` is false where nobody types. */
  saving(line: LineState, saving: Saving, unsent: number, writes: boolean, signedIn: boolean): void {
    if (line !== "open") this.show("offline", unsent && writes ? t("offline.unsent", { n: unsent }) : t("offline.reading"));
    else if (saving === "failing") this.show("wrong", t("wrong"));
    else if (saving === "saved") this.show("saved", signedIn ? t("saved") : t("connected"));
    else this.show("saving", t("saving"));
  }

  notice(words: string): void {
    if (this.place?.lastElementChild?.textContent === words) return;
    const close = element("button", "btn btn--quiet btn--icon push", icon("x"));
    close.type = "button";
    close.setAttribute("aria-label", t("close"));
    const notice = element("div", "notice", element("span", "", words), close);
    close.addEventListener("click", () => notice.remove());
    this.place?.append(notice);
  }
}

/** A refusal at the place where it happened; the one before it goes. */
export function refusedAt(place: Element, words: string): void {
  unsaid(place);
  const notice = element("p", "notice notice--wrong", words);
  notice.role = "alert";
  place.append(notice);
}

/** Something new is tried: what was refused there before is said no more. */
export function unsaid(place: Element): void {
  place.querySelectorAll(":scope > .notice").forEach(notice => notice.remove());
  place.querySelectorAll("[aria-invalid]").forEach(field => field.removeAttribute("aria-invalid"));
}
