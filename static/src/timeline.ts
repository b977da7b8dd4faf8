// The slider of the time line: the text at the moment under the thumb, and play. Without it the form's button works.
const form = document.querySelector<HTMLFormElement>("form[data-timeline]");

if (form) {
  const slider = form.querySelector<HTMLInputElement>("input[type=range]")!;
  const place = document.getElementById("moment")!;
  const play = form.querySelector<HTMLButtonElement>("[data-play]")!;
  const says = [...form.querySelectorAll<HTMLElement>("[data-stop-says]")].map(each => each.dataset["stopSays"]!);
  const words = [play.textContent!, play.dataset["stop"]!];
  const STEP = 1400; // ms a moment is shown while playing: long enough to see what changed
  let [asked, timer, playing] = [0, 0, 0];

  const show = async () => {
    const mine = ++asked;
    slider.setAttribute("aria-valuetext", says[Number(slider.value)] ?? "");
    const address = `${location.pathname}?step=${slider.value}`;
    const response = await fetch(address, { headers: { "HX-Request": "true" } });
    if (mine !== asked || !response.ok) return;
    const template = document.createElement("template");
    template.innerHTML = await response.text();
    place.replaceChildren(template.content);
    history.replaceState(null, "", address);
  };

  const stop = () => {
    clearInterval(playing);
    playing = 0;
    play.setAttribute("aria-pressed", "false");
    play.firstElementChild!.textContent = words[0]!.trim();
  };

  slider.addEventListener("input", () => {
    clearTimeout(timer);
    timer = window.setTimeout(() => void show(), 120);
  });
  slider.addEventListener("pointerdown", stop);
  play.hidden = false;
  form.querySelector<HTMLElement>("[data-show]")!.hidden = true;
  play.addEventListener("click", () => {
    if (playing) return stop();
    if (slider.value === slider.max) slider.value = "0";
    play.setAttribute("aria-pressed", "true");
    play.firstElementChild!.textContent = words[1]!;
    playing = window.setInterval(() => {
      if (slider.value === slider.max) return stop();
      slider.stepUp();
      void show();
    }, STEP);
    void show();
  });
}

export {};
