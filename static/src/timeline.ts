// The slider of the time line: the text at the moment under the thumb, one step on or back, and play. What has come
// since the moment before is marked in the text; while it plays, each first mark is brought into sight. Without this
// the buttons work as links and a form.
const form = document.querySelector<HTMLFormElement>("form[data-timeline]");

if (form) {
  const slider = form.querySelector<HTMLInputElement>("input[type=range]")!;
  const place = document.getElementById("moment")!;
  const play = form.querySelector<HTMLButtonElement>("[data-play]")!;
  const said = form.querySelector<HTMLOutputElement>("[data-says]")!;
  const says = [...form.querySelectorAll<HTMLElement>("[data-stop-says]")].map(each => each.dataset["stopSays"]!);
  const days = [...document.querySelectorAll<HTMLAnchorElement>(".line--days a[data-stop]")];
  const words = [play.textContent!, play.dataset["stop"]!];
  const STEP = 1800; // ms a moment is shown while playing: long enough to see what changed
  let [asked, timer, playing] = [0, 0, 0];

  /** The moment under the thumb; resolves when its text is there. */
  const show = async () => {
    const mine = ++asked;
    const at = slider.value;
    slider.setAttribute("aria-valuetext", says[Number(at)] ?? "");
    said.textContent = says[Number(at)] ?? "";
    const address = `${location.pathname}?step=${at}`;
    const response = await fetch(address, { headers: { "HX-Request": "true" } });
    if (mine !== asked || !response.ok) return;
    const template = document.createElement("template");
    template.innerHTML = await response.text();
    if (mine !== asked) return;
    place.replaceChildren(template.content);
    history.replaceState(null, "", address);
    for (const day of days) {
      if (day.dataset["stop"] === at) day.setAttribute("aria-current", "true");
      else day.removeAttribute("aria-current");
    }
    if (playing) place.querySelector("ins.run")?.scrollIntoView({ block: "center" });
  };

  const stop = () => {
    clearTimeout(playing);
    playing = 0;
    play.setAttribute("aria-pressed", "false");
    play.firstElementChild!.textContent = words[0]!.trim();
  };

  const go = () => {
    playing = window.setTimeout(async () => {
      if (slider.value === slider.max) return stop();
      slider.stepUp();
      const mine = playing;
      await show();
      if (playing === mine) go();
    }, STEP);
  };

  slider.addEventListener("input", () => {
    stop();
    said.textContent = says[Number(slider.value)] ?? "";
    clearTimeout(timer);
    timer = window.setTimeout(() => void show(), 120);
  });
  for (const step of form.querySelectorAll<HTMLAnchorElement>("a[data-step]")) {
    step.addEventListener("click", event => {
      if (event.ctrlKey || event.metaKey) return;
      event.preventDefault();
      stop();
      slider.stepUp(Number(step.dataset["step"]));
      void show();
    });
  }
  form.classList.add("is-live");
  play.hidden = false;
  form.querySelector<HTMLElement>("[data-show]")!.hidden = true;
  play.addEventListener("click", async () => {
    if (playing) return stop();
    if (slider.value === slider.max) slider.value = "0";
    play.setAttribute("aria-pressed", "true");
    play.firstElementChild!.textContent = words[1]!;
    playing = -1;
    await show();
    if (playing === -1) go();
  });
}

export {};
