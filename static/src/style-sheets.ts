// CodeMirror's style rules as a constructed style sheet instead of a <style> element, which the content policy
// refuses. Takes the place of the package style-mod in the build; everything but `mount` is the package's own.
import { StyleModule as Original } from "../node_modules/style-mod/src/style-mod.js";

// what style-mod looks at to choose the constructed sheet: a root without a head
const root = {
  ownerDocument: document,
  get adoptedStyleSheets() {
    return document.adoptedStyleSheets;
  },
  set adoptedStyleSheets(sheets: CSSStyleSheet[]) {
    document.adoptedStyleSheets = sheets;
  },
} as unknown as ShadowRoot;

export class StyleModule extends Original {
  static override mount(_where: Document | ShadowRoot | DocumentOrShadowRoot, modules: Original | readonly Original[]): void {
    Original.mount(root, modules);
  }
}
