// The details of one request: what was asked, what was answered, what decided, and what would allow it.

import { copyButton, element, make } from "./dom.js";
import { answerBlock, change, decidedBy, explain, headerNames, section } from "./explain.js";
import { because, bytes, exactTimeOf, kindOf, verdictOf, VERDICTS } from "./words.js";

export class Detail {
  #box = element("detail");
  #asking = null;
  #onClose;
  #onAsk;

  /** `onClose` is called when the details are left, `onAsk` with a question to fill the form with. */
  constructor(onClose, onAsk) {
    this.hello = { url: "", explain: "" };
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
    if (event.error) parts.push(failure(event));
    else if (event.open) parts.push(make("p", "note", `It is open: ${bytes(event.bytes_in)} have come from the client, ${bytes(event.bytes_out)} have gone to it.`));
    if (event.reason) parts.push(make("p", "because", because(event)));
    const copies = make("div", "copies", copyButton(curlOf(event, this.hello.url), "as cURL"));
    if (event.method) copies.append(copyButton(explainOf(event, this.hello.explain), "as explain"));
    parts.push(copies);
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

/** What the proxy itself says went wrong, before everything else. */
function failure(event) {
  const words = event.upstream ? `${event.upstream}: ${event.error}` : event.error;
  return make("p", "failure", `${event.status || "No answer"} – ${words}`, event.error_detail ? make("small", "", event.error_detail) : null);
}

const quoted = (text) => (/^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`);

/** Fields that curl makes itself. */
const OF_CURL = new Set(["host", "connection", "content-length", "transfer-encoding", "accept-encoding"]);

/** The request as a command; what is masked here is masked there. */
function curlOf(event, url) {
  const query = event.query === null || event.query === undefined ? "" : `?${event.query}`;
  const words = ["curl", "-i"];
  if (event.method && event.method !== "GET") words.push("-X", event.method);
  const asked = [["Origin", event.origin], ["Access-Control-Request-Method", event.requested_method], ["Access-Control-Request-Headers", event.requested_headers]];
  for (const [name, value] of event.fields ?? asked) {
    if (value !== null && !OF_CURL.has(name.toLowerCase())) words.push("-H", quoted(`${name}: ${value}`));
  }
  words.push(quoted(`${url}${event.path}${query}`));
  return words.join(" ");
}

/** The question to the command line, about the configuration that runs here. */
function explainOf(event, configuration) {
  const question = questionOf(event);
  const words = ["corsproxy", "explain", quoted(event.path), "--method", quoted(question.method)];
  if (question.origin) words.push("--origin", quoted(question.origin));
  for (const name of question.headers) words.push("--header", quoted(name));
  if (event.host) words.push("--host", quoted(event.host));
  return `${words.join(" ")}${configuration ? ` ${configuration}` : ""}`;
}

function facts(event) {
  const query = event.query === null || event.query === undefined ? "" : `?${event.query}`;
  const asked = make("pre", "code", make("b", "", `${event.method} ${event.path}${query}`), "\n");
  const fields = event.fields ?? [
    ["Host", event.host],
    ["Origin", event.origin],
    ["Access-Control-Request-Method", event.requested_method],
    ["Access-Control-Request-Headers", event.requested_headers],
  ];
  for (const [name, value] of fields) if (value) asked.append(make("span", "name", name), `: ${value}\n`);
  const kind = { none: "It has no Origin: it is no CORS request, and no browser judges the answer." }[event.cors];
  return [
    section(event.cors.startsWith("preflight") ? "What the browser asked first" : "What was asked", asked, kind ? make("p", "note", kind) : null),
    section("What was answered", answerBlock(event.status || (event.open ? "nothing yet" : "no answer: the client went away"), event.response_fields ?? event.answered)),
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
    ["took", event.open ? `${event.duration_ms} ms so far` : `${event.duration_ms} ms`],
    ["upstream took", event.upstream_ms === null ? null : `${event.upstream_ms} ms to its head`],
    ["bytes", `${bytes(event.bytes_in)} in, ${bytes(event.bytes_out)} out`],
    ["request id", event.request_id],
  ];
  for (const [name, value] of rows) if (value) list.append(make("div", "", make("dt", "", name), make("dd", "", value)));
  return list;
}
