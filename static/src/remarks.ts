// A new remark: a card with a field, level with the selected words, until it is sent or given up.
import type { EditorView } from "@codemirror/view";
import type { Cards } from "./cards";
import { refusedAt } from "./status";
import { Refusal } from "./wire";

export interface Remark {
  text: string;
  kind: string;
}

/** Opens the form; `send` raises Refusal, which is shown on the card. */
export function startRemark(view: EditorView, cards: Cards, from: number, to: number, send: (remark: Remark) => Promise<void>): void {
  const template = document.querySelector<HTMLTemplateElement>("#remark-form");
  if (!template) return;
  document.getElementById("new-remark")?.remove();
  const form = template.content.firstElementChild!.cloneNode(true) as HTMLFormElement;
  const field = form.querySelector("textarea")!;
  form.dataset["from"] = String(from);
  form.querySelector("[data-quote]")!.textContent = view.state.sliceDoc(from, to).slice(0, 200);
  form.addEventListener("submit", event => {
    event.preventDefault();
    const text = field.value.trim();
    if (!text) return;
    send({ text, kind: String(new FormData(form).get("kind") ?? "remark") }).then(
      () => {
        form.remove();
        cards.schedule();
      },
      (error: unknown) => {
        if (!(error instanceof Refusal)) throw error;
        refusedAt(form, error.message);
        cards.schedule();
      },
    );
  });
  form.querySelector("[data-cancel]")?.addEventListener("click", () => {
    form.remove();
    cards.select(null);
  });
  (cards.margin.querySelector("[data-cards]") ?? cards.margin).append(form);
  cards.select(form);
  field.focus();
}
