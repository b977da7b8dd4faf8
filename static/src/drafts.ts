// The bar of the own suggestion: its number, how many places it has, filing it with a reason, ending an amendment.
import { type Draft, icon, Refusal, t } from "./wire";

export interface Filing {
  reason: string;
  minutes_quote: string;
}

export class DraftBar {
  private readonly bar = document.querySelector<HTMLElement>("[data-draft]");
  private readonly fileButton = document.querySelector<HTMLButtonElement>("[data-file]");
  private readonly amended = document.querySelector<HTMLButtonElement>("[data-amended]");
  private readonly dialog = document.querySelector<HTMLDialogElement>("#file-suggestion");

  /** `file` raises Refusal, which is shown in the dialog. */
  constructor(file: (filing: Filing) => Promise<void>, onAmended: () => void) {
    const form = this.dialog?.querySelector("form");
    const place = form?.querySelector<HTMLElement>("[data-error]");
    this.fileButton?.addEventListener("click", () => {
      if (place) place.hidden = true;
      this.dialog?.showModal();
    });
    this.amended?.addEventListener("click", onAmended);
    form?.addEventListener("submit", event => {
      event.preventDefault();
      const fields = new FormData(form);
      file({ reason: String(fields.get("reason") ?? "").trim(), minutes_quote: String(fields.get("minutes_quote") ?? "").trim() }).then(
        () => {
          this.dialog!.close();
          form.reset();
        },
        (error: unknown) => {
          if (!(error instanceof Refusal) || !place) throw error;
          place.textContent = error.message;
          place.hidden = false;
        },
      );
    });
  }

  show(on: boolean, draft: Draft | null, places: number): void {
    const { bar, fileButton, amended } = this;
    if (!bar) return;
    bar.hidden = !on;
    const isFiled = draft !== null && draft.state !== "draft";
    const state = bar.querySelector<HTMLElement>("[data-draft-state]");
    if (state) {
      state.hidden = !draft;
      state.replaceChildren(icon("pencil"), isFiled ? t("filed", { number: draft.number }) : t("draft", { number: draft?.number ?? 0 }));
    }
    const words = !draft ? t("draft.none") : isFiled ? t("draft.places.filed", { n: places }) : t("draft.places", { n: places });
    // beside the buttons, and on a phone over the text
    for (const says of document.querySelectorAll("[data-draft-places], [data-draft-says]")) says.textContent = words;
    if (fileButton) {
      fileButton.hidden = isFiled;
      fileButton.disabled = places === 0;
    }
    if (amended) amended.hidden = !isFiled;
  }
}
