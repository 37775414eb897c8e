// What the page is about, and its address: all of it is in the fragment, which no server is sent.

import { data } from "./dom.js";

const VERSION = "1";
const CHOICES = {
  want: ["backward", "jacobian", "hessian"],
  method: ["elementwise", "differential"],
  layout: ["denominator", "numerator"],
  detail: ["brief", "normal", "full"],
  lang: ["en", "ko"],
};
const DEFAULTS = { want: "backward", method: "elementwise", layout: "denominator", detail: "normal" };

export const state = {
  program: "", values: {}, upstream: "", wrt: "", numbers: true, view: "derive", exercise: "0", step: 0, by: "",
  lang: document.documentElement.lang, ...DEFAULTS,
};

// Letters that may stand in a fragment as they are; spaces are written as +.
const encode = (text) => text.replace(/[^A-Za-z0-9 \-._~!$'()*,;:@/?=^[\]|{}]/gu, encodeURIComponent)
  .replace(/[[\]|{}^]/g, encodeURIComponent).replace(/ /g, "+");
const decode = (text) => decodeURIComponent(text.replace(/\+/g, " "));
const packed = (value) => value.trim().replace(/\s*;\s*/g, ";").replace(/[ \t]+/g, ",");
const unpacked = (value) => value.replace(/,/g, " ").replace(/;/g, "; ");

/** Write the state as a fragment: #v=1&p=y+=+W+x&.W=1,2,3;4,5,6&.x=9,10,11&g=7,8 */
export function toFragment() {
  const parts = [`v=${VERSION}`, `p=${encode(state.program)}`];
  if (state.numbers) {
    for (const [name, value] of Object.entries(state.values)) parts.push(`.${encode(name)}=${encode(packed(value))}`);
    if (state.upstream) parts.push(`g=${encode(packed(state.upstream))}`);
  } else {
    parts.push("numbers=no");
  }
  if (state.wrt) parts.push(`wrt=${encode(state.wrt)}`);
  for (const [name, value] of Object.entries(DEFAULTS)) {
    if (state[name] !== value) parts.push(`${name}=${state[name]}`);
  }
  if (state.view === "practice") {
    parts.push(`practice=${encode(state.exercise)}`);
    if (state.step) parts.push(`step=${state.step}`);
    if (state.exercise === "own") parts.push(`by=${encode(state.by)}`);
  }
  parts.push(`lang=${state.lang}`);
  return `#${parts.join("&")}`;
}

/** Take the state from a fragment; false where there is none, or of another version. */
export function fromFragment(fragment) {
  const found = new Map();
  for (const part of fragment.replace(/^#/, "").split("&")) {
    const at = part.indexOf("=");
    if (at > 0) {
      try {
        found.set(decode(part.slice(0, at)), decode(part.slice(at + 1)));
      } catch {
        return false;
      }
    }
  }
  if (found.get("v") !== VERSION || !found.has("p")) return false;
  const values = {};
  for (const [name, value] of found) if (name.startsWith(".")) values[name.slice(1)] = unpacked(value);
  Object.assign(state, DEFAULTS, {
    program: found.get("p"), values, upstream: unpacked(found.get("g") ?? ""), wrt: found.get("wrt") ?? "",
    numbers: found.get("numbers") !== "no", view: found.has("practice") ? "practice" : "derive",
    exercise: found.get("practice") ?? "0", step: Number.parseInt(found.get("step") ?? "0", 10) || 0, by: found.get("by") ?? "",
  });
  for (const [name, allowed] of Object.entries(CHOICES)) {
    if (allowed.includes(found.get(name))) state[name] = found.get(name);
  }
  return true;
}

/** Take the state from an example of the gallery. */
export function fromExample(key) {
  const example = data.gallery.find((one) => one.key === key) ?? data.gallery[0];
  Object.assign(state, {
    program: example.program, values: { ...example.values }, upstream: example.upstream,
    want: example.want, wrt: example.wrt, numbers: true, view: "derive",
  });
  return example.key;
}

/** The question that the state asks the server. */
export function question() {
  return {
    program: state.program,
    values: state.numbers ? state.values : {},
    upstream: state.numbers ? state.upstream : "",
    wrt: state.want === "backward" ? "" : state.wrt,
    want: state.want, method: state.method, lang: state.lang, layout: state.layout, detail: "full",
  };
}

/** The example that the state is, if it is one. */
export function exampleOf() {
  const same = (one) => one.program === state.program && one.want === state.want;
  return data.gallery.find(same)?.key ?? "";
}
