// Practice: an exercise is asked, answers are judged by the server, and this page keeps the score.

import { ask } from "./asking.js";
import { announce, byId, element, named, scrollable, word } from "./dom.js";
import { state } from "./state.js";

const STORE = "pullback-practice";
const NOTHING = { answers: 0, solved: 0, alone: 0, shown: 0, mistakes: {}, done: [] };
const MATHML = "http://www.w3.org/1998/Math/MathML";

let exercises = [];
let asked = null;
let attempt = { hints: 0, tries: 0, over: false };
let settle = () => {};
let inputsOf = () => [];

/** The score, as the browser keeps it. */
function stored() {
  try {
    return { ...structuredClone(NOTHING), ...JSON.parse(localStorage.getItem(STORE) ?? "{}") };
  } catch {
    return structuredClone(NOTHING);
  }
}

let score = stored();

function count(change) {
  change(score);
  try {
    localStorage.setItem(STORE, JSON.stringify(score));
  } catch { /* A browser that keeps nothing: the score lasts as long as the page. */ }
  showScore();
}

const chosen = () => ({
  ask: "practice", lang: state.lang, exercise: state.exercise, step: state.step,
  ...(state.exercise === "own" ? { program: state.program, variable: state.by } : {}),
});

/** Show the exercise that the state says. */
export async function showPractice(focus = false) {
  byId("deriving").hidden = true;
  byId("practising").hidden = false;
  byId("practice-open").setAttribute("aria-pressed", "true");
  byId("practice-form").hidden = true;
  showScore();
  try {
    if (!exercises.length) ({ exercises } = await ask({ ask: "practice", do: "list" }));
    showChoices();
    asked = await ask({ ...chosen(), do: "ask" });
  } catch {
    asked = { ok: false, error: { type: "Limit", reason: "offline" } };
  }
  attempt = { hints: 0, tries: 0, over: false };
  byId("practice-said").replaceChildren();
  byId("practice-answer").value = "";
  byId("practice-form").hidden = !asked.ok;
  if (!asked.ok) {
    byId("practice-ask").replaceChildren();
    say("wrong", complaint(asked.error));
    return;
  }
  showQuestion();
  showButtons();
  if (focus) byId("practice-answer").focus();
}

/** Back to deriving. */
export function leavePractice() {
  byId("deriving").hidden = false;
  byId("practising").hidden = true;
  byId("practice-open").setAttribute("aria-pressed", "false");
}

const topicOf = () => {
  if (state.exercise.startsWith("generated")) return "generated";
  if (state.exercise === "own") return "own";
  return exercises[Number(state.exercise)]?.topic ?? "all";
};

function showChoices() {
  const topics = [...new Set(exercises.map(({ topic }) => topic)), "generated", ...(state.program.trim() ? ["own"] : [])];
  const here = topicOf();
  byId("practice-topic").replaceChildren(...topics.map((topic) => element("option", { value: topic, selected: topic === here }, word(`topic.${topic}`))));
  const options = here === "own"
    ? inputsOf().map(({ name, label }) => ({ value: name, text: `∂L/∂${label}`, on: name === state.by }))
    : exercises.filter(({ topic }) => topic === here).map(({ key, program, variable, batch }) => ({
      value: key, text: `${program}, ∂/∂${variable}${batch ? ` (${word("practice.batch")})` : ""}${score.done.includes(key) ? " ✓" : ""}`, on: key === state.exercise,
    }));
  const select = byId("practice-exercise");
  select.replaceChildren(...options.map(({ value, text, on }) => element("option", { value, selected: on }, text)));
  byId("practice-exercises").hidden = !options.length;
}

function fraction(above, below) {
  const make = (name, ...children) => {
    const made = document.createElementNS(MATHML, name);
    made.append(...children);
    return made;
  };
  const letter = (label) => {
    const [base, ...more] = label.split("_");
    return more.length ? make("msub", make("mi", base), make("mi", more.join(" "))) : make("mi", base);
  };
  const row = (label) => make("mrow", make("mo", "∂"), letter(label));
  const math = make("math", make("mfrac", row(above), row(below)));
  math.setAttribute("aria-label", `d${above}/d${below}`);
  return math;
}

const sized = (shape) => element("span", { class: "shape" }, shape.length ? shape.join(" × ") : word("kind.scalar"));

function showQuestion() {
  const { program, batch, inputs, loss, output, upstream, label, shape, steps } = asked;
  const given = inputs.map((input) => element("li", { class: "chip" }, named(input.label), sized(input.shape)));
  byId("practice-ask").replaceChildren(
    ...(state.step ? [element("p", { class: "label" }, word("practice.step", { step: state.step, count: steps }))] : []),
    element("pre", { class: "program" }, program.split(/;\s*/).join("\n")),
    ...(batch ? [element("p", { class: "hint" }, word("practice.over", { name: batch }))] : []),
    element("ul", { class: "chips", "aria-label": word("inputs") }, ...given),
    element("p", { class: "wanted" },
      ...(upstream ? [element("span", { class: "given" }, `${upstream} = `, fraction(loss, output), " ", word("practice.given"))] : []),
      element("span", { class: "find" }, fraction(loss, label), " = ?"), sized(shape)));
}

function showButtons() {
  const { steps } = asked;
  byId("practice-steps").hidden = steps < 2;
  byId("practice-steps").setAttribute("aria-pressed", String(state.step > 0));
  for (const id of ["practice-check", "practice-hint", "practice-show", "practice-answer"]) byId(id).disabled = attempt.over;
  byId("practice-next").classList.toggle("solid", attempt.over);
  byId("practice-next").textContent = word(state.step && attempt.over && state.step < steps ? "practice.next.step" : "practice.next");
}

