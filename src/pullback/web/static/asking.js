// Questions to the server; a static page has its answers beside it.

import { data, element, isStatic } from "./dom.js";

const TURNS = 3;

/** Ask one question. A busy server is asked again, a little later. */
export async function ask(document, signal) {
  for (let turn = 0; ; turn += 1) {
    const response = await fetch("/api/derive", {
      method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(document), signal,
    });
    if (response.status === 503 && turn < TURNS) {
      await new Promise((resolve) => { setTimeout(resolve, 400 * 2 ** turn); });
      continue;
    }
    return response.json();
  }
}

/** Ask for a derivation; on a static page, take the one that was made for it. */
export const askDerivation = (document, signal) => (isStatic ? carried(`${document.lang}.${document.method}`) : ask(document, signal));

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
