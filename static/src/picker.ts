// On whose behalf one writes: organisations, and the meeting where they said it. The choice is kept per document.
import { api, element, Refusal, t } from "./wire";

interface Choice {
  organizations?: number[];
  meeting?: number | null;
}

export class Picker {
  private readonly list = document.querySelector<HTMLElement>("[data-origins]");
  private readonly shown = document.querySelector<HTMLElement>("[data-origins-shown]");
  private readonly key: string;

  /** `origins` are the ids that the next update is sent with. */
  constructor(
    public origins: number[],
    document_id: number,
    readonly path: string,
    readonly onChange: (origins: number[]) => Promise<void>,
    readonly onRefused: (words: string) => void,
  ) {
    this.key = `drafting.origins.${document_id}`;
    if (!this.list) return;
    const kept = this.kept();
    if (kept) {
      for (const box of this.list.querySelectorAll("input")) {
        box.checked = box.name === "organization" ? !!kept.organizations?.includes(Number(box.value)) : box.value === String(kept.meeting ?? "");
      }
    }
    this.show();
    void this.take();
    this.list.addEventListener("change", () => {
      this.show();
      try {
        localStorage.setItem(this.key, JSON.stringify(this.choice()));
      } catch {
        /* the choice then lasts as long as the page */
      }
      void this.take(true);
    });
  }

  private kept(): Choice | null {
    try {
      return JSON.parse(localStorage.getItem(this.key) ?? "null") as Choice | null;
    } catch {
      return null;
    }
  }

  private chosen() {
    const boxes = [...(this.list?.querySelectorAll<HTMLInputElement>("input:checked") ?? [])];
    return { organizations: boxes.filter(box => box.name === "organization"), meeting: boxes.find(box => box.name === "meeting" && box.value) };
  }

  private choice(): Required<Choice> {
    const { organizations, meeting } = this.chosen();
    return { organizations: organizations.map(box => Number(box.value)), meeting: meeting ? Number(meeting.value) : null };
  }

  /** Asks for the ids of what is chosen. */
  private async take(changed = false): Promise<void> {
    const choice = this.choice();
    try {
      if (choice.organizations.length || choice.meeting !== null) {
        this.origins = (await api<{ origins: number[] }>("POST", this.path, choice)).origins;
      } else this.origins = [];
      if (changed) await this.onChange(this.origins);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      if (!error.isPassing) this.onRefused(error.message);
    }
  }

  private show(): void {
    const { organizations, meeting } = this.chosen();
    const [first] = organizations;
    const parts: Node[] = [];
    if (first) {
      const tag = element("abbr", `tag hue-${first.dataset["hue"] ?? 0}`, first.dataset["code"] ?? "");
      tag.title = first.dataset["label"] ?? "";
      parts.push(tag, element("b", "", first.dataset["label"] ?? ""));
    }
    if (organizations.length > 1) parts.push(element("span", "lead", `+${organizations.length - 1}`));
    if (meeting) {
      const says = t("meeting", { number: meeting.dataset["code"] ?? "", topic: meeting.dataset["label"] ?? "" });
      parts.push(element("span", first ? "lead more" : "", first ? `· ${says}` : says));
    }
    this.shown?.replaceChildren(...(parts.length ? parts : [element("b", "", t("origins.none"))]));
  }
}
