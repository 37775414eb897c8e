// The page: what was asked, what was answered, and everything that changes either.

import { announce, byId, choose, copy, data, element, isStatic, speak, toast, word } from "./dom.js";
import { exampleOf, fromExample, fromFragment, question, state, toFragment } from "./state.js";
import { showChips, showError, showProgram, watchProgram } from "./editor.js";
import { reconcile, showMatrices, sizesOf } from "./matrices.js";
import { showEmpty, showPictures, showResults, showStale } from "./results.js";
import { back, forget, next, playOrPause, showAll, showSteps, toEnd, toStart, watchPlayer } from "./player.js";
import { watchLinks } from "./links.js";

let answer = null;
let sizes = {};
let waiting = 0;
let asked = 0;
let stop = null;

/** Ask for a derivation of what there is now. */
async function ask() {
  clearTimeout(waiting);
  if (!state.program.trim()) {
    answer = null;
    showError(null);
    showEmpty();
    byId("chips").replaceChildren();
    byId("matrices").replaceChildren();
    byId("sizes").replaceChildren();
    return;
  }
  const number = ++asked;
  stop?.abort();
  stop = new AbortController();
  document.body.classList.add("asking");
  try {
    const found = await fetchAnswer(question(), stop.signal);
    if (number === asked) take(found);
  } catch (error) {
    if (error.name !== "AbortError" && number === asked) {
      showError({ type: "Limit", reason: "offline" });
      showStale(true);
    }
  } finally {
    if (number === asked) document.body.classList.remove("asking");
  }
}

async function fetchAnswer(asking, signal) {
  if (isStatic) return carried(`${asking.lang}.${asking.method}`);
  for (let turn = 0; ; turn += 1) {
    const response = await fetch("/api/derive", {
      method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(asking), signal,
    });
    if (response.status === 503 && turn < 3) {
      await new Promise((resolve) => { setTimeout(resolve, 400 * 2 ** turn); });
      continue;
    }
    return response.json();
  }
}

/** An answer that lies beside a static page, in a script: browsers load nothing else from files. */
async function carried(key) {
  globalThis.pullbackAnswers ??= data.answers;
  if (!globalThis.pullbackAnswers[key]) {
    await new Promise((resolve, reject) => {
      const script = element("script", { src: `answers/${data.example}.${key}.js`, onload: resolve, onerror: reject });
      document.head.append(script);
    });
  }
  return globalThis.pullbackAnswers[key];
}

/** Show an answer. */
function take(found) {
  if (found.inputs && state.numbers && !isStatic) {
    sizes = sizesOf(found);
    if (reconcile(found, sizes)) {
      ask();
      return;
    }
  } else if (found.inputs) sizes = sizesOf(found);
  if (found.inputs) {
    showChips(found, () => { ask(); settle(); });
    showMatrices(found, sizes, found.symbols ?? answer?.symbols, changedValues, changedSize);
    showWrt(found);
  }
  showError(found.ok ? null : found.error);
  showStale(!found.ok);
  if (!found.ok) {
    if (!answer) showEmpty();
    return;
  }
  answer = found;
  showResults(answer);
  showSteps(answer, state.detail);
  showPictures(answer);
  announce(word("said.done"));
  document.title = `${state.program.split("\n").at(-1)} · pullback`;
}

function showWrt(found) {
  const select = byId("wrt");
  const wanted = state.want !== "backward";
  byId("wrt-field").hidden = !wanted;
  if (!wanted) return;
  const names = found.inputs.map((input) => input.name);
  if (!names.includes(state.wrt)) state.wrt = found.inputs.find((input) => input.shape.length === 1)?.name ?? names[0] ?? "";
  select.replaceChildren(...found.inputs.map((input) => element("option", { value: input.name, selected: input.name === state.wrt }, input.label)));
  select.disabled = isStatic;
}

function later(pause) {
  clearTimeout(waiting);
  waiting = setTimeout(() => { ask(); remember(); }, pause);
}

/** Keep the address true while typing, without a new place in the history. */
function remember() {
  if (!isStatic) history.replaceState(null, "", toFragment());
}

/** Put what is there now into the history, so that the back button leads back to it. */
function settle() {
  if (isStatic || toFragment() === location.hash) return;
  history.pushState(null, "", toFragment());
}

function changedValues(isWhole) {
  if (isWhole) ask();
  else later(140);
}

