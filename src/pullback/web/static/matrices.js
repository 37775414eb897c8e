// Values as tables that can be typed into. The lengths of the axes are shared: all that is n grows with n.

import { byId, element, isStatic, named, word } from "./dom.js";
import { state } from "./state.js";

const MOST = 8;
const FIRST = [2, 3, 4, 2, 3];
const NUMBER = /^[+\-−]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?(?:\/\d+\.?\d*)?$/;
const NUMBERS = /[+\-−]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?(?:\/\d+\.?\d*)?/g;

// Rows end as they do here, in MATLAB, Python, JSON, LaTeX and spreadsheets.
const ROW_END = /[;\n]|\\\\|\]\s*,?\s*\[/;

/** Read "1 2; 3 4" as rows of texts. */
export const rowsOf = (text) => text.split(ROW_END).map((row) => row.match(NUMBERS) ?? []).filter((row) => row.length);
const textOf = (rows) => rows.map((row) => row.join(" ")).join("; ");

/** A length from its polynomial, [[2, ["n"]], [1, []]] for 2 n + 1. */
function lengthOf(axis, sizes) {
  return axis.reduce((sum, [factor, names]) => sum + names.reduce((all, name) => all * (sizes[name] ?? 1), factor), 0);
}

const nameOf = (axis) => (axis.length === 1 && axis[0][0] === 1 && axis[0][1].length === 1 ? axis[0][1][0] : null);

/** What the axes are called, each with a length: from the values that there are, or a small number. */
export function sizesOf(answer) {
  const sizes = {};
  const things = [...answer.inputs.map((input) => [input.axes, state.values[input.name]])];
  if (answer.output) things.push([answer.output.axes, state.upstream]);
  for (const [axes, text] of things) {
    if (!text) continue;
    const rows = rowsOf(text);
    const lengths = axes.length === 1 ? [rows.flat().length] : [rows.length, rows[0]?.length ?? 0];
    axes.forEach((axis, k) => {
      const name = nameOf(axis);
      if (name && lengths[k]) sizes[name] ??= lengths[k];
    });
  }
  let next = 0;
  for (const { axes } of [...answer.inputs, ...(answer.output ? [answer.output] : [])]) {
    for (const axis of axes) for (const [, names] of axis) for (const name of names) sizes[name] ??= FIRST[next++ % FIRST.length];
  }
  return sizes;
}

/** A number to begin with; the same at every visit. */
function first(input, i, j, square) {
  const facts = new Set(input.properties ?? []);
  let seed = 7 * i + 13 * j + 3;
  for (const letter of input.name) seed = (seed * 31 + letter.codePointAt(0)) % 9973;
  const small = facts.has("positive") ? 1 + (seed % 4) : (seed % 7) - 3;
  if (!square) return String(small === 0 && !facts.has("positive") ? 1 : small);
  if (facts.has("orthogonal") || facts.has("diagonal")) return i === j ? String(facts.has("orthogonal") ? 1 : 1 + i) : "0";
  if (facts.has("spd") || facts.has("symmetric")) return i === j ? String(4 + i) : "1";
  if (facts.has("lower") && j > i) return "0";
  if (facts.has("upper") && j < i) return "0";
  return i === j ? String(Math.abs(small) + 3) : String(small);
}

// What was last said of each input: numbers from before a property was declared would contradict it.
const declared = new Map();
const isMirrored = (input) => ["symmetric", "spd"].some((fact) => (input.properties ?? []).includes(fact));

/** Whether an entry is zero by what is declared of its matrix. */
function isZero(input, i, j) {
  const facts = input.properties ?? [];
  return (facts.includes("diagonal") && i !== j) || (facts.includes("lower") && j > i) || (facts.includes("upper") && j < i);
}

/** Make rows of the lengths that an input has, keeping what is there. */
function fitted(input, text, sizes) {
  const lengths = input.axes.map((axis) => lengthOf(axis, sizes));
  const old = rowsOf(text ?? "");
  if (lengths.length === 0) return textOf([[old.flat()[0] ?? first(input, 0, 0, false)]]);
  const flat = lengths.length === 1;
  const [rows, columns] = flat ? [1, lengths[0]] : lengths;
  const from = flat ? [old.flat()] : old;
  const square = !flat && rows === columns;
  const cell = (i, j) => from[i]?.[j] ?? first(input, i, j, square);
  return textOf(Array.from({ length: rows }, (_, i) => Array.from({ length: columns }, (_, j) => cell(i, j))));
}

/** Bring the values into the shapes that the program has; true where something changed. */
export function reconcile(answer, sizes) {
  let changed = false;
  const known = new Set(answer.inputs.map((input) => input.name));
  for (const name of Object.keys(state.values)) {
    if (!known.has(name)) {
      delete state.values[name];
      changed = true;
    }
  }
  for (const input of answer.inputs) {
    if (input.axes.length > 2) continue;
    const facts = (input.properties ?? []).join(" ");
    const isNews = facts && declared.has(input.name) && declared.get(input.name) !== facts;
    declared.set(input.name, facts);
    if (isNews) state.values[input.name] = "";
    const made = fitted(input, state.values[input.name], sizes);
    if (made !== state.values[input.name]) {
      changed ||= textOf(rowsOf(state.values[input.name] ?? "")) !== made;
      state.values[input.name] = made;
    }
  }
  const { output } = answer;
  const wanted = output && output.axes.length > 0 && output.axes.length < 3;
  const upstream = wanted ? fitted({ ...output, name: "g" }, state.upstream, sizes) : "";
  if (upstream !== state.upstream) {
    changed ||= textOf(rowsOf(state.upstream)) !== upstream;
    state.upstream = upstream;
  }
  return changed;
}

/** Draw the tables. ``onvalues`` is called when an entry was changed, ``onsize`` when a length was. */
export function showMatrices(answer, sizes, symbols, onvalues, onsize) {
  const holder = byId("matrices");
  const focused = document.activeElement?.id;
  showSizes(answer, sizes, onsize);
  holder.replaceChildren();
  if (!state.numbers) {
    holder.append(element("p", { class: "empty" }, word("values.none")));
    return;
  }
  for (const input of answer.inputs) {
    const set = (text) => { state.values[input.name] = text; };
    const base = symbols?.[input.key] ?? input.key;
    holder.append(table(input, named(input.label), input.label, state.values[input.name] ?? "", base, set, onvalues));
  }
  const { output } = answer;
  if (output.axes.length) {
    const label = element("span", { class: "upstream" }, word("upstream"), " ", element("i", {}, "∂L/∂"), named(output.label));
    const set = (text) => { state.upstream = text; };
    const base = `${answer.loss ?? "L"}/${symbols?.[output.name] ?? output.name}`;
    const spoken = `${word("upstream")} dL/d${output.name}`;
    holder.append(table({ ...output, key: "upstream" }, label, spoken, state.upstream, base, set, onvalues));
  } else {
    holder.append(element("p", { class: "hint" }, word("loss.itself", { name: output.label })));
  }
  if (focused) byId(focused)?.focus({ preventScroll: true });
}

function showSizes(answer, sizes, onsize) {
  const holder = byId("sizes");
  holder.replaceChildren();
  if (!state.numbers || isStatic) return;
  const free = new Set();
  for (const { axes } of [...answer.inputs, answer.output]) {
    for (const axis of axes) for (const [, names] of axis) for (const name of names) free.add(name);
  }
  for (const name of free) {
    const step = (by) => element("button", {
      type: "button", id: `size-${name}-${by > 0 ? "more" : "less"}`,
      "aria-label": word(by > 0 ? "size.more" : "size.less", { name }), class: "tiny",
      disabled: sizes[name] + by < 1 || sizes[name] + by > MOST, onclick: () => onsize(name, sizes[name] + by),
    }, by > 0 ? "+" : "−");
    holder.append(element("span", { class: "size" },
      step(-1), element("span", { class: "size-text" }, element("i", {}, name), ` = ${sizes[name]}`), step(1)));
  }
}

function table(input, label, spoken, text, base, set, onvalues) {
  const rows = rowsOf(text);
  const isVector = input.axes.length === 1;
  const shown = isVector ? rows.flat().map((cell) => [cell]) : rows;
  const shape = input.axes.length === 0 ? "" : isVector ? String(shown.length) : `${shown.length} × ${shown[0]?.length ?? 0}`;
  const head = element("figcaption", {}, element("span", { class: "matrix-name" }, label), element("span", { class: "shape" }, shape));
  if (input.axes.length > 2) return element("figure", { class: "matrix" }, head, element("p", { class: "hint" }, word("values.axes")));
  const id = (i, j) => `cell-${input.key}-${i}-${j}`;
  const body = element("table", { class: "cells", role: "presentation" });
  const line = element("tbody");
  body.append(line);
  shown.forEach((row, i) => {
    line.append(element("tr", {}, ...row.map((cell, j) => {
      const mark = input.axes.length === 0 ? base : isVector ? `${base}.${i + 1}` : `${base}.${i + 1}.${j + 1}`;
      const place = input.axes.length === 0 ? "" : isVector ? ` ${i + 1}` : ` ${i + 1}, ${j + 1}`;
      const field = element("input", {
        id: id(i, j), value: cell, inputmode: "decimal", autocomplete: "off", "data-entry": mark,
        "aria-label": `${spoken}${place}`, readonly: isStatic || isZero(input, i, j), size: Math.max(3, cell.length),
      });
      field.addEventListener("focus", () => field.select());
      field.addEventListener("input", () => {
        const right = NUMBER.test(field.value.trim());
        field.setAttribute("aria-invalid", String(!right));
        field.size = Math.max(3, field.value.length);
        if (!right) return;
        shown[i][j] = field.value.trim();
        if (i !== j && isMirrored(input)) {
          shown[j][i] = shown[i][j];
          byId(id(j, i)).value = shown[i][j];
        }
        set(isVector ? shown.flat().join(" ") : textOf(shown));
        onvalues();
      });
      field.addEventListener("paste", (event) => {
        const pasted = rowsOf(event.clipboardData.getData("text"));
        if (pasted.flat().length < 2) return;
        event.preventDefault();
        set(isVector ? pasted.flat().join(" ") : textOf(pasted));
        onvalues(true);
      });
      field.addEventListener("keydown", (event) => {
        const inside = field.selectionStart === field.selectionEnd;
        const ends = { ArrowLeft: field.selectionStart === 0, ArrowRight: field.selectionEnd === field.value.length };
        if (event.key in ends && inside && !ends[event.key]) return;
        const to = { ArrowUp: [i - 1, j], ArrowDown: [i + 1, j], Enter: [i + 1, j], ArrowLeft: [i, j - 1], ArrowRight: [i, j + 1] }[event.key];
        const target = to && byId(id(...to));
        if (!target) return;
        event.preventDefault();
        target.focus();
      });
      return element("td", {}, field);
    })));
  });
  const figure = element("figure", { class: `matrix${input.axes.length ? "" : " scalar"}`, role: "group", "aria-label": spoken }, head, element("div", { class: "bracketed" }, body));
  return figure;
}
