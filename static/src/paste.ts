// What is pasted from Word, a web page or a mail becomes Markdown: headings, strong and emphasised words, links, lists
// and tables stay, everything else of its looks goes. Without anything of that kind the plain text is taken.
//
// The HTML is only ever read: it is parsed into a document that loads and runs nothing, and only text leaves it.
import { EditorView } from "@codemirror/view";
import { asAddress } from "./markdown";

const SKIPPED = new Set(["SCRIPT", "STYLE", "HEAD", "TITLE", "META", "LINK", "TEMPLATE", "NOSCRIPT", "OBJECT", "IFRAME", "SVG", "IMG", "DEL", "S", "STRIKE", "O:P"]);
const BLOCKS = new Set(["P", "DIV", "SECTION", "ARTICLE", "MAIN", "HEADER", "FOOTER", "BLOCKQUOTE", "PRE", "BODY", "CENTER", "DL", "DT", "DD", "FIGURE", "FIGCAPTION", "FORM", "FIELDSET"]);
const BEGINS = /^(?:#{1,6} |\||> |\s*(?:-|\(?[\da-z]{1,4}[.)]) )/i;
const SAFE = /^(?:https?:|mailto:)/i;

/** One paragraph, heading, item or table: what stands before its words, and its words. */
interface Block {
  start: string;
  words: string;
  /** plain paragraphs only make no Markdown */
  isPlain: boolean;
}

const styleOf = (element: Element) => (element.getAttribute("data-style") ?? "").toLowerCase();

/** The HTML as a document; styles only as words to read, since a strict content policy reports each of them. */
function parsed(html: string): Document {
  const quiet = html.replace(/<style[\s\S]*?<\/style\s*>/gi, "").replace(/<[a-z][^>]*>/gi, tag => tag.replace(/\sstyle\s*=/gi, " data-style="));
  return new DOMParser().parseFromString(quiet, "text/html");
}

function isStrong(element: Element): boolean | null {
  const weight = /(?:^|;)\s*font-weight:\s*(\w+)/.exec(styleOf(element))?.[1];
  if (weight) return weight.startsWith("bold") || Number(weight) >= 600;
  return element.tagName === "B" || element.tagName === "STRONG" ? true : null;
}

function isEmphasised(element: Element): boolean | null {
  const style = /(?:^|;)\s*font-style:\s*(\w+)/.exec(styleOf(element))?.[1];
  if (style) return style === "italic" || style === "oblique";
  return element.tagName === "I" || element.tagName === "EM" ? true : null;
}

/** Puts a mark around words, never around the blanks at their ends. */
function marked(words: string, mark: string): string {
  const [, lead, inner, tail] = /^(\s*)([\s\S]*?)(\s*)$/.exec(words)!;
  return inner ? `${lead}${mark}${inner}${mark}${tail}` : words;
}

class Reader {
  readonly blocks: Block[] = [];
  private words = "";
  private start = "";
  private isPlain = true;

  /** Ends the block that is being read, and begins one with this beginning. */
  private next(start = "", isPlain = true): void {
    const words = this.words
      .split("\n")
      .map(line => line.replace(/[ \t\u00a0]+/g, " ").trim())
      .join("\n")
      .replace(/\n+$/, "")
      // marks that meet are one: **a****b**
      .replace(/\*\*\*\*/g, "");
    if (words.trim()) this.blocks.push({ start: this.start, words, isPlain: this.isPlain });
    this.words = "";
    this.start = start;
    this.isPlain = isPlain;
  }

  read(node: Node, depth = 0): void {
    for (const child of node.childNodes) {
      if (child.nodeType === Node.TEXT_NODE) this.words += (child.textContent ?? "").replace(/\s+/g, " ");
      else if (child instanceof Element) this.element(child, depth);
    }
  }

  private element(element: Element, depth: number): void {
    const name = element.tagName.toUpperCase();
    if (SKIPPED.has(name) || /mso-hide:\s*all|display:\s*none|mso-list:\s*ignore/.test(styleOf(element))) return;
    const heading = /^H([1-6])$/.exec(name)?.[1] ?? /^Mso(?:Heading|Title)(\d?)/.exec(element.className)?.[1];
    if (heading !== undefined) {
      this.next(`${"#".repeat(Number(heading) || 1)} `, false);
      this.words = (element.textContent ?? "").replace(/\s+/g, " ");
      this.next();
    } else if (name === "UL" || name === "OL") this.list(element, name === "OL", depth);
    else if (name === "TABLE") this.table(element);
    else if (name === "BR") this.words += "\n";
    else if (name === "HR") this.next();
    else if (BLOCKS.has(name)) {
      const item = wordItem(element);
      this.next(item ?? (name === "BLOCKQUOTE" ? "> " : ""), !item && name !== "BLOCKQUOTE");
      this.read(element, depth);
      this.next();
    } else this.inline(element, depth);
  }

  private inline(element: Element, depth: number): void {
    const before = this.words;
    const blocks = this.blocks.length;
    this.words = "";
    this.read(element, depth);
    // a wrapper around whole blocks is no mark of words
    if (this.blocks.length > blocks) {
      if (before.trim()) this.blocks.splice(blocks, 0, { start: "", words: before.trim(), isPlain: true });
      return;
    }
    let inner = this.words;
    const href = element.tagName === "A" ? (element.getAttribute("href") ?? "") : "";
    const isCode = element.tagName === "CODE" || element.tagName === "TT";
    if (inner.trim() && !inner.includes("\n")) {
      if (isCode) inner = marked(inner, "`");
      else if (SAFE.test(href)) inner = `[${inner.trim()}](${asAddress(href)})`;
      else {
        if (isEmphasised(element)) inner = marked(inner, "*");
        if (isStrong(element)) inner = marked(inner, "**");
      }
    }
    if (inner !== this.words) this.isPlain = false;
    this.words = before + inner;
  }

  private list(list: Element, isNumbered: boolean, depth: number): void {
    let n = Number(list.getAttribute("start")) || 1;
    for (const item of list.children) {
      if (item.tagName === "UL" || item.tagName === "OL") this.list(item, item.tagName === "OL", depth + 1);
      else {
        this.next(`${"   ".repeat(depth)}${isNumbered ? `${n++}.` : "-"} `, false);
        const begin = this.start;
        const at = this.blocks.length;
        this.read(item, depth + 1);
        this.next();
        // a paragraph inside the item is the item
        const first = this.blocks[at];
        if (first && !first.start.trim()) Object.assign(first, { start: begin, isPlain: false });
      }
    }
  }

  private table(table: Element): void {
    this.next();
    const rows = [...table.querySelectorAll("tr")].map(row =>
      [...row.children].map(cell => (cell.textContent ?? "").replace(/\s+/g, " ").trim().replace(/\|/g, "\\|")),
    );
    const width = Math.max(0, ...rows.map(row => row.length));
    if (width === 0) return;
    const lines = rows.map(row => `| ${Array.from({ length: width }, (_, i) => row[i] ?? "").join(" | ")} |`);
    lines.splice(1, 0, `|${" --- |".repeat(width)}`);
    this.blocks.push({ start: "", words: lines.join("\n"), isPlain: false });
  }

  done(): Block[] {
    this.next();
    return this.blocks;
  }
}

/** Word writes an item of a list as a paragraph with its number in a span: "1." or a dot, and the level in its style. */
function wordItem(element: Element): string | null {
  const level = /mso-list:\s*l\d+\s+level(\d)/.exec(styleOf(element))?.[1];
  if (!level) return null;
  const sign = [...element.querySelectorAll("span")].find(span => /mso-list:\s*ignore/.test(styleOf(span)))?.textContent ?? "";
  const number = /^\s*(\(?[\da-z]{1,4}[.)])/i.exec(sign)?.[1];
  return `${"   ".repeat(Number(level) - 1)}${number ?? "-"} `;
}

/** The Markdown of pasted HTML; null when there is nothing in it but plain words. */
export function markdownOf(html: string): string | null {
  const reader = new Reader();
  reader.read(parsed(html).body);
  const blocks = reader.done();
  if (!blocks.length || blocks.every(block => block.isPlain)) return null;
  return blocks.map(block => block.start + block.words).join("\n\n");
}

export function richPaste(): ReturnType<typeof EditorView.domEventHandlers> {
  return EditorView.domEventHandlers({
    paste(event, view) {
      const html = event.clipboardData?.getData("text/html");
      if (!html || view.state.readOnly) return false;
      const words = markdownOf(html);
      if (words === null) return false;
      event.preventDefault();
      // a heading or an item begins a line of its own
      const { from } = view.state.selection.main;
      const before = view.state.doc.lineAt(from).text.slice(0, from - view.state.doc.lineAt(from).from);
      const lead = before.trim() && BEGINS.test(words) ? "\n\n" : "";
      view.dispatch(view.state.replaceSelection(lead + words), { userEvent: "input.paste", scrollIntoView: true });
      return true;
    },
  });
}
