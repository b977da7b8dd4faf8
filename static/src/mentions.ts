// "@" in a remark offers the names of those whom a mention tells; the server says who they are. The field keeps the
// focus, the list is beside it: arrows choose, Enter or Tab puts the name in, Escape leaves it as it was typed. A touch
// does the same. Fields are textareas with `data-mentions`; without script the name is typed in full.
import { api, element, Refusal } from "./wire";

export interface Mentionable {
  name: string;
  organization: string;
  code: string;
  hue: number;
}

const SHOWN = 8;
const LIST = "mentions";

const folded = (words: string) => words.normalize("NFD").replace(/\p{M}/gu, "").replace(/[łŁ]/g, "l").toLowerCase();

/** What is typed after the @ before the caret, and where the @ stands; null where no name is being written. */
export function beingWritten(text: string, caret: number): { at: number; typed: string } | null {
  const found = /(?:^|[\s([{"„“'/])@([^@\n]{0,60})$/u.exec(text.slice(0, caret));
  if (!found || /^\s/.test(found[1]!)) return null;
  return { at: caret - found[1]!.length - 1, typed: found[1]! };
}

/** Those whose name, a later word of it or whose organisation begins as typed; names first. A name that is written out is none. */
export function matching(people: readonly Mentionable[], typed: string): Mentionable[] {
  const begun = folded(typed);
  const ranked = people.map(person => {
    const name = folded(person.name);
    if (name === begun) return { person, rank: 3 };
    if (name.startsWith(begun)) return { person, rank: 0 };
    if (begun && name.split(/[\s-]+/).some((_, i, words) => words.slice(i).join(" ").startsWith(begun))) return { person, rank: 1 };
    const of = [person.code, person.organization].some(words => words && folded(words).startsWith(begun));
    return { person, rank: begun && of ? 2 : 3 };
  });
  return [0, 1, 2].flatMap(rank => ranked.filter(each => each.rank === rank).map(each => each.person)).slice(0, SHOWN);
}

class Mentions {
  private people: Promise<Mentionable[]> | null = null;
  private readonly list = element("ul", "mentions");
  private readonly says = element("p", "sr");
  private field: HTMLTextAreaElement | null = null;
  private found: Mentionable[] = [];
  private chosen = 0;
  private turns = 0;

  constructor(
    readonly path: string,
    label: string,
    readonly count: string,
  ) {
    this.list.id = LIST;
    this.list.role = "listbox";
    this.list.setAttribute("aria-label", label);
    this.list.hidden = true;
    this.says.role = "status";
    document.body.append(this.list, this.says);
    document.addEventListener("input", event => void this.typed(event.target));
    document.addEventListener("click", event => void this.typed(event.target));
    document.addEventListener("focusout", event => event.target === this.field && this.close());
    // before the keys of the page and of the card
    document.addEventListener("keydown", event => this.key(event), true);
    // the list is no place for the focus
    this.list.addEventListener("pointerdown", event => event.preventDefault());
    this.list.addEventListener("mousedown", event => event.preventDefault());
    this.list.addEventListener("click", event => {
      const option = (event.target as Element).closest<HTMLElement>("[role=option]");
      if (option) this.put(Number(option.dataset["index"]));
    });
    addEventListener("resize", () => this.place());
    addEventListener("scroll", () => this.place(), { capture: true, passive: true });
  }

  private async names(): Promise<Mentionable[]> {
    this.people ??= api<{ people: Mentionable[] }>("GET", this.path).then(answer => answer.people);
    try {
      return await this.people;
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      this.people = null; // asked again with the next key
      return [];
    }
  }

  private async typed(target: EventTarget | null): Promise<void> {
    if (!(target instanceof HTMLTextAreaElement) || !target.hasAttribute("data-mentions")) {
      if (target !== this.list && !this.list.contains(target as Node)) this.close();
      return;
    }
    const turn = ++this.turns;
    if (!beingWritten(target.value, target.selectionStart)) {
      this.close();
      return;
    }
    const people = await this.names();
    // other keys may have come while the names were asked for
    const now = beingWritten(target.value, target.selectionStart);
    if (turn !== this.turns || document.activeElement !== target) return;
    const found = now ? matching(people, now.typed) : [];
    if (found.length) this.open(target, found);
    else this.close();
  }

  private open(field: HTMLTextAreaElement, found: Mentionable[]): void {
    if (this.field !== field) this.close();
    this.field = field;
    this.found = found;
    this.chosen = 0;
    this.list.replaceChildren(
      ...found.map((person, i) => {
        const option = element("li", "mentions__one");
        option.role = "option";
        option.id = `${LIST}-${i}`;
        option.dataset["index"] = String(i);
        if (person.code) option.append(element("abbr", `tag hue-${person.hue}`, person.code));
        option.append(element("b", "", person.name));
        if (person.organization) option.append(element("span", "meta", person.organization));
        return option;
      }),
    );
    field.setAttribute("aria-autocomplete", "list");
    field.setAttribute("aria-controls", LIST);
    this.list.hidden = false;
    this.says.textContent = this.count.replace("{n}", String(found.length));
    this.mark();
    this.place();
  }

  private close(): void {
    this.turns++;
    if (!this.field) return;
    for (const name of ["aria-autocomplete", "aria-controls", "aria-activedescendant"]) this.field.removeAttribute(name);
    this.field = null;
    this.list.hidden = true;
    this.list.replaceChildren();
    this.says.textContent = "";
  }

  private mark(): void {
    for (const option of this.list.children) option.setAttribute("aria-selected", String(option.id === `${LIST}-${this.chosen}`));
    const option = this.list.children[this.chosen]!;
    this.field!.setAttribute("aria-activedescendant", option.id);
    option.scrollIntoView({ block: "nearest" });
  }

  /** Under the field, or over it where a keyboard or the edge leaves no room. */
  private place(): void {
    if (!this.field) return;
    const around = this.field.getBoundingClientRect();
    const screen = { top: visualViewport?.offsetTop ?? 0, height: visualViewport?.height ?? innerHeight };
    const { style } = this.list;
    style.left = `${Math.round(around.left)}px`;
    style.width = `${Math.round(around.width)}px`;
    const under = screen.top + screen.height - around.bottom - 8;
    const over = around.top - screen.top - 8;
    const isUnder = under >= Math.min(this.list.scrollHeight, 200) || under >= over;
    style.maxHeight = `${Math.round(Math.max(96, Math.min(320, isUnder ? under : over)))}px`;
    style.top = `${Math.round(isUnder ? around.bottom + 4 : around.top - 4 - this.list.offsetHeight)}px`;
  }

  private key(event: KeyboardEvent): void {
    if (!this.field || event.target !== this.field || event.isComposing || event.ctrlKey || event.metaKey || event.altKey) return;
    const { key } = event;
    if (key === "ArrowDown" || key === "ArrowUp") {
      this.chosen = (this.chosen + (key === "ArrowDown" ? 1 : this.found.length - 1)) % this.found.length;
      this.mark();
    } else if ((key === "Enter" || key === "Tab") && !event.shiftKey) this.put(this.chosen);
    else if (key === "Escape") this.close();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  private put(index: number): void {
    const field = this.field;
    const person = this.found[index];
    const now = field && beingWritten(field.value, field.selectionStart);
    if (!field || !person || !now) return;
    const end = field.selectionStart;
    const words = `@${person.name}${/^[\s,.;:!?)]/.test(field.value.slice(end)) ? "" : " "}`;
    field.focus();
    field.setSelectionRange(now.at, end);
    // so that it can be undone; where a browser does not know it, it is put in all the same
    if (!document.execCommand("insertText", false, words)) {
      field.setRangeText(words, now.at, end, "end");
      field.dispatchEvent(new Event("input", { bubbles: true }));
    }
    this.close();
  }
}

const told = document.querySelector<HTMLMetaElement>('meta[name="mentionable"]');
if (told) new Mentions(told.content, told.dataset["label"] ?? "", told.dataset["count"] ?? "");
