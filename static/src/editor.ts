// The editor's state for a stream in a mode: which extensions it has and what it is called. One view shows them all.
import { defaultKeymap, history, historyKeymap, indentWithTab } from "@codemirror/commands";
import { search, searchKeymap } from "@codemirror/search";
import { type EditorSelection, EditorState, type Extension } from "@codemirror/state";
import { EditorView, keymap, type ViewUpdate } from "@codemirror/view";
import { boundWords } from "./bound";
import { editing, following, type Writing } from "./editing";
import { markdownAsTyped, markdownKeys } from "./markdown";
import { richPaste } from "./paste";
import { presence } from "./presence";
import type { Replica } from "./replica";
import { type OwnHunk, ownSuggestion, suggesting } from "./suggestions";
import { askForAddress, phrases } from "./toolbar";
import { type Mode, t } from "./wire";

export interface Shown {
  replica: Replica;
  mode: Mode;
  title: string;
  language: string;
  selection: EditorSelection | undefined;
  /** null where nobody types */
  writing: Writing | null;
  /** sources in their mode, else suggestions and remarks */
  marks: Extension;
  /** the own suggestion, when the text is its branch */
  own: { suggestion: number; hue: number; hunks: readonly OwnHunk[] } | null;
  tellCaret: ((anchor: number | null, head: number | null) => void) | null;
  onUpdate: (update: ViewUpdate) => void;
}

// Tab leaves the text, as everywhere on the page; Escape and arrows do not need it
const notTab = (binding: { key?: string }) => binding.key !== "Tab";

const keys = (): Extension => [
  history(),
  richPaste(),
  markdownKeys(askForAddress),
  keymap.of([...historyKeymap, ...defaultKeymap, ...searchKeymap, indentWithTab].filter(notTab)),
];

export function editorState(shown: Shown): EditorState {
  const { replica, writing, own, mode } = shown;
  return EditorState.create({
    doc: replica.text,
    selection: shown.selection,
    extensions: [
      writing ? editing(replica, writing) : following(replica),
      writing ? keys() : keymap.of([...searchKeymap]),
      EditorState.readOnly.of(!writing),
      EditorView.editable.of(!!writing),
      EditorState.phrases.of(phrases()),
      search({ top: true }),
      EditorView.lineWrapping,
      EditorView.contentAttributes.of({
        "aria-label": shown.title || t("text"),
        lang: shown.language,
        spellcheck: "true",
        autocorrect: "on",
        autocapitalize: "sentences",
        ...(writing ? {} : { tabindex: "0", "aria-readonly": "true" }),
      }),
      EditorView.editorAttributes.of({ class: `text cm-mode-${mode}` }),
      markdownAsTyped(),
      boundWords(),
      shown.marks,
      own ? suggesting(own.hue, own.hunks) : [],
      ownSuggestion.of(own?.suggestion ?? null),
      presence(shown.tellCaret),
      EditorView.updateListener.of(shown.onUpdate),
    ],
  });
}
