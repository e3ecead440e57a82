// The table of requests: rows are put in and taken out, never drawn again, so that focus and selection stay.

import { element, make } from "./dom.js";
import { bytes, kindOf, statusClass, statusText, timeOf, took, verdictOf, VERDICTS } from "./words.js";

export class Table {
  #rows = new Map();
  #body = element("rows");
  #openId = null;
  #onOpen;

  /** `onOpen` is called with the event whose row is opened. */
  constructor(onOpen) {
    this.#onOpen = onOpen;
    this.#body.addEventListener("keydown", (key) => this.#move(key));
  }

  /** Show exactly these events, in this order. */
  show(events) {
    const wanted = new Set(events.map((event) => event.id));
    const focused = this.#body.contains(document.activeElement) ? document.activeElement.closest("tr") : null;
    for (const [id, row] of this.#rows) {
      if (!wanted.has(id)) {
        row.remove();
        this.#rows.delete(id);
      }
    }
    let next = this.#body.firstElementChild;
    for (const event of events) {
      const row = this.#rows.get(event.id) ?? this.#make(event);
      if (event.open) this.#update(row, event);
      if (row === next) next = next.nextElementSibling;
      else this.#body.insertBefore(row, next);
    }
    this.#keepOneTabStop(focused !== null && !focused.isConnected);
  }

  /** Mark the row whose details are shown; null marks none. */
  mark(id) {
    this.#expand(this.#openId, false);
    this.#openId = id;
    this.#expand(id, true);
  }

  /** Give the focus to a row, where it is still there. */
  focus(id) {
    this.#button(this.#rows.get(id))?.focus();
  }

  #make(event) {
    const verdict = verdictOf(event);
    const row = make("tr", verdict);
    row.setAttribute("role", "row");
    const open = make("button", "open", event.path);
    open.type = "button";
    open.tabIndex = -1;
    open.title = event.path;
    open.setAttribute("aria-expanded", String(event.id === this.#openId));
    open.setAttribute("aria-controls", "detail");
    if (event.query !== null && event.query !== undefined) open.append(make("span", "query", `?${event.query}`));
    const origin = make("td", "origin", event.origin ?? "–");
    origin.title = event.origin ?? "no Origin";
    const status = make("td", `status ${statusClass(event)}`, statusText(event));
    status.title = event.error ?? "";
    row.append(
      make("td", "time", timeOf(event)),
      make("td", "method", event.method || "–"),
      make("td", "path", open),
      status,
      make("td", "size", event.open ? bytes(event.bytes_out) : took(event)),
      origin,
      make("td", "kind", kindOf(event)),
      make("td", "verdict", make("span", "badge", VERDICTS[verdict]), event.reason ? make("span", "reason", event.reason) : null),
    );
    // Said because a narrow window shows rows as cards, and a browser then forgets that they are a table.
    for (const cell of row.children) cell.setAttribute("role", "cell");
    if (event.id === this.#openId) row.classList.add("current");
    row.addEventListener("click", () => this.#onOpen(event));
    this.#rows.set(event.id, row);
    return row;
  }

  /** An open request goes on: what has come so far, and its status once there is one. */
  #update(row, event) {
    const status = row.querySelector(".status");
    status.className = `status ${statusClass(event)}`;
    status.textContent = statusText(event);
    row.querySelector(".size").textContent = bytes(event.bytes_out);
  }

  #button(row) {
    return row?.querySelector(".open");
  }

  #expand(id, expanded) {
    const row = this.#rows.get(id);
    if (!row) return;
    row.classList.toggle("current", expanded);
    this.#button(row).setAttribute("aria-expanded", String(expanded));
  }

  /** The table is one stop of the Tab key; arrows move inside (ARIA Authoring Practices, roving tabindex). */
  #keepOneTabStop(hadFocus) {
    const first = this.#button(this.#body.firstElementChild);
    if (!first || this.#body.querySelector('.open[tabindex="0"]')) return;
    first.tabIndex = 0;
    if (hadFocus) first.focus();
  }

  #move(key) {
    const row = key.target.closest("tr");
    const to = {
      ArrowDown: row?.nextElementSibling,
      ArrowUp: row?.previousElementSibling,
      Home: this.#body.firstElementChild,
      End: this.#body.lastElementChild,
    }[key.key];
    if (!to) return;
    key.preventDefault();
    this.#button(row).tabIndex = -1;
    this.#button(to).tabIndex = 0;
    this.#button(to).focus();
  }
}
