// Hovering an entry lights up every place where it stands, and what it came from.

let lit = null;

const placeOf = (target) => {
  if (!(target instanceof Element)) return null;
  return target.closest("mfrac[data-entry], mfrac[data-name]") ?? target.closest("[data-entry], [data-name]");
};

const quoted = (text) => CSS.escape(text);

function clear() {
  for (const place of document.querySelectorAll(".lit, .origin, .use")) place.classList.remove("lit", "origin", "use");
  lit = null;
}

/** Light up an entry, or all entries of a name. */
export function light(place, symbols) {
  const entry = place?.dataset.entry;
  const name = place?.dataset.name;
  const key = entry ?? (name ? `name:${name}` : null);
  if (key === lit) return;
  clear();
  if (!key) return;
  lit = key;
  if (entry) {
    const generic = /\.[a-z](\.[a-z])*$/.exec(entry);
    const wanted = generic ? `[data-entry^="${quoted(entry.slice(0, generic.index))}."]` : `[data-entry="${quoted(entry)}"]`;
    for (const other of document.querySelectorAll(wanted)) other.classList.add("lit");
    place.classList.add("lit");
    for (const origin of (place.dataset.from ?? originsOf(entry)).split(" ").filter(Boolean)) {
      for (const other of document.querySelectorAll(`[data-entry="${quoted(origin)}"]`)) other.classList.add("origin");
    }
    for (const other of document.querySelectorAll(`[data-from~="${quoted(entry)}"]`)) other.classList.add("use");
    return;
  }
  const base = name.includes("/") ? name.split("/").map((part) => symbols[part] ?? part).join("/") : symbols[name] ?? name;
  const places = `[data-name="${quoted(name)}"], [data-entry="${quoted(base)}"], [data-entry^="${quoted(base)}."]`;
  for (const other of document.querySelectorAll(places)) other.classList.add("lit");
}

/** What an entry came from, where any of its places tells. */
function originsOf(entry) {
  return document.querySelector(`[data-entry="${quoted(entry)}"][data-from]`)?.dataset.from ?? "";
}

/** Watch the pointer and the focus. */
export function watchLinks(symbolsOf) {
  document.addEventListener("pointerover", (event) => light(placeOf(event.target), symbolsOf()));
  document.addEventListener("pointerleave", clear);
  document.addEventListener("focusin", (event) => {
    const place = placeOf(event.target);
    if (place || lit) light(place, symbolsOf());
  });
}
