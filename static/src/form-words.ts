// Words typed into cards and dialogs outlive the page for once: a reload, also one that the page asks for itself, puts
// them back. They are kept for this tab and this section only, and what was sent is not among them.
const PREFIX = "drafting.words.";
const FIELDS = ".margin textarea[id], #file-suggestion textarea[id]";

export function keepFormWords(section: number, reopenRemark: () => void): void {
  const key = `${PREFIX}${section}`;
  const fields = () => [...document.querySelectorAll<HTMLTextAreaElement>(FIELDS)].filter(field => !field.readOnly);
  try {
    const kept = JSON.parse(sessionStorage.getItem(key) ?? "{}") as Record<string, string>;
    sessionStorage.removeItem(key);
    if (kept["new-remark-t"]) reopenRemark();
    for (const field of fields()) {
      const words = kept[field.id];
      if (words === undefined || field.value !== field.defaultValue) continue;
      field.value = words;
      field.closest("details")?.setAttribute("open", "");
    }
  } catch {
    /* storage switched off: then a reload loses them, as everywhere */
  }
  addEventListener("pagehide", () => {
    const typed = fields().filter(field => field.value !== field.defaultValue).map(field => [field.id, field.value]);
    try {
      if (typed.length) sessionStorage.setItem(key, JSON.stringify(Object.fromEntries(typed)));
    } catch {
      /* full or switched off */
    }
  });
}
