// Puts the page together: what the stream brings goes into the store, what the filter lets through into the table.

import { Counters } from "./counters.js";
import { Detail } from "./detail.js";
import { element, make } from "./dom.js";
import * as form from "./form.js";
import { Store } from "./store.js";
import { connect } from "./stream.js";
import { Table } from "./table.js";
import { number } from "./words.js";

/** Rows a second above which the table holds still under the pointer, because moving rows cannot be clicked. */
const RESTLESS = 8;

const store = new Store();
const counters = new Counters((reason) => choose({ reason }));
const filter = element("filter");
let openId = null;
let boot = null;
let connection = "connecting";
let paused = false;
let pointed = false;
let unseen = 0;
let skipped = 0;
let recent = [];

const detail = new Detail(() => {
  table.mark(null);
  table.focus(openId);
  openId = null;
}, form.fill);

const table = new Table((event) => {
  openId = event.id;
  table.mark(event.id);
  detail.open(event);
});

/** Whether the table stands still; what comes is kept meanwhile. */
function held() {
  const now = performance.now();
  recent = recent.filter((at) => now - at < 1000);
  return paused || (pointed && recent.length > RESTLESS);
}

/** Show what is new; where the table is held, only with `force`, which a changed filter has. */
function refresh(force = false) {
  const isHeld = held();
  if (!isHeld || force) {
    unseen = 0;
    const visible = store.visible();
    table.show(visible);
    element("empty").hidden = visible.length > 0;
    element("empty").textContent = store.size && store.filtered
      ? "No request here fits the filter."
      : "No request yet. Send one through the proxy, and it appears here.";
    const parts = [store.filtered ? `${number(visible.length)} of ${number(store.size)} requests` : `${number(store.size)} requests`];
    if (skipped) parts.push(`${number(skipped)} more came too fast to show`);
    element("shown").textContent = parts.join(", ");
  }
  showState(isHeld);
}

function showState(isHeld) {
  const states = {
    connecting: ["connecting", "connecting…"],
    lost: ["lost", "not connected, trying again…"],
    live: ["live", "live"],
  };
  let [state, text] = states[connection];
  if (connection === "live" && isHeld) [state, text] = ["paused", paused ? "paused" : "held while you point"];
  // Written only where it changes: it is announced; the number beside it is not.
  if (element("state").textContent !== text) element("state").textContent = text;
  element("state").dataset.state = state;
  element("waiting").textContent = isHeld && unseen ? `${number(unseen)} new` : "";
}

/** Change the filter, and show it. */
function choose(change) {
  Object.assign(store.filter, change);
  counters.mark(store.filter.reason);
  element("requests").scrollTop = 0;
  refresh(true);
}

function addOptions(into, values) {
  const known = new Set([...into.children].map((option) => option.value));
  for (const value of values) {
    if (known.has(value) || known.size > 200) continue;
    known.add(value);
    const option = make("option", "", into.tagName === "SELECT" ? value : null);
    option.value = value;
    into.append(option);
  }
}

connect({
  hello(hello) {
    if (boot !== null && boot !== hello.boot) store.clear();
    boot = hello.boot;
    detail.hello = hello;
    addOptions(filter.elements.route, hello.routes);
    document.title = `${hello.file ? `${hello.file.split("/").pop()} · ` : ""}corsproxy inspector`;
    refresh();
  },
  requests(events) {
    store.add(events);
    addOptions(element("origins"), events.map((event) => event.origin).filter(Boolean));
    addOptions(filter.elements.route, events.map((event) => event.route).filter(Boolean));
    unseen += events.length;
    const now = performance.now();
    recent.push(...events.slice(-RESTLESS * 2).map(() => now));
    refresh();
  },
  open(events) {
    store.setOpen(events);
    refresh();
  },
  totals(totals) {
    skipped = totals.skipped;
    counters.show(totals);
    refresh();
  },
  state(state) {
    connection = state;
    refresh();
  },
});

element("pause").addEventListener("click", () => {
  paused = !paused;
  element("pause").setAttribute("aria-pressed", String(paused));
  element("pause").textContent = paused ? "Resume" : "Pause";
  refresh();
});
element("clear").addEventListener("click", () => {
  detail.close();
  store.clear();
  choose({});
});
filter.addEventListener("input", () => {
  const { search, origin, route, verdict } = filter.elements;
  choose({ search: search.value.trim(), origin: origin.value.trim(), route: route.value, verdict: verdict.value });
});
filter.addEventListener("submit", (submit) => submit.preventDefault());
filter.addEventListener("reset", () => choose({ search: "", origin: "", route: "", verdict: "", reason: "" }));
element("rows").addEventListener("pointerenter", () => { pointed = true; });
element("rows").addEventListener("pointerleave", () => {
  pointed = false;
  refresh();
});
// As in other tools of its kind: "/" goes to the search, Escape leaves the details wherever the focus is.
document.addEventListener("keydown", (key) => {
  const typing = ["INPUT", "SELECT", "TEXTAREA"].includes(document.activeElement?.tagName);
  if (key.key === "/" && !typing && !key.ctrlKey && !key.metaKey && !key.altKey) {
    key.preventDefault();
    filter.elements.search.focus();
  } else if (key.key === "Escape" && !typing) {
    detail.close();
  }
});
form.start();
