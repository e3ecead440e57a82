// The counters: since the start of the proxy, over all its processes, exact whatever the table leaves out.

import { announce, element, make } from "./dom.js";
import { number } from "./words.js";

/** Milliseconds between two announcements for those who listen: oftener would be noise. */
const QUIET = 5000;

export class Counters {
  #box = document.querySelector(".reasons");
  #buttons = new Map();
  #last = null;
  #announced = { at: 0, refused: null };
  #onReason;

  /** `onReason` is called with the reason that is pressed, or "". */
  constructor(onReason) {
    this.#onReason = onReason;
  }

  show(totals) {
    element("count-requests").textContent = number(totals.requests);
    element("count-granted").textContent = number(totals.granted);
    element("count-refused").textContent = number(totals.refused);
    element("no-refusals").hidden = totals.refused > 0;
    for (const [reason, count] of Object.entries(totals.reasons)) this.#button(reason).lastChild.textContent = number(count);
    this.#showRate(totals);
    this.#announce(totals);
  }

  /** Show which reason is filtered for. */
  mark(chosen) {
    for (const [reason, button] of this.#buttons) button.setAttribute("aria-pressed", String(reason === chosen));
  }

  #button(reason) {
    let button = this.#buttons.get(reason);
    if (!button) {
      button = make("button", "reason", `${reason} `, make("b", "", "0"));
      button.type = "button";
      button.setAttribute("aria-pressed", "false");
      button.addEventListener("click", () => this.#onReason(button.getAttribute("aria-pressed") === "true" ? "" : reason));
      this.#buttons.set(reason, button);
      this.#box.append(button);
    }
    return button;
  }

  #showRate(totals) {
    const now = performance.now();
    if (this.#last && now > this.#last.at && totals.requests >= this.#last.requests) {
      const rate = ((totals.requests - this.#last.requests) * 1000) / (now - this.#last.at);
      element("rate").textContent = rate >= 0.5 ? `${number(Math.round(rate))}/s` : "";
    }
    this.#last = { at: now, requests: totals.requests };
  }

  #announce(totals) {
    const { at, refused } = this.#announced;
    const now = performance.now();
    if (refused === null || totals.refused < refused) this.#announced = { at: 0, refused: totals.refused };
    else if (totals.refused > refused && now - at >= QUIET) {
      const reasons = Object.entries(totals.reasons).map(([reason, count]) => `${reason} ${count}`).join(", ");
      announce(`${number(totals.refused - refused)} more refused. In all: ${reasons}.`);
      this.#announced = { at: now, refused: totals.refused };
    }
  }
}
