// Makes each call twice, as any page's script would, and shows what this browser gave it.
// What happened on the wire is in /demo.json, from the demo's own calls: a script cannot see what a browser withholds.
"use strict";

const element = (id) => document.getElementById(id);

function make(tag, className, text) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
}

/** What the script got for one call: its lines, and whether it got an answer at all. */
async function ask(server, call) {
  const options = { method: call.method, headers: call.headers, cache: "no-store" };
  if (call.body !== null) options.body = call.body;
  if (call.credentials) options.credentials = "include";
  try {
    const response = await fetch(server + call.path, options);
    const lines = [`${response.status} ${response.statusText}`];
    for (const name of call.reads) lines.push(`${name}: ${response.headers.get(name) ?? "(not readable)"}`);
    lines.push(shorten(await response.text()));
    return { allowed: true, lines };
  } catch (error) {
    return { allowed: false, lines: [`${error.name}: ${error.message}`] };
  }
}

const shorten = (text) => (text.length > 160 ? `${text.slice(0, 160)} …` : text);

/** The request as a person would write it down. */
function written(call) {
  const parts = [`${call.method} ${call.path}`, ...Object.entries(call.headers).map(([name, value]) => `${name}: ${value}`)];
  if (call.credentials) parts.push("credentials: include");
  return parts.join("  ·  ");
}

function side(way, key) {
  const made = make("div", "side");
  made.dataset.way = key;
  const head = make("div", "head");
  head.append(make("span", "way", way), make("span", "badge", "asking…"));
  made.append(head);
  return made;
}

/** Fill one side with the browser's answer, why it is so, and what was on the wire. */
function show(into, told, got, stranger) {
  into.className = `side ${got.allowed ? "allowed" : "blocked"}`;
  into.querySelector(".badge").textContent = got.allowed ? "allowed" : "blocked";
  into.querySelectorAll(":scope > :not(.head)").forEach((old) => old.remove());
  const saw = make("div", "saw");
  saw.append(make("b", "", "What the script sees"), ...got.lines.map((line) => make("code", "", line)));
  into.append(saw);
  if (stranger && into.dataset.way === "proxied") {
    into.append(make("p", "text", `The policy does not name ${location.origin}, so the proxy grants it nothing: `
      + "a preflight is answered 403, and any other answer carries no CORS header."));
    return;
  }
  const why = told.verdict.replace(/^blocked: /, "");
  if (why !== "allowed") into.append(make("p", "why bad", `Why: ${why}.`));
  into.append(make("p", "text", told.text), wire(told.wire));
}

function wire(exchanges) {
  const details = make("details");
  details.append(make("summary", "", "On the wire"));
  for (const each of exchanges) {
    const pre = make("pre");
    pre.append(`${each.request}\n${each.sent.join("\n")}\n\n`, make("span", "key", `${each.status ?? "no answer"}`), "\n");
    for (const line of each.received) {
      pre.append(make("span", /^(access-control-|vary)/i.test(line) ? "cors" : "", line), "\n");
    }
    if (each.content) pre.append(`\n${shorten(each.content)}`);
    details.append(pre);
  }
  return details;
}

/** Comments and keys of YAML, enough for the file shown here. */
function highlight(into, yaml) {
  for (const line of yaml.trimEnd().split("\n")) {
    const [, indent, key, rest, comment] = /^(\s*(?:- )?)([A-Za-z_]+:)?(.*?)(\s+#.*)?$/.exec(line);
    into.append(indent, make("span", "key", key ?? ""), rest, make("span", "comment", comment ?? ""), "\n");
  }
}

function card(call) {
  const made = make("article", "call");
  made.id = call.id;
  const head = make("header");
  head.append(make("h2", "", call.title), make("h3", "", written(call)));
  const sides = make("div", "sides");
  sides.append(side("Directly", "direct"), side("Through corsproxy", "proxied"));
  made.append(head, sides);
  return made;
}

async function run(demo) {
  const stranger = location.origin !== demo.page;
  const count = { direct: 0, proxied: 0 };
  element("again").disabled = true;
  element("summary").textContent = "Making the calls…";
  document.body.dataset.state = "running";
  for (const call of demo.calls) {
    // One after the other: the second visit that the API counts is then the one the proxy shows.
    for (const [way, server] of [["direct", demo.legacy], ["proxied", demo.proxy]]) {
      const got = await ask(server, call);
      count[way] += got.allowed ? 1 : 0;
      show(document.querySelector(`#${call.id} [data-way=${way}]`), call[way], got, stranger);
    }
  }
  const all = demo.calls.length;
  element("summary").textContent =
    `Directly, ${count.direct} of ${all} calls came through; through corsproxy, ${count.proxied} of ${all}.`;
  element("again").disabled = false;
  document.body.dataset.state = "done";
}

async function start() {
  const demo = await (await fetch("/demo.json")).json();
  const stranger = location.origin !== demo.page;
  element("origin").textContent = location.origin;
  element("proxy").textContent = demo.proxy;
  element("legacy").textContent = demo.legacy;
  highlight(element("policy"), demo.policy);
  if (stranger) {
    document.querySelector(".lane.allowed").className = "lane blocked";
    element("stranger").hidden = false;
    element("stranger").textContent = `You opened this page as ${location.origin}. The policy names ${demo.page} and nobody `
      + "else, so the proxy refuses this page, as it should.";
  }
  const link = make("a", "", stranger ? demo.page : demo.stranger);
  link.href = link.textContent;
  element("elsewhere").append(stranger ? "The origin that the policy names: " : "Who is not named gets nothing. See the same page from another origin: ", link);
  element("calls").append(...demo.calls.map(card));
  element("again").addEventListener("click", () => run(demo));
  await run(demo);
}

start().catch((error) => {
  document.body.dataset.state = "failed";
  element("summary").textContent = `The demo has ended or cannot be reached: ${error.message}`;
});
