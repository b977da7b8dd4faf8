// What the buttons and forms of a card do: they post to the JSON API, and the card is fetched again.
//
// `data-post` names the call, on a button (with `data-body`, and `data-asks` before what cannot be undone) or a form;
// `data-amend` holds the suggestion that its author goes on writing.
import type { Cards } from "./cards";
import { refusedAt, unsaid } from "./status";
import { api, type Draft, Refusal, t } from "./wire";

export function cardActions(cards: Cards, refresh: (card: HTMLElement) => Promise<void>, amend: (draft: Draft) => void): void {
  const post = async (from: HTMLElement, path: string, body: object): Promise<void> => {
    const card = from.closest<HTMLElement>(".card");
    if (from.hasAttribute("aria-busy")) return;
    from.setAttribute("aria-busy", "true");
    if (card) unsaid(card);
    try {
      const answer = await api<{ found?: { outcome: string } } | null>("POST", path, body);
      // what was typed has arrived; the rest of the card's words go over into its new form
      if (from instanceof HTMLFormElement) (now(from) as HTMLFormElement).reset();
      if (card) await refresh(card);
      // the passage of an orphan: it never guesses
      if (card && answer?.found && answer.found.outcome !== "found") refusedAt(now(card), t(`find.${answer.found.outcome}`));
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      if (card) refusedAt(now(card), error.message);
      cards.schedule();
    } finally {
      from.removeAttribute("aria-busy");
    }
  };
  /** The form of a card, or of a part of it, that is shown now: it may have come anew while the server answered. */
  const now = (was: HTMLElement): HTMLElement => {
    if (was.isConnected) return was;
    const card = document.getElementById(was.closest<HTMLElement>(".card")?.id ?? "");
    const post = was.dataset["post"];
    return (post && card ? card.querySelector<HTMLElement>(`form[data-post="${CSS.escape(post)}"]`) : card) ?? was;
  };
  cards.margin.addEventListener("click", event => {
    const target = event.target as Element;
    const amended = target.closest<HTMLElement>("[data-amend]");
    if (amended) {
      amend(JSON.parse(amended.dataset["amend"]!) as Draft);
      return;
    }
    const button = target.closest<HTMLElement>("button[data-post]");
    if (!button || (button.dataset["asks"] && !confirm(button.dataset["asks"]))) return;
    void post(button, button.dataset["post"]!, JSON.parse(button.dataset["body"] ?? "{}") as object);
  });
  cards.margin.addEventListener("submit", event => {
    const form = event.target as HTMLFormElement;
    if (!form.dataset["post"]) return;
    event.preventDefault();
    void post(form, form.dataset["post"], Object.fromEntries(new FormData(form)));
  });
}
