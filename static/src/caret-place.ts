// Where the caret stands, as one says it of an official text: "§ 9 ust. 3 pkt 2".
import type { EditorState } from "@codemirror/state";
import { t } from "./wire";

// a paragraph sign further up than this many lines is not looked for
const REACH = 400;

export function caretPlace(state: EditorState): string {
  const { doc } = state;
  let [paragraph, point, sign] = ["", "", ""];
  const at = doc.lineAt(state.selection.main.head).number;
  for (let n = at; n >= Math.max(1, at - REACH) && !sign; n--) {
    const text = doc.line(n).text;
    const heading = /^#{1,6}\s+((?:§|Art\.)\s*\d+[a-z]*)/.exec(text);
    const item = /^(\s*)(\d{1,4}[a-z]?)([.)])\s/.exec(text);
    if (heading) sign = heading[1]!;
    else if (text.startsWith("#")) break;
    else if (item && !item[1] && !paragraph) paragraph = t("place.paragraph", { n: item[2]! });
    else if (item?.[1] && !point && !paragraph) point = t("place.point", { n: item[2]! });
  }
  return [sign, paragraph, point].filter(Boolean).join(" ");
}
