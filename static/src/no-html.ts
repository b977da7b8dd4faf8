// Stands in for @codemirror/lang-html, which lang-markdown asks for: a programme holds no HTML.
import { LanguageSupport, StreamLanguage } from "@codemirror/language";

const plain = StreamLanguage.define({
  token(stream) {
    stream.skipToEnd();
    return null;
  },
});

export const html = () => new LanguageSupport(plain);
export const htmlCompletionSource = () => null;
