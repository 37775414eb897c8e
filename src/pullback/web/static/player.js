// The derivation as steps: all of them to read, or one after the other as on a board.

import { announce, byId, calm, element, scrollable, word } from "./dom.js";

const LEVELS = ["brief", "normal", "full"];
const PAUSE = 2200;

let stops = [];
let place = -1;
let playing = 0;
const folded = new Set();

/** Draw the steps at a level of detail. */
export function showSteps(answer, detail) {
  const holder = byId("board");
  const here = stops[place]?.id;
  const level = LEVELS.indexOf(detail);
  holder.replaceChildren(...answer.steps.flatMap((step) => section(step, level) ?? []));
  stops = [...holder.querySelectorAll("[data-stop]")];
  place = here ? stops.findIndex((stop) => stop.id === here) : -1;
  scrollable(holder);
  update(false);
}

function below(step, level) {
  return (step.steps ?? []).filter((inner) => LEVELS.indexOf(inner.detail) <= level);
}

function section(step, level) {
  const items = below(step, level);
  if (step.kind.startsWith("check")) return null;
  if (!items.length && !step.lines?.length) return null;
  const heading = element("h3", { html: step.html, class: "section-title" });
  const made = element("section", { class: "part" }, heading, ...lines(step));
  if (step.lines?.length) Object.assign(made, { id: `step-${step.id}`, tabIndex: -1 }).dataset.stop = "";
  if (items.length) made.append(element("ol", { class: "list" }, ...items.map((inner) => item(inner, level))));
  return made;
}

const lines = (step) => (step.lines ?? []).map((html) => element("div", { class: "line", html }));

function item(step, level) {
  const items = below(step, level);
  const id = `step-${step.id}`;
  const number = element("span", { class: "number", "aria-hidden": "true" }, step.id.split(".").slice(1).join("."));
  const made = element("li", { class: `step is-${step.kind.replaceAll(".", "-")}` });
  const rule = step.rule && step.kind === "operand" ? element("span", { class: "rule" }, step.rule) : null;
  if ((step.kind === "statement" || step.kind === "operand") && items.length) {
    const fold = element("details", { open: !folded.has(step.id), class: step.kind },
      element("summary", {}, element("span", { class: "summary-text", html: step.html }), rule),
      element("ol", { class: "list" }, ...items.map((inner) => item(inner, level))));
    fold.addEventListener("toggle", () => (fold.open ? folded.delete(step.id) : folded.add(step.id)));
    made.append(fold);
    return made;
  }
  made.id = id;
  made.tabIndex = -1;
  made.dataset.stop = "";
  made.dataset.kind = step.kind;
  const sentence = step.kind === "operand" ? null : element("p", { class: "sentence" }, number, element("span", { html: step.html }));
  made.append(...[sentence, rule].filter(Boolean), ...lines(step));
  if (items.length) made.append(element("ol", { class: "list" }, ...items.map((inner) => item(inner, level))));
  return made;
}

/** Go to a step; -1 shows all of them. */
function go(to, focus = true) {
  place = Math.max(-1, Math.min(stops.length - 1, to));
  update(focus);
}

function update(focus) {
  const all = place < 0;
  stops.forEach((stop, k) => {
    stop.classList.toggle("future", !all && k > place);
    stop.classList.toggle("current", k === place);
    if (k === place) stop.setAttribute("aria-current", "step");
    else stop.removeAttribute("aria-current");
  });
  for (const holder of byId("board").querySelectorAll("section.part, li:not([data-stop])")) {
    const inside = [...holder.querySelectorAll("[data-stop]")];
    if (!("stop" in holder.dataset)) holder.classList.toggle("future", inside.length > 0 && inside.every((stop) => stop.classList.contains("future")));
  }
  const slider = byId("place");
  slider.max = String(Math.max(1, stops.length));
  slider.value = String(all ? stops.length : place + 1);
  slider.disabled = stops.length === 0;
  const said = all ? word("steps.all", { count: stops.length }) : word("steps.of", { step: place + 1, count: stops.length });
  slider.setAttribute("aria-valuetext", said);
  slider.style.setProperty("--done", `${(100 * slider.value) / slider.max}%`);
  byId("count").textContent = all ? String(stops.length) : `${place + 1} / ${stops.length}`;
  byId("count").title = said;
  byId("back").disabled = place === 0 || stops.length === 0;
  byId("next").disabled = !all && place === stops.length - 1;
  byId("all").hidden = all;
  byId("play").setAttribute("aria-pressed", String(playing !== 0));
  byId("player").classList.toggle("playing", playing !== 0);
  if (all || !focus) return;
  const stop = stops[place];
  for (let fold = stop.closest("details:not([open])"); fold; fold = fold.parentElement.closest("details:not([open])")) fold.open = true;
  stop.focus({ preventScroll: true });
  stop.scrollIntoView({ block: "nearest", behavior: calm.matches ? "auto" : "smooth" });
}

function halt() {
  clearInterval(playing);
  playing = 0;
}

function play() {
  if (playing) {
    halt();
    update(false);
    return;
  }
  if (place >= stops.length - 1) place = -1;
  playing = setInterval(() => {
    if (place >= stops.length - 1) {
      halt();
      update(false);
    } else go(place + 1);
  }, PAUSE);
  go(place + 1);
}

/** One step back; from the whole, to the last. */
export const back = () => { halt(); go(place < 0 ? stops.length - 1 : Math.max(0, place - 1)); };
/** One step on; from the whole, to the first. */
export const next = () => { halt(); go(place + 1); };
export const toStart = () => { halt(); go(0); };
export const toEnd = () => { halt(); go(stops.length - 1); };
export const playOrPause = play;
export const showAll = () => {
  halt();
  place = -1;
  update(false);
  announce(byId("count").title);
};
/** Begin anew with another derivation. */
export const forget = () => { halt(); place = -1; folded.clear(); };

/** Wire the buttons. */
export function watchPlayer() {
  byId("back").addEventListener("click", back);
  byId("next").addEventListener("click", next);
  byId("play").addEventListener("click", play);
  byId("all").addEventListener("click", () => { showAll(); byId("next").focus(); });
  byId("place").addEventListener("input", (event) => { halt(); go(Number(event.target.value) - 1, false); stops[place]?.scrollIntoView({ block: "nearest" }); });
}
