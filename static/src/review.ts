// Review mode in the margin: each card decides on what was read. The request names the branch version and the hash
// of every hunk; if one has changed since, the server refuses with the new state and the card says so.
import type { Cards } from "./cards";
import { refusedAt, unsaid } from "./status";
import { api, element, Refusal, t } from "./wire";

interface Item {
  suggestion: number;
  hunk: number;
  branch_version: number;
  hash: string;
  /** main has changed under it: it is accepted one way or the other */
  base_changed?: boolean;
  mode?: string;
}

interface Decided {
  decisions: { id: number }[] | number[];
}

/** The form of the card that is shown now: it may have come anew while the server answered. */
const shownNow = (card: HTMLElement): HTMLElement => document.getElementById(card.id) ?? card;

/** Whether the focus was left by the card that came anew: it is taken from nobody who has gone on to another place. */
const isFree = (card: HTMLElement): boolean => {
  const at = document.activeElement;
  return !at || at === document.body || !!at.closest(`#${card.id}`);
};

export class Review {
  private readonly made: number[][] = [];
  /** what became of a card, for those who do not see it */
  private readonly status = element("p", "sr");
  private busy = false;

  constructor(
    readonly section: number,
    readonly cards: Cards,
    readonly refresh: (card: HTMLElement) => Promise<void>,
    readonly isOn: () => boolean,
  ) {
    this.status.role = "status";
    this.status.dataset["decided"] = "";
    document.body.append(this.status);
    cards.margin.addEventListener("click", event => {
      const button = (event.target as Element).closest<HTMLElement>("[data-verdict]");
      const card = button?.closest<HTMLElement>(".card");
      if (button && card) void this.decide(card, button.dataset["verdict"]!, button.dataset["mode"]);
      const back = (event.target as Element).closest<HTMLElement>("[data-revert]");
      if (back) void this.takeBack(Number(back.dataset["revert"]), back.closest<HTMLElement>(".card"), true);
    });
    document.addEventListener("keydown", event => this.key(event));
  }

  private key(event: KeyboardEvent): void {
    if (!this.isOn() || event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    const target = event.target as HTMLElement;
    if (target.closest("input:not([type=radio], [type=checkbox]), textarea, select, dialog, .cm-panel")) {
      if (event.key === "Escape") target.blur();
      return;
    }
    const key = event.key.toLowerCase();
    const card = this.cards.selected;
    if (key === "j" || key === "k") this.cards.step(key === "j" ? 1 : -1)?.focus({ preventScroll: true });
    else if (key === "a" && card) void this.decide(card, "accepted");
    else if (key === "r" && card) void this.decide(card, "rejected");
    else if (key === "w" && card) this.reword(card);
    else if (key === "u" || key === "z") void this.undo();
    else return;
    event.preventDefault();
  }

  private items(card: HTMLElement, mode?: string): Item[] {
    const all = JSON.parse(card.dataset["items"] ?? "[]") as Item[];
    const boxes = [...card.querySelectorAll<HTMLInputElement>("input[name=hunk]")];
    const on = boxes.length ? all.filter(item => boxes.some(box => box.checked && Number(box.value) === item.hunk)) : all;
    return mode ? on.map(item => (item.base_changed ? { ...item, mode } : item)) : on;
  }

  private reword(card: HTMLElement): void {
    const details = card.querySelector<HTMLDetailsElement>("details[data-reword]");
    if (!details) return;
    details.open = true;
    details.querySelector("textarea")?.focus();
  }

  private async decide(card: HTMLElement, verdict: string, mode?: string): Promise<void> {
    if (this.busy || !card.dataset["items"]) return;
    unsaid(card);
    const items = this.items(card, mode);
    const reason = card.querySelector<HTMLTextAreaElement>("textarea[name=reason]");
    if (!items.length) {
      this.says(card, t("review.nothing"));
      return;
    }
    if (verdict === "rejected" && reason && !reason.value.trim()) {
      this.says(card, t("review.reason"));
      reason.setAttribute("aria-invalid", "true");
      reason.focus();
      return;
    }
    const wording = verdict === "reworded" ? card.querySelector<HTMLTextAreaElement>("textarea[name=wording]")?.value : undefined;
    const supersedes = JSON.parse(card.dataset["supersedes"] ?? "[]") as [number, number][];
    this.busy = true;
    try {
      const answer = await api<Decided>("POST", `/api/v1/sections/${this.section}/decisions`, {
        items,
        verdict: verdict === "reworded" ? "accepted" : verdict,
        reason: reason?.value.trim() ?? "",
        ...(wording === undefined ? {} : { wording }),
        supersedes,
      });
      this.busy = false;
      this.made.push(answer.decisions.map(decision => (typeof decision === "number" ? decision : decision.id)));
      // the reason has arrived: it is not carried into the new form of the card
      for (const form of new Set([card, shownNow(card)])) form.querySelectorAll<HTMLTextAreaElement>(".card__decide textarea").forEach(field => (field.value = field.defaultValue));
      await this.refresh(card);
      this.tell(card);
      if (isFree(card)) this.goOn(card, supersedes);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      // what it says now comes with the words that were typed, and with the refusal
      if (error.code === "stale_review") await this.refresh(card);
      this.says(card, error.message || t("review.stale"));
    } finally {
      this.busy = false;
    }
  }

  /** To the next card on which something is left to decide, without the rivals that have just given way; else to this one. */
  private goOn(card: HTMLElement, supersedes: readonly [number, number][]): void {
    const isLeft = (item: Item) => !supersedes.some(([suggestion, hunk]) => suggestion === item.suggestion && hunk === item.hunk);
    const next = this.cards.after(card.id, each => (JSON.parse(each.dataset["items"] ?? "[]") as Item[]).some(isLeft));
    if (next) this.cards.select(next, true);
    (next ?? shownNow(card)).focus({ preventScroll: true });
  }

  /** Takes back what was decided last here. */
  private async undo(): Promise<void> {
    const card = this.cards.selected ?? this.cards.all[0] ?? null;
    for (const decision of this.made.pop()?.reverse() ?? []) await this.takeBack(decision, card);
  }

  /** A decision taken back; where newer words would go too, only after they were shown. `isIts`: it was made on this card. */
  private async takeBack(decision: number, card: HTMLElement | null, isIts = false): Promise<void> {
    const path = `/api/v1/decisions/${decision}/revert`;
    try {
      await api("POST", path, {});
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      const preview = error.details["preview"] as { sentences?: { before: string; after: string }[] } | undefined;
      const shown = preview?.sentences?.map(one => `${one.before}\n→ ${one.after}`).join("\n\n");
      if (preview && confirm(`${error.message}\n\n${shown ?? ""}\n\n${t("review.confirm")}`)) {
        try {
          await api("POST", path, { confirm: preview });
        } catch (again) {
          if (!(again instanceof Refusal)) throw again;
          if (card) this.says(card, again.message);
          return;
        }
      } else if (card) {
        this.says(card, error.message);
        return;
      }
    }
    if (!card) return;
    await this.refresh(card);
    if (isIts) this.tell(card);
    if (isFree(card)) shownNow(card).focus({ preventScroll: true });
  }

  private tell(card: HTMLElement): void {
    const state = shownNow(card).querySelector(".card__states")?.textContent?.trim();
    this.status.textContent = [`U-${card.dataset["number"]}`, state].filter(Boolean).join(": ");
  }

  private says(card: HTMLElement, words: string): void {
    refusedAt(shownNow(card), words);
    this.cards.schedule();
  }
}
