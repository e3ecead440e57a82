// The form that explains a request that has not been made.

import { announce, element, make } from "./dom.js";
import { answerBlock, change, decidedBy, explain, headerNames, section, steps } from "./explain.js";
import { because, VERDICTS } from "./words.js";

const form = element("ask");
const answer = element("answer");

/** Make the form work. */
export function start() {
  form.addEventListener("submit", (submit) => {
    submit.preventDefault();
    ask();
  });
}

/** Fill the form with a question, ask it, and go there. */
export function fill(question) {
  for (const name of ["path", "origin", "method", "host"]) form.elements[name].value = question[name] ?? "";
  form.elements.headers.value = question.headers.join(", ");
  form.elements.credentials.checked = question.credentials;
  form.elements.path.focus();
  ask();
}

async function ask() {
  const question = Object.fromEntries(["path", "origin", "method", "host"].map((name) => [name, form.elements[name].value.trim()]));
  question.headers = headerNames(form.elements.headers.value);
  question.credentials = form.elements.credentials.checked;
  try {
    answer.replaceChildren(...shown(await explain(question)));
  } catch (error) {
    answer.replaceChildren(make("p", "warning", error.message));
  }
}

function shown(found) {
  const verdict = found.verdict.allowed ? "granted" : "refused";
  const word = found.origin === null && found.verdict.allowed ? "none" : verdict;
  const event = {
    ...found,
    requested_method: found.method,
    requested_headers: found.headers.join(", "),
  };
  const said = found.reason ? because(event) : found.verdict.why ?? "The page gets its answer.";
  announce(`${verdict}: ${said}`);
  return [
    make("header", word, make("div", "row", make("span", `badge ${word}`, VERDICTS[word]), found.reason ? make("code", "", found.reason) : null), make("p", "because", said)),
    decidedBy(found),
    change(found),
    steps(found),
    found.preflight ? section("The preflight’s answer", answerBlock(found.preflight.status, found.preflight.headers)) : null,
    section("The response’s CORS headers", answerBlock(found.response.status, found.response.headers)),
    ...found.remarks.map((remark) => make("p", "note", `${remark[0].toUpperCase()}${remark.slice(1)}.`)),
  ].filter(Boolean);
}
