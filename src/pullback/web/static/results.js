// The closed forms, the check beside them, and the tabs to copy from; the pictures.

import { ask } from "./asking.js";
import { byId, copy, data, download, element, isStatic, scrollable, tabs, toast, word } from "./dom.js";
import { question, state } from "./state.js";

let tab = "latex";
let picture = "";
let kept = {};
const LEAST_SCALE = 0.65;
const OF_AN_ANSWER = ["steps-card", "saving", "layout"];
const OF_A_PROGRAM = ["values-card", "inputs-title", "wants"];
const FORMS = ["latex", "mathml", "plain", "numpy"];
const TARGETS = ["torch", "jax", "c"];

/** Show the closed forms in the layout that is chosen. */
export function showResults(answer) {
  for (const id of OF_AN_ANSWER) byId(id).hidden = false;
  const forms = answer.layouts[state.layout] ?? answer.layouts.denominator;
  const shown = answer.second ? [answer.second, forms] : [forms];
  byId("closed").replaceChildren(...shown.flatMap((form) => [
    ...form.where.map((html) => element("div", { class: "line where", html })),
    ...form.results.map((result) => closedLine(form, result, form === answer.second)),
  ]));
  const layout = answer.layouts[state.layout] ? state.layout : "denominator";
  byId("closed").append(element("p", { class: "hint" }, word(`layout.note.${layout}`)));
  const place = byId("check");
  place.hidden = false;
  place.className = "check waiting";
  place.textContent = word("check.waiting");
  scrollable(byId("closed"));
  showTabs(answer.second ?? forms, answer);
}

function closedLine(form, { name, html, shape }, isSecond) {
  return element("div", { class: `closed-line${isSecond ? " second" : ""}`, "data-result": isSecond ? "second" : name },
    element("div", { class: "line main", html }),
    element("span", { class: "aside" },
      element("span", { class: "shape" }, shape.length ? shape.join(" × ") : word("kind.scalar")),
      element("span", { class: "mark-place" })));
}

/** Show how far each closed form is from finite differences, and all of them in a sentence. */
export function showChecks({ checks, second }) {
  const all = Object.entries(checks ?? {});
  if (byId("closed").querySelector("[data-result=second]")) all.unshift(["second", second]);
  for (const [name, check] of all) {
    const holder = [...byId("closed").querySelectorAll("[data-result]")].find((line) => line.dataset.result === name);
    holder?.querySelector(".mark-place").replaceChildren(checkMark(check));
  }
  const known = all.map(([, check]) => check).filter(Boolean);
  const wrong = known.filter((check) => !check.passed);
  const place = byId("check");
  const worst = (list) => list.reduce((most, one) => (Number(one.worst) > Number(most.worst) ? one : most));
  if (!known.length) place.className = "check none";
  else place.className = wrong.length ? "check failed" : "check";
  if (!known.length) place.textContent = word("check.none");
  else place.textContent = word(wrong.length ? "check.failed" : "check.passed", worst(wrong.length ? wrong : known));
}

function checkMark(check) {
  if (!check) return element("span", { class: "verdict none", title: word("check.none") }, "–");
  const said = word(check.passed ? "check.passed" : "check.failed", check);
  return element("span", { class: `verdict${check.passed ? "" : " failed"}`, title: said },
    element("span", { "aria-hidden": "true" }, check.passed ? "✓ " : "✕ "), check.worst,
    element("span", { class: "unseen" }, ` ${word(check.passed ? "check.good" : "check.bad")}`));
}

function showTabs(form, answer) {
  kept = answer.code ?? {};
  const pages = FORMS.map((key) => ({ key, title: word(`tab.${key}`), body: code(key, form[key]) }));
  const bodies = {};
  if (!isStatic || answer.code) {
    for (const key of TARGETS) {
      bodies[key] = element("div", {}, element("p", { class: "empty" }, word("tab.waiting")));
      pages.push({ key, title: word(`tab.${key}`), body: bodies[key] });
    }
  }
  byId("tabs").replaceChildren(tabs(word("copy.as"), pages, tab, (key) => {
    tab = key;
    if (bodies[key]) fetchCode(key, bodies[key]);
  }));
}

