// The page: what was asked, what was answered, and everything that changes either.

import { announce, byId, choose, copy, data, element, isStatic, speak, toast, word } from "./dom.js";
import { ask, askDerivation } from "./asking.js";
import { exampleOf, fromExample, fromFragment, question, state, toFragment } from "./state.js";
import { showChips, showError, showProgram, watchProgram } from "./editor.js";
import { reconcile, showMatrices, sizesOf } from "./matrices.js";
import { saveDocument, showChecks, showEmpty, showPictures, showProgramParts, showResults, showStale } from "./results.js";
import { leavePractice, showPractice, watchPractice } from "./practice.js";
import { back, forget, next, playOrPause, showAll, showSteps, toEnd, toStart, watchPlayer } from "./player.js";
import { watchLinks } from "./links.js";

let answer = null;
let sizes = {};
let waiting = 0;
let asked = 0;
let stop = null;

/** Ask for a derivation of what there is now. */
async function derive() {
  clearTimeout(waiting);
  if (!state.program.trim()) {
    asked += 1;
    stop?.abort();
    answer = null;
    showError(null);
    showStale(false);
    showEmpty();
    showProgramParts(false);
    return;
  }
  const number = ++asked;
  stop?.abort();
  stop = new AbortController();
  document.body.classList.add("asking");
  try {
    const found = await askDerivation(question(), stop.signal);
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

/** The check comes after the answer, which does not wait for it. */
async function check(found) {
  if (isStatic) {
    showChecks({ checks: found.checks, second: found.checkedSecond });
    return;
  }
  const { signal } = stop;
  try {
    const checked = await ask({ ...question(), ask: "check" }, signal);
    if (!signal.aborted && found === answer) showChecks(checked.ok ? checked : { checks: {}, second: null });
  } catch (error) {
    if (error.name !== "AbortError") showChecks({ checks: {}, second: null });
  }
}

/** Show an answer. */
function take(found) {
  if (found.inputs && state.numbers && !isStatic) {
    sizes = sizesOf(found);
    if (reconcile(found, sizes)) {
      derive();
      return;
    }
  } else if (found.inputs) sizes = sizesOf(found);
  if (found.inputs || !answer) showProgramParts(Boolean(found.inputs));
  if (found.inputs) {
    showChips(found, () => { derive(); settle(); });
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
  check(answer);
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
  waiting = setTimeout(() => { derive(); remember(); }, pause);
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
  if (isWhole) derive();
  else later(140);
}

function changedSize(name, length) {
  sizes = { ...sizes, [name]: length };
  reconcile(answer ?? { inputs: [] }, sizes);
  settle();
  derive();
}

function showAllControls() {
  for (const name of ["lang", "want", "layout", "method", "detail"]) choose(byId(name), state[name]);
  byId("numbers").checked = state.numbers;
  byId("numbers").disabled = isStatic;
  for (const id of ["practice-open", "try"]) byId(id).hidden = isStatic;
  for (const button of byId("want").querySelectorAll("button")) button.disabled = isStatic && button.dataset.value !== state.want;
  showProgram();
  showGallery();
}

function showGallery() {
  const practising = state.view === "practice";
  const here = isStatic ? data.example : practising ? "" : exampleOf();
  byId("gallery").replaceChildren(...data.gallery.map(({ key }) => {
    const attributes = { class: "example", href: isStatic ? `${key}.html#lang=${state.lang}` : `./#${key}`, "data-key": key, "aria-current": key === here ? "true" : undefined };
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
  showView();
  derive();
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
  showView();
  derive();
}

/** Deriving or practising. */
function showView(focus = false) {
  if (state.view === "practice") showPractice(focus);
  else leavePractice();
  showGallery();
}

function goTo(view, focus) {
  state.view = view;
  settle();
  showView(focus);
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
        showView();
      }
      if (DIRECT.has(name) && answer && !answer.second) {
        showResults(answer);
        showSteps(answer, state.detail);
        check(answer);
      } else derive();
    });
  }
  byId("numbers").addEventListener("change", (event) => {
    state.numbers = event.target.checked;
    settle();
    derive();
  });
  byId("wrt").addEventListener("change", (event) => {
    state.wrt = event.target.value;
    settle();
    derive();
  });
  byId("share").addEventListener("click", async () => {
    remember();
    await copy(location.href);
    toast(word("shared"));
  });
  byId("save-json").addEventListener("click", saveDocument);
  byId("print").addEventListener("click", () => print());
  byId("practice-open").addEventListener("click", () => goTo(state.view === "practice" ? "derive" : "practice", true));
  byId("practice-close").addEventListener("click", () => { goTo("derive"); byId("program").focus(); });
  byId("try").addEventListener("click", () => {
    Object.assign(state, { exercise: "own", step: 0, by: answer?.inputs[0]?.name ?? "" });
    goTo("practice", true);
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
    if (!act || (state.view === "practice" && event.key !== "?")) return;
    event.preventDefault();
    act();
  });
}

setTheme(storedTheme());
watchProgram(() => later(200), async () => {
  settle();
  await derive();
  if (byId("error").hidden) byId("result").focus();
});
watchControls();
watchKeys();
watchPlayer();
watchPractice(settle, () => (answer?.inputs ?? []).filter((input) => !input.properties.includes("constant")));
watchLinks(() => answer?.symbols ?? {});
addEventListener("popstate", arrive);
arrive();