function say(kind, ...content) {
  byId("practice-said").replaceChildren(element("div", { class: `verdict-box ${kind}` }, ...content));
}

const complaint = (error) => element("pre", { class: "spoken" }, error.type === "Limit"
  ? word(`limit.${error.reason}`, { seconds: error.seconds })
  : [error.message, error.hint ? `${word("hint")} ${error.hint}` : ""].filter(Boolean).join("\n"));

const form = (html) => element("div", { class: "solution", html });

/** Say that an answer is right, or what the right one is. */
function sayForm(kind, html, ...before) {
  say(kind, ...before, element("p", { class: "hint" }, word("practice.simplest")), form(html));
  scrollable(byId("practice-said"));
}

async function judge(event) {
  event.preventDefault();
  const answer = byId("practice-answer").value.trim();
  if (!answer || attempt.over) return;
  const found = await told({ do: "judge", answer, hints: attempt.hints, tries: attempt.tries });
  if (!found) return;
  if (found.read) attempt.tries += 1;
  const isFirst = attempt.tries === 1 && attempt.hints === 0;
  count((all) => {
    all.answers += found.read ? 1 : 0;
    if (found.right) {
      all.solved += 1;
      all.alone += isFirst ? 1 : 0;
      if (!state.step && !all.done.includes(state.exercise) && /^\d+$/.test(state.exercise)) all.done.push(state.exercise);
    }
    for (const kind of found.mistakes) all.mistakes[kind] = (all.mistakes[kind] ?? 0) + 1;
  });
  if (found.right) {
    attempt.over = true;
    sayForm("right", found.html, element("p", { class: "verdict-title" }, word("practice.right")));
    showButtons();
    byId("practice-next").focus();
    return;
  }
  say(found.read ? "wrong" : "unread", element("pre", { class: "spoken" }, found.said));
  byId("practice-answer").focus();
  byId("practice-answer").select();
}

async function hint() {
  const found = await told({ do: "hint", hints: attempt.hints });
  if (!found) return;
  attempt.hints = found.hints;
  say("hinted", element("pre", { class: "spoken" }, found.hint));
  if (found.isLast) {
    attempt.over = true;
    count((all) => { all.shown += 1; });
    showButtons();
  } else byId("practice-answer").focus();
}

async function solution() {
  const found = await told({ do: "show" });
  if (!found) return;
  attempt.over = true;
  count((all) => { all.shown += 1; });
  sayForm("hinted", found.html);
  showButtons();
  byId("practice-next").focus();
}

async function told(more) {
  byId("practising").classList.add("asking");
  try {
    const found = await ask({ ...chosen(), ...more });
    if (found.ok) return found;
    say("wrong", complaint(found.error));
  } catch {
    say("wrong", element("p", {}, word("limit.offline")));
  } finally {
    byId("practising").classList.remove("asking");
  }
  return null;
}

function next() {
  if (state.step && attempt.over) state.step = state.step < asked.steps ? state.step + 1 : 0;
  else {
    state.step = 0;
    state.exercise = after();
  }
  settle();
  showPractice(true);
}

function after() {
  if (topicOf() === "generated") return `generated:${Math.floor(Math.random() * 1e6)}`;
  if (state.exercise === "own") {
    const names = inputsOf().map(({ name }) => name);
    state.by = names[(names.indexOf(state.by) + 1) % Math.max(1, names.length)] ?? state.by;
    return "own";
  }
  return String((Number(state.exercise) + 1) % exercises.length);
}

function showScore() {
  const { answers, solved, alone, shown, mistakes, done } = score;
  const kinds = Object.entries(mistakes).sort((a, b) => b[1] - a[1]);
  byId("score-clear").hidden = !answers && !shown;
  byId("practice-score").replaceChildren(...(!answers && !shown ? [element("p", { class: "hint" }, word("practice.score.none"))] : [
    element("p", {}, word("practice.score.says", { answers, solved, alone, shown })),
    ...(exercises.length ? [element("p", { class: "hint" }, word("practice.score.done", { done: done.length, count: exercises.length }))] : []),
    ...(kinds.length ? [element("ul", { class: "mistakes" }, ...kinds.map(([kind, times]) => element("li", {}, element("b", {}, String(times)), " ", word(`mistake.${kind}`))))] : []),
  ]));
}

function show(exercise, step = 0) {
  Object.assign(state, { exercise, step });
  settle();
  showPractice();
}

/** Wire everything. ``inputs`` gives the inputs of the program on the page. */
export function watchPractice(onsettle, inputs) {
  settle = onsettle;
  inputsOf = inputs;
  byId("practice-form").addEventListener("submit", judge);
  byId("practice-hint").addEventListener("click", hint);
  byId("practice-show").addEventListener("click", solution);
  byId("practice-next").addEventListener("click", next);
  byId("practice-steps").addEventListener("click", () => show(state.exercise, state.step ? 0 : 1));
  byId("practice-topic").addEventListener("change", ({ target: { value } }) => {
    if (value === "generated") show(`generated:${Math.floor(Math.random() * 1e6)}`);
    else if (value === "own") {
      state.by = inputsOf()[0]?.name ?? "";
      show("own");
    } else show(exercises.find(({ topic }) => topic === value).key);
  });
  byId("practice-exercise").addEventListener("change", ({ target: { value } }) => {
    if (state.exercise === "own") {
      state.by = value;
      show("own");
    } else show(value);
  });
  byId("score-clear").addEventListener("click", () => {
    score = structuredClone(NOTHING);
    count(() => {});
    announce(word("practice.cleared"));
    byId("practice-title").focus();
  });
}
