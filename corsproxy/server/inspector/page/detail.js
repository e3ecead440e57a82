// The details of one request: what was asked, what was answered, what decided, and what would allow it.

import { element, make } from "./dom.js";
import { answerBlock, change, decidedBy, explain, headerNames, section } from "./explain.js";
import { because, exactTimeOf, kindOf, verdictOf, VERDICTS } from "./words.js";

export class Detail {
  #box = element("detail");
  #asking = null;
  #onClose;
  #onAsk;

  /** `onClose` is called when the details are left, `onAsk` with a question to fill the form with. */
  constructor(onClose, onAsk) {
    this.#onClose = onClose;
    this.#onAsk = onAsk;
    this.#box.addEventListener("keydown", (key) => { if (key.key === "Escape") this.close(); });
  }

  async open(event) {
    this.#asking?.abort();
    this.#asking = new AbortController();
    const { signal } = this.#asking;
    const why = make("div", "why-parts");
    this.#box.replaceChildren(this.#head(event), why, ...facts(event), meta(event));
    this.#box.hidden = false;
    element("asking").hidden = true;
    this.#box.focus({ preventScroll: matchMedia("(min-width: 64rem)").matches });
    element("panel").scrollTop = 0;
    if (event.origin === null) return;
    why.append(make("p", "note", "Asking the configuration…"));
    try {
      const found = await explain(questionOf(event), signal);
      if (!signal.aborted) why.replaceChildren(...explained(event, found));
    } catch (error) {
      if (!signal.aborted) why.replaceChildren(make("p", "warning", `No explanation: ${error.message}`));
    }
  }

  close() {
    if (this.#box.hidden) return;
    this.#asking?.abort();
    this.#box.hidden = true;
    this.#box.replaceChildren();
    element("asking").hidden = false;
    this.#onClose();
  }

  #head(event) {
    const verdict = verdictOf(event);
    const close = make("button", "close", "Close");
    close.type = "button";
    close.addEventListener("click", () => this.close());
    const parts = [make("div", "row", make("span", `badge ${verdict}`, VERDICTS[verdict]), event.reason ? make("code", "", event.reason) : null, close)];
    parts.push(make("h2", "", `${event.method} ${event.path}`));
    if (event.reason) parts.push(make("p", "because", because(event)));
    if (event.origin !== null) {
      const again = make("button", "link", "Ask about a request like this");
      again.type = "button";
      again.addEventListener("click", () => {
        this.close();
        this.#onAsk(questionOf(event));
      });
      parts.push(again);
    }
    return make("header", verdict, ...parts);
  }
}

/** The question that explains a request that was seen: a preflight stands for the request it asks for. */
function questionOf(event) {
  return {
    path: event.path,
    origin: event.origin,
    method: event.requested_method ?? event.method,
    headers: headerNames(event.requested_headers),
    host: event.host,
    credentials: false,
  };
}

function facts(event) {
  const asked = make("pre", "code", make("b", "", `${event.method} ${event.path}`), "\n");
  const fields = [
    ["Host", event.host],
    ["Origin", event.origin],
    ["Access-Control-Request-Method", event.requested_method],
    ["Access-Control-Request-Headers", event.requested_headers],
  ];
  for (const [name, value] of fields) if (value) asked.append(make("span", "name", name), `: ${value}\n`);
  const kind = { none: "It has no Origin: it is no CORS request, and no browser judges the answer." }[event.cors];
  return [
    section(event.cors.startsWith("preflight") ? "What the browser asked first" : "What was asked", asked, kind ? make("p", "note", kind) : null),
    section("What was answered", answerBlock(event.status || "no answer: the client went away", event.answered)),
  ];
}

function explained(event, found) {
  const parts = [];
  const refused = verdictOf(event) === "refused";
  if (found.mode === "shadow") {
    parts.push(make("p", "warning", "The policy is in shadow mode: this is what it would have answered. The client saw the upstream’s own CORS headers."));
  }
  if (refused && found.verdict.allowed) {
    parts.push(make("p", "note", "The configuration in force now would allow it; it has changed since."));
  } else if (!refused && !found.verdict.allowed) {
    parts.push(make("p", "warning", `A page’s script would not have come so far: ${found.reason ?? found.verdict.why}.`));
  }
  return [...parts, decidedBy(found), change(found)].filter(Boolean);
}

function meta(event) {
  const list = make("dl", "meta");
  const rows = [
    ["time", exactTimeOf(event)],
    ["kind", kindOf(event)],
    ["client", event.client],
    ["upstream", event.upstream === null ? "not asked" : `${event.upstream}${event.upstream_status ? `, answered ${event.upstream_status}` : ""}`],
    ["took", `${event.duration_ms} ms`],
    ["error", event.error],
    ["request id", event.request_id],
  ];
  for (const [name, value] of rows) if (value) list.append(make("div", "", make("dt", "", name), make("dd", "", value)));
  return list;
}
