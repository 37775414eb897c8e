// The field for the program: it grows with its text, marks what is wrong where it is wrong, shows the inputs.

import { byId, element, isStatic, named, word } from "./dom.js";
import { state } from "./state.js";

const field = byId("program");
const mirror = byId("mirror");

export function showProgram() {
  if (field.value !== state.program) field.value = state.program;
  field.readOnly = isStatic;
  grow();
}

/** Give the field the height of its text, which may wrap. */
function grow() {
  field.style.height = "auto";
  field.style.height = `${field.scrollHeight}px`;
}

/** Call back when the text was changed, and when it is to be derived at once. */
export function watchProgram(onchange, onenter) {
  field.addEventListener("input", () => {
    state.program = field.value;
    grow();
    mark([]);
    onchange();
  });
  addEventListener("resize", grow);
  field.addEventListener("scroll", () => { mirror.scrollTop = field.scrollTop; mirror.scrollLeft = field.scrollLeft; });
  field.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      onenter();
    }
  });
}

/** Underline places in the text. */
function mark(places) {
  const text = field.value;
  const parts = [];
  let at = 0;
  for (const { start, end } of [...places].sort((a, b) => a.start - b.start)) {
    if (start < at) continue;
    parts.push(text.slice(at, start), element("mark", {}, text.slice(start, end) || " "));
    at = Math.max(start, end);
  }
  mirror.replaceChildren(...parts, text.slice(at), "\n");
}

/** Show what is wrong, with a caret under it; nothing where all is right. */
export function showError(error) {
  const box = byId("error");
  field.setAttribute("aria-invalid", String(Boolean(error) && error.subject === "program"));
  if (!error) {
    box.hidden = true;
    box.replaceChildren();
    mark([]);
    return;
  }
  const inProgram = error.subject === "program" && (error.source ?? "") === field.value;
  mark(inProgram ? error.places ?? [] : []);
  const said = error.type === "Limit"
    ? word(`limit.${error.reason}`, { seconds: error.seconds, most: Math.round((error.most ?? 0) / 1024) })
    : error.message;
  box.replaceChildren(element("p", { class: "error-message" }, said));
  for (const place of error.places ?? []) box.append(caret(error.source, place));
  if (error.hint) box.append(element("p", { class: "error-hint" }, element("span", {}, word("hint")), " ", error.hint));
  box.hidden = false;
}

function caret(source, { start, end, label }) {
  const from = source.lastIndexOf("\n", start - 1) + 1;
  const to = source.indexOf("\n", start) < 0 ? source.length : source.indexOf("\n", start);
  const line = source.slice(from, to);
  const width = Math.max(1, Math.min(end, Math.max(to, start + 1)) - start);
  return element("pre", { class: "caret", tabindex: "0" }, `${line}\n${" ".repeat(start - from)}`, element("b", {}, "^".repeat(width)), label ? ` ${label}` : "");
}

/** The inputs with their kinds and shapes; choosing one lets its shape be declared. */
export function showChips(answer, ondeclare) {
  const list = byId("chips");
  const open = list.querySelector("[aria-expanded=true]")?.dataset.name;
  list.replaceChildren(...answer.inputs.map((input) => {
    const kind = word(`kind.${["scalar", "vector", "matrix"][input.shape.length] ?? "tensor"}`);
    const shape = input.shape.join(" × ");
    const facts = input.properties.map((fact) => word(`property.${fact}`)).join(", ");
    const more = element("span", { class: "chip-more" }, kind, shape ? ` ${shape}` : "", facts ? `, ${facts}` : "");
    const name = element("span", { class: "chip-name" }, named(input.label));
    if (isStatic) return element("li", {}, element("span", { class: "chip" }, name, more));
    const button = element("button", {
      type: "button", class: "chip", "data-name": input.name, "aria-expanded": "false", "aria-controls": "declare",
    }, name, more);
    button.addEventListener("click", () => openDeclaration(input, button, ondeclare));
    return element("li", {}, button);
  }));
  if (!answer.inputs.some((input) => input.name === open)) byId("declare").replaceChildren();
}

const PROPERTIES = ["", "symmetric", "spd", "diagonal", "lower", "upper", "orthogonal", "invertible", "positive", "constant"];

function openDeclaration(input, button, ondeclare) {
  const holder = byId("declare");
  const was = button.getAttribute("aria-expanded") === "true";
  for (const other of byId("chips").querySelectorAll("[aria-expanded]")) other.setAttribute("aria-expanded", "false");
  holder.replaceChildren();
  if (was) return;
  button.setAttribute("aria-expanded", "true");
  const shape = element("input", { id: "declare-shape", value: input.shape.length ? input.shape.join(", ") : "scalar", autocomplete: "off", spellcheck: "false" });
  const fact = element("select", { id: "declare-fact" }, ...PROPERTIES.map((name) => element("option", {
    value: name, selected: input.properties.includes(name),
  }, name ? word(`property.${name}`) : word("property.none"))));
  const form = element("form", { class: "declare" },
    element("p", { class: "hint" }, word("declare.hint", { name: input.label })),
    element("label", { for: "declare-shape" }, word("declare.shape")), shape,
    element("label", { for: "declare-fact" }, word("declare.fact")), fact,
    element("div", { class: "row" },
      element("button", { class: "solid" }, word("declare.apply")),
      element("button", { type: "button", class: "quiet", onclick: () => { openDeclaration(input, button, ondeclare); button.focus(); } }, word("close"))));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    declare(input.name, shape.value.trim(), fact.value);
    holder.replaceChildren();
    ondeclare();
    byId("chips").querySelector("button")?.focus();
  });
  form.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    event.stopPropagation();
    openDeclaration(input, button, ondeclare);
    button.focus();
  });
  holder.append(form);
  shape.focus();
  shape.select();
}

/** Write a declaration into the program, in place of one that is there. */
function declare(name, shape, fact) {
  const parts = shape.replace(/[()]/g, "").split(/[,×x\s]+/).filter(Boolean);
  const size = /^(scalar)?$/.test(parts.join("")) ? "scalar" : parts.length === 1 ? parts[0] : `(${parts.join(", ")})`;
  const line = `${name} : ${size}${fact ? ` ${fact}` : ""}`;
  const lines = state.program.split("\n").filter((text) => !(text.split(":")[0].trim() === name && text.includes(":")));
  state.program = [line, ...lines].join("\n");
  showProgram();
}
