// The closed forms, the check beside them, and the tabs to copy from; the pictures.

import { byId, copy, download, element, tabs, toast, word } from "./dom.js";
import { state } from "./state.js";

let tab = "latex";
let picture = "";
const LATER = ["torch", "jax"];

/** Show the closed forms in the layout that is chosen. */
export function showResults(answer) {
  const forms = answer.layouts[state.layout] ?? answer.layouts.denominator;
  const shown = answer.second ? [answer.second, forms] : [forms];
  byId("closed").replaceChildren(...shown.flatMap((form) => [
    ...form.where.map((html) => element("div", { class: "line where", html })),
    ...form.results.map(({ html, shape }) => element("div", { class: `closed-line${form === answer.second ? " second" : ""}` },
      element("div", { class: "line main", html }),
      element("span", { class: "shape" }, shape.length ? shape.join(" × ") : word("kind.scalar")))),
  ]));
  const note = state.layout === "numerator" ? word("layout.note") : "";
  if (note) byId("closed").append(element("p", { class: "hint" }, note));
  showCheck(answer.check);
  showTabs(answer.second ?? forms);
}

function showCheck(check) {
  const place = byId("check");
  place.hidden = false;
  place.classList.toggle("failed", Boolean(check) && !check.passed);
  place.classList.toggle("none", !check);
  const key = !check ? "check.none" : check.passed ? "check.passed" : "check.failed";
  place.textContent = word(key, check ?? {});
}

function showTabs(form) {
  const pages = ["latex", "mathml", "plain", "numpy"].map((key) => ({
    key, title: word(`tab.${key}`), body: code(key, form[key]),
  }));
  pages.push({
    key: "more", title: word("tab.more"), body: element("p", { class: "empty" }, word("tab.later", { names: LATER.join(", ") })),
  });
  byId("tabs").replaceChildren(tabs(word("copy.as"), pages, tab, (key) => { tab = key; }));
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

function drawn(key, svg) {
  const save = element("button", { type: "button", class: "quiet" }, word("save.svg"));
  save.addEventListener("click", () => download(`pullback-${key}.svg`, svg, "image/svg+xml"));
  return element("figure", { class: "picture" },
    element("div", { class: "drawing", html: svg, tabindex: "0", role: "group", "aria-label": word(`picture.${key}`) }),
    element("figcaption", {}, element("span", { class: "hint" }, word(`picture.${key}.says`)), save));
}

/** Show that there is nothing yet, or that what is shown is of before. */
export function showStale(isStale) {
  document.body.classList.toggle("stale", isStale);
}

export function showEmpty() {
  byId("closed").replaceChildren(element("p", { class: "empty" }, word("empty")));
  byId("check").hidden = true;
  byId("tabs").replaceChildren();
  byId("board").replaceChildren();
  byId("pictures-card").hidden = true;
}