/** Source text is written by the server when its tab is opened. */
async function fetchCode(key, holder) {
  if (holder.dataset.filled) return;
  holder.dataset.filled = "yes";
  const from = kept;
  try {
    from[key] ??= (await ask({ program: state.program, ask: "code", target: key })).code ?? "";
  } catch {
    holder.dataset.filled = "";
    holder.replaceChildren(element("p", { class: "empty" }, word("limit.offline")));
    return;
  }
  holder.replaceChildren(code(key, from[key]));
}

function code(key, text) {
  if (!text) return element("p", { class: "empty" }, word("tab.none"));
  const button = element("button", { type: "button", class: "copy", "data-copy": key }, word("copy"));
  button.addEventListener("click", async () => {
    await copy(text);
    button.textContent = word("copied");
    toast(word("copied"));
    setTimeout(() => { button.textContent = word("copy"); }, 1600);
  });
  const place = element("pre", { tabindex: "0", role: "region", "aria-label": word(`tab.${key}`) }, element("code", {}, text));
  return element("div", { class: "code" }, button, place);
}

/** Save the derivation as JSON, as the command line writes it. */
export async function saveDocument() {
  const name = "pullback-derivation.json";
  if (isStatic) {
    element("a", { href: `answers/${data.example}.${state.lang}.${state.method}.json`, download: name }).click();
    return;
  }
  const found = await ask({ ...question(), ask: "document" }).catch(() => ({}));
  if (found.ok) download(name, found.document, "application/json");
  else toast(word(found.error?.reason ? `limit.${found.error.reason}` : "limit.offline"));
}

/** Show the pictures that there are, one at a time. */
export function showPictures(answer) {
  const found = Object.entries(answer.pictures ?? {});
  byId("pictures-card").hidden = found.length === 0;
  if (!found.length) {
    byId("pictures").replaceChildren();
    return;
  }
  const pages = found.map(([key, svg]) => ({ key: `picture-${key}`, title: word(`picture.${key}`), body: drawn(key, svg) }));
  byId("pictures").replaceChildren(tabs(word("pictures"), pages, picture, (key) => { picture = key; }));
}

/** A picture that is wider than its place is made smaller, as far as it can still be read. */
const fitting = new ResizeObserver((entries) => {
  for (const { target, contentRect } of entries) {
    const svg = target.querySelector("svg");
    const natural = Number(svg.getAttribute("width"));
    svg.style.width = `${Math.min(natural, Math.max(contentRect.width, LEAST_SCALE * natural))}px`;
  }
});

function drawn(key, svg) {
  const save = element("button", { type: "button", class: "quiet" }, word("save.svg"));
  save.addEventListener("click", () => download(`pullback-${key}.svg`, svg, "image/svg+xml"));
  const drawing = element("div", { class: "drawing", html: svg, tabindex: "0", role: "group", "aria-label": word(`picture.${key}`) });
  fitting.observe(drawing);
  return element("figure", { class: "picture" }, drawing,
    element("figcaption", {}, element("span", { class: "hint" }, word(`picture.${key}.says`)), save));
}

/** Show that there is nothing yet, or that what is shown is of before. */
export function showStale(isStale) {
  document.body.classList.toggle("stale", isStale);
}

/** Show or hide what belongs to a program that can be read. */
export function showProgramParts(isThere) {
  for (const id of OF_A_PROGRAM) byId(id).hidden = !isThere;
  if (!isThere) for (const id of ["chips", "declare", "matrices", "sizes"]) byId(id).replaceChildren();
}

/** Show that there is no answer yet. */
export function showEmpty() {
  byId("closed").replaceChildren(element("p", { class: "empty" }, word("empty")));
  byId("check").hidden = true;
  byId("tabs").replaceChildren();
  byId("board").replaceChildren();
  for (const id of [...OF_AN_ANSWER, "pictures-card"]) byId(id).hidden = true;
}
