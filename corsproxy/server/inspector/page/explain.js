// Asks the proxy what its configuration says to a request, and shows the parts of the answer.

import { copyButton, make } from "./dom.js";

/** Ask; throws with the proxy's own words where it cannot be asked so. */
export async function explain(question, signal) {
  const query = new URLSearchParams();
  for (const name of ["path", "origin", "method", "host"]) if (question[name]) query.set(name, question[name]);
  for (const header of question.headers) query.append("header", header);
  if (question.credentials) query.set("credentials", "1");
  const response = await fetch(`explain?${query}`, { signal, cache: "no-store" });
  const answer = await response.json();
  if (!response.ok) throw new Error(answer.error);
  return answer;
}

/** Names of headers from a list with commas. */
export const headerNames = (text) => (text ?? "").split(",").map((name) => name.trim()).filter(Boolean);

/** A part of the panel under a heading. */
export const section = (title, ...children) => make("section", "", make("h3", "", title), ...children);

/** The line of the file that decided, and the route and policy it belongs to. */
export function decidedBy(found) {
  const where = found.decided_by;
  const number = make("span", "line", String(where.line));
  const code = make("pre", "code", number, where.text);
  const place = found.quick ? "line of the file that the options stand for" : `${where.file}:${where.line}`;
  const parts = [where.path, `route ${found.route ?? "none"}`, `policy ${found.policy ?? "none"}`].filter(Boolean);
  if (found.mode === "shadow") parts.push("shadow mode");
  return section("What decided", make("p", "place", place), code, make("p", "note", parts.join(" · ")));
}

/** What would allow it: a patch of the file, a command line, or why there is neither; nothing where it is allowed. */
export function change(found) {
  if (found.change) {
    const { summary, patch, command, warning } = found.change;
    return section(
      "What would allow it",
      make("p", "", `${summary[0].toUpperCase()}${summary.slice(1)}.`),
      warning ? make("p", "warning", make("b", "", "Mind: "), warning) : null,
      make("div", "copied", patch ? diff(patch) : make("pre", "code command", command), copyButton(patch ?? command, patch ? "patch" : "command")),
    );
  }
  return found.no_change ? section("What would allow it", make("p", "", sentence(found.no_change))) : null;
}

/** A response as lines: status and fields. */
export function answerBlock(status, fields) {
  const pre = make("pre", "code", make("b", "", String(status)), "\n");
  for (const [name, value] of fields) pre.append(make("span", "name", name), `: ${value}\n`);
  if (!fields.some(([name]) => name.toLowerCase().startsWith("access-control-"))) pre.append(make("span", "faint", "(no CORS header)"));
  return pre;
}

/** The browser's checks, each with its outcome and its section of the standard. */
export function steps(found) {
  if (!found.steps.length) return null;
  const list = make("ol", "steps");
  for (const step of found.steps) {
    const link = make("a", "", step.check);
    link.href = step.section;
    link.target = "_blank";
    link.rel = "noopener noreferrer";
    const item = make("li", step.outcome, make("span", "outcome", step.outcome), " ", link, make("span", "why", step.why));
    list.append(item);
  }
  return section("What a browser checks", list);
}

/** A unified diff with its signs; colour only repeats what they say. */
function diff(patch) {
  const pre = make("pre", "code diff");
  const kinds = { "+": "added", "-": "removed", "@": "hunk" };
  for (const line of patch.trimEnd().split("\n")) {
    const kind = /^(\+\+\+|---) /.test(line) ? "file" : kinds[line[0]] ?? "";
    pre.append(make("span", kind, line), "\n");
  }
  return pre;
}

function sentence(text) {
  return `${text[0].toUpperCase()}${text.slice(1)}${/[.!?]$/.test(text) ? "" : "."}`;
}