function changedSize(name, length) {
  sizes = { ...sizes, [name]: length };
  reconcile(answer ?? { inputs: [] }, sizes);
  settle();
  ask();
}

function showAllControls() {
  for (const name of ["lang", "want", "layout", "method", "detail"]) choose(byId(name), state[name]);
  byId("numbers").checked = state.numbers;
  byId("numbers").disabled = isStatic;
  for (const button of byId("want").querySelectorAll("button")) button.disabled = isStatic && button.dataset.value !== state.want;
  showProgram();
  showGallery();
}

function showGallery() {
  const here = isStatic ? data.example : exampleOf();
  byId("gallery").replaceChildren(...data.gallery.map(({ key }) => {
    const attributes = { class: "example", href: isStatic ? `${key}.html#lang=${state.lang}` : `#${key}`, "aria-current": key === here ? "true" : undefined };
    const link = element("a", attributes, word(`example.${key}`));
    if (!isStatic) link.addEventListener("click", (event) => { event.preventDefault(); open(key); });
    return element("li", {}, link);
  }));
}

/** Open an example of the gallery. */
function open(key) {
  fromExample(key);
  forget();
  settle();
  showAllControls();
  ask();
}

/** Read the address, and show what it says. */
function arrive() {
  if (isStatic) {
    fromExample(data.example);
    if (location.hash === "#lang=ko" || location.hash === "#lang=en") state.lang = location.hash.slice(6);
  } else if (!fromFragment(location.hash)) {
    const key = location.hash.slice(1);
    fromExample(data.gallery.some((one) => one.key === key) ? key : data.gallery[0].key);
    if (location.hash.startsWith("#v=")) toast(word("address.wrong"));
    history.replaceState(null, "", toFragment());
  }
  forget();
  speak(state.lang);
  showAllControls();
  ask();
}

const DIRECT = new Set(["detail", "layout"]);

function watchControls() {
  for (const name of ["lang", "want", "layout", "method", "detail"]) {
    byId(name).addEventListener("click", (event) => {
      const value = event.target.closest("button")?.dataset.value;
      if (!value || value === state[name]) return;
      state[name] = value;
      choose(byId(name), value);
      settle();
      if (name === "lang") {
        speak(value);
        showGallery();
      }
      if (DIRECT.has(name) && answer && !answer.second) {
        showResults(answer);
        showSteps(answer, state.detail);
      } else ask();
    });
  }
  byId("numbers").addEventListener("change", (event) => {
    state.numbers = event.target.checked;
    settle();
    ask();
  });
  byId("wrt").addEventListener("change", (event) => {
    state.wrt = event.target.value;
    settle();
    ask();
  });
  byId("share").addEventListener("click", async () => {
    remember();
    await copy(location.href);
    toast(word("shared"));
  });
  byId("help").addEventListener("click", () => byId("keys").showModal());
  byId("theme").addEventListener("click", changeTheme);
}

const THEMES = ["auto", "light", "dark"];

function changeTheme() {
  const root = document.documentElement;
  const theme = THEMES[(THEMES.indexOf(root.dataset.theme ?? "auto") + 1) % THEMES.length];
  setTheme(theme);
  toast(word(`theme.${theme}`));
}

function setTheme(theme) {
  document.documentElement.dataset.theme = theme;
  try {
    localStorage.setItem("pullback-theme", theme);
  } catch { /* A browser that keeps nothing: the theme lasts as long as the page. */ }
}

function storedTheme() {
  try {
    return localStorage.getItem("pullback-theme") ?? "auto";
  } catch {
    return "auto";
  }
}

const KEYS = {
  ArrowRight: next, ArrowLeft: back, Home: toStart, End: toEnd, p: playOrPause, Escape: showAll,
  "/": () => byId("program").focus(), "?": () => byId("keys").showModal(),
};

function watchKeys() {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    const { target } = event;
    if (target.closest("input, textarea, select, dialog, [role=tablist], form")) {
      if (event.key === "Escape" && target.matches("input, textarea")) target.blur();
      return;
    }
    const scrolls = target.matches("[tabindex='0']") && target.scrollWidth > target.clientWidth + 1;
    if (scrolls && event.key.startsWith("Arrow")) return;
    const act = KEYS[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  });
}

setTheme(storedTheme());
watchProgram(() => later(200), () => { ask(); settle(); byId("result").focus(); });
watchControls();
watchKeys();
watchPlayer();
watchLinks(() => answer?.symbols ?? {});
addEventListener("popstate", arrive);
arrive();
