// The requests that the page keeps, bounded, and which of them the filter lets through. Knows nothing of the page.

import { verdictOf } from "./words.js";

/** Kept of refusals, and as many of the rest: a flood of the one must not push out the other. */
const KEPT = 250;

export class Store {
  #refused = [];
  #others = [];
  filter = { origin: "", route: "", verdict: "", reason: "" };

  /** Keep events, oldest first; those that there is no room for any more are forgotten. */
  add(events) {
    for (const event of events) (event.reason === null ? this.#others : this.#refused).push(event);
    this.#refused.splice(0, this.#refused.length - KEPT);
    this.#others.splice(0, this.#others.length - KEPT);
  }

  clear() {
    this.#refused = [];
    this.#others = [];
  }

  get size() {
    return this.#refused.length + this.#others.length;
  }

  get filtered() {
    return Object.values(this.filter).some(Boolean);
  }

  /** What the filter lets through, the latest first. */
  visible() {
    return [...this.#refused, ...this.#others].filter((event) => this.#passes(event)).sort((one, other) => other.id - one.id);
  }

  #passes(event) {
    const { origin, route, verdict, reason } = this.filter;
    return (!origin || (event.origin ?? "").includes(origin))
      && (!route || event.route === route)
      && (!verdict || verdictOf(event) === verdict)
      && (!reason || event.reason === reason);
  }
}
