// Stories on the page of sources: the words that were chosen are marked, their story opens beside them (a sheet on a
// phone) and closes again; the places that a filter lets through are shown one after the other. Without this every run
// is a link to a page with both.
import htmx from "htmx.org";

const panel = document.querySelector<HTMLElement>(".sources > .story");

if (panel) {
  const place = document.getElementById("story-place")!;
  let chosen: HTMLAnchorElement | null = document.querySelector<HTMLAnchorElement>("a.run.is-selected, a:has(> .run.is-selected)");

  const marked = (link: HTMLElement) => (link.matches(".run") ? link : (link.querySelector<HTMLElement>(".run") ?? link));

  const choose = (link: HTMLAnchorElement | null) => {
    for (const each of document.querySelectorAll(".run.is-selected")) each.classList.remove("is-selected");
    chosen = link;
    if (!link) return;
    // a run of several lines or paragraphs is several links to one story
    for (const each of document.querySelectorAll<HTMLElement>(".canvas a[href]")) {
      if (each.getAttribute("href") === link.getAttribute("href")) marked(each).classList.add("is-selected");
    }
  };

  document.addEventListener("htmx:afterSwap", event => {
    const { target, requestConfig } = (event as CustomEvent<{ target: Element; requestConfig: { elt: Element; triggeringEvent?: PointerEvent } }>).detail;
    if (target !== place) return;
    const link = requestConfig.elt.closest<HTMLAnchorElement>(".canvas a[href]");
    if (link) choose(link);
    panel.classList.add("is-open");
    panel.parentElement!.classList.add("has-story");
    panel.scrollTop = 0;
    // by a key, which no pointer made (Firefox counts it as one click): the reader goes on in the story
    const click = requestConfig.triggeringEvent;
    if (click?.detail === 0 || click?.pointerType === "") panel.focus({ preventScroll: true });
    else link?.scrollIntoView({ block: "nearest" });
  });

  const close = () => {
    const link = chosen;
    panel.classList.remove("is-open");
    choose(null);
    link?.focus({ preventScroll: true });
  };

  panel.addEventListener("click", event => {
    const target = event.target as Element;
    if (target.closest("[data-close-sheet]")) {
      event.preventDefault();
      close();
    }
    const link = target.closest<HTMLAnchorElement>("a[data-story-link]");
    if (link && !event.ctrlKey && !event.metaKey) {
      event.preventDefault();
      // words that stand in the text on this page are shown there as well
      const run = new URL(link.href).searchParams.get("run");
      const there = run ? [...document.querySelectorAll<HTMLAnchorElement>(".canvas a[href]")].find(each => new URL(each.href).searchParams.get("run") === run) : undefined;
      if (there) {
        there.scrollIntoView({ block: "center" });
        there.click();
      } else void htmx.ajax("get", link.getAttribute("href")!, { target: "#story-place", swap: "innerHTML" });
    }
  });
  document.addEventListener("keydown", event => {
    if (event.key === "Escape" && panel.classList.contains("is-open")) close();
  });
}

const next = document.querySelector<HTMLAnchorElement>("a[data-match]");

if (next) {
  const matches = [...document.querySelectorAll<HTMLElement>(".canvas .is-match")];
  const links = [...new Set(matches.map(each => each.closest<HTMLAnchorElement>("a[href]") ?? each))];
  let at = -1;
  next.addEventListener("click", event => {
    if (!links.length || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    at = (at + 1) % links.length;
    links[at]!.scrollIntoView({ block: "center" });
    links[at]!.focus({ preventScroll: true });
  });
}
