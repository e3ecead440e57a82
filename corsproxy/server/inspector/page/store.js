// The requests that the page keeps, bounded, and which of them the filter lets through. Knows nothing of the page.

import { verdictOf } from "./words.js";

/** Everything that a search looks through, in lower case. */
function textOf(event) {
  const fields = [...(event.fields ?? []), ...(event.response_fields ?? [])].map(([name, value]) => `${name}: ${value}`);
  return [event.method, event.path, event.query, event.origin, event.status, event.error, event.reason, event.route,
    event.upstream, event.client, event.request_id, event.open ? "open" : "", ...fields].join(" ").toLowerCase();
}

/** Kept of refusals, and as many of the rest: a flood of the one must not push out the other. */
const KEPT = 250;

export class Store {
  #refused = [];
  #others = [];
  #open = [];
  filter = { search: "", origin: "", route: "", verdict: "", reason: "" };

  /** Keep events, oldest first; those that there is no room for any more are forgotten. */
  add(events) {
    for (const event of events) (event.reason === null ? this.#others : this.#refused).push(event);
    this.#refused.splice(0, this.#refused.length - KEPT);
    this.#others.splice(0, this.#others.length - KEPT);
  }

  /** Keep exactly these as the requests that are not over; each has a `key` that its end has too. */
  setOpen(events) {
    this.#open = events.map((event) => ({ ...event, id: event.key }));
  }

  /** What is known now of the request with this id: an open one changes, and ends under another. */
  find(id) {
    return [...this.#open, ...this.#refused, ...this.#others].find((event) => event.id === id || (event.key && event.key === id));
  }

  clear() {
    this.#open = [];
    this.#refused = [];
    this.#others = [];
  }

  get size() {
    return this.#open.length + this.#refused.length + this.#others.length;
  }

  get filtered() {
    return Object.values(this.filter).some(Boolean);
  }

  /** What the filter lets through, the latest first. */
  visible() {
    const ended = new Set([...this.#refused, ...this.#others].map((event) => event.key).filter(Boolean));
    const open = this.#open.filter((event) => !ended.has(event.key)).sort((one, other) => other.time - one.time);
    const over = [...this.#refused, ...this.#others].sort((one, other) => other.id - one.id);
    return [...open, ...over].filter((event) => this.#passes(event));
  }

  #passes(event) {
    const { search, origin, route, verdict, reason } = this.filter;
    return (!search || search.toLowerCase().split(/\s+/).every((word) => textOf(event).includes(word)))
      && (!origin || (event.origin ?? "").includes(origin))
      && (!route || event.route === route)
      && (!verdict || verdictOf(event) === verdict)
      && (!reason || event.reason === reason);
  }
}
