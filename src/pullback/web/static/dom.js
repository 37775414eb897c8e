// Small helpers: elements, words, and what the page carries with it.

export const data = JSON.parse(document.getElementById("data").textContent);
export const isStatic = document.documentElement.dataset.mode === "static";
export const byId = (id) => document.getElementById(id);
export const calm = matchMedia("(prefers-reduced-motion: reduce)");

/** Make an element: element("p", { class: "x", onclick: f }, "text", other) */
export function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else if (key === "html") made.innerHTML = value;
    else made.setAttribute(key, value === true ? "" : value);
  }
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

/** The word with this key in the language of the page, its {names} filled in. */
export function word(key, parts = {}) {
  const text = data.words[document.documentElement.lang][key] ?? key;
  return text.replace(/\{(\w+)\}/g, (_, name) => parts[name] ?? "");
}

/** Put the words of a language everywhere. */
export function speak(lang) {
  document.documentElement.lang = lang;
  for (const place of document.querySelectorAll("[data-word]")) place.textContent = word(place.dataset.word);
  for (const place of document.querySelectorAll("[data-word-label]")) {
    place.setAttribute("aria-label", word(place.dataset.wordLabel));
    if (place.tagName === "BUTTON") place.title = word(place.dataset.wordLabel);
  }
}

/** Tell a screen reader. */
export function announce(text) {
  byId("status").textContent = text;
}

let fading = 0;
/** Show a short note at the foot of the window, and say it. */
export function toast(text) {
  const place = byId("toast");
  place.textContent = text;
  place.classList.add("shown");
  announce(text);
  clearTimeout(fading);
  fading = setTimeout(() => place.classList.remove("shown"), 1800);
}

export async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    const area = element("textarea", { class: "unseen" });
    area.value = text;
    document.body.append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
  }
}

/** Save a text as a file. */
export function download(name, text, kind) {
  const url = URL.createObjectURL(new Blob([text], { type: kind }));
  const link = element("a", { href: url, download: name });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(url), 1000);
}

/** Mark the chosen one of a row of buttons. */
export function choose(group, value) {
  for (const button of group.querySelectorAll("button")) {
    button.setAttribute("aria-pressed", String(button.dataset.value === value));
  }
}

const widths = new ResizeObserver((entries) => {
  for (const { target } of entries) {
    if (target.scrollWidth > target.clientWidth) target.tabIndex = 0;
    else target.removeAttribute("tabindex");
  }
});

/** What is wider than there is room for can be reached and scrolled by keyboard. */
export function scrollable(place) {
  for (const line of place.querySelectorAll(".line, .bracketed")) widths.observe(line);
}

/** A name for the eye: W_q with its q below the line. */
export function named(label) {
  const [base, ...below] = label.split("_");
  const made = element("i", {}, base);
  if (below.length) made.append(element("sub", {}, below.join(" ")));
  return made;
}

/** Tabs by the pattern of WAI-ARIA: arrows move between them. */
export function tabs(label, pages, chosen, onchoose) {
  const list = element("div", { role: "tablist", "aria-label": label, class: "tablist" });
  const holder = element("div", { class: "tabs" }, list);
  const prefix = `tab-${pages[0].key}`;
  const show = (key, focus) => {
    for (const { key: other } of pages) {
      const tab = list.querySelector(`[data-key="${other}"]`);
      const here = other === key;
      tab.setAttribute("aria-selected", String(here));
      tab.tabIndex = here ? 0 : -1;
      holder.querySelector(`#${prefix}-${other}-page`).hidden = !here;
      if (here && focus) tab.focus();
    }
    onchoose(key);
  };
  for (const { key, title, body } of pages) {
    const tab = element("button", {
      type: "button", role: "tab", id: `${prefix}-${key}`, "data-key": key, "aria-controls": `${prefix}-${key}-page`,
    }, title);
    tab.addEventListener("click", () => show(key, false));
    list.append(tab);
    holder.append(element("div", {
      role: "tabpanel", id: `${prefix}-${key}-page`, "aria-labelledby": `${prefix}-${key}`, class: "tabpage",
    }, body));
  }
  list.addEventListener("keydown", (event) => {
    const here = pages.findIndex(({ key }) => list.querySelector(`[data-key="${key}"]`).tabIndex === 0);
    const to = { ArrowRight: here + 1, ArrowLeft: here - 1, Home: 0, End: pages.length - 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    show(pages[(to + pages.length) % pages.length].key, true);
  });
  show(pages.some(({ key }) => key === chosen) ? chosen : pages[0].key, false);
  return holder;
}
