// The inspector's texts: verdicts, kinds, and each reason of the closed list.

const REASONS = {
  origin_not_allowed: (event) => `The policy does not name the origin ${event.origin}.`,
  origin_malformed: (event) =>
    `“${event.origin}” is not an origin that a browser sends: scheme://host[:port] in lower case, once, without a path.`,
  method_not_allowed: (event) => `The policy does not allow the method ${event.requested_method ?? event.method}.`,
  headers_not_allowed: (event) => `The policy does not allow all of these headers: ${event.requested_headers}.`,
  no_policy: (event) => (event.route === null
    ? "No route matches this host and path, so no policy can grant anything."
    : `The route ${event.route} has no policy: CORS headers are stripped, and none are added.`),
  credentials_not_allowed: () => "The policy does not allow credentials.",
  no_route: () => "No route matches this host and path.",
};

/** Why a request was refused, as a sentence. */
export function because(event) {
  return REASONS[event.reason]?.(event) ?? event.reason;
}

/** `refused`, `granted` or `none`: what the filter goes by. */
export function verdictOf(event) {
  if (event.cors === "none") return "none";
  return event.cors.endsWith("refused") ? "refused" : "granted";
}

export const VERDICTS = { refused: "✕ refused", granted: "✓ granted", none: "not CORS" };

/** What kind of request it was, for the table. */
export function kindOf(event) {
  if (event.cors === "none") return "–";
  return event.cors.startsWith("preflight") ? `preflight (${event.requested_method})` : "actual";
}

/** The time of day here, to the second. */
export function timeOf(event) {
  const time = new Date(event.time * 1000);
  return [time.getHours(), time.getMinutes(), time.getSeconds()].map((part) => String(part).padStart(2, "0")).join(":");
}

/** The same to the millisecond. */
export const exactTimeOf = (event) => `${timeOf(event)}.${String(Math.round((event.time % 1) * 1000)).padStart(3, "0")}`;

/** Bytes for people. */
export function bytes(count) {
  if (count < 1000) return `${count} B`;
  const units = ["kB", "MB", "GB", "TB"];
  let value = count / 1000;
  while (value >= 1000 && units.length > 1) {
    value /= 1000;
    units.shift();
  }
  return `${value.toFixed(value < 10 ? 1 : 0)} ${units[0]}`;
}

/** How the status is to be looked at: `failed` where the proxy or the upstream did not do it. */
export function statusClass(event) {
  if (event.open) return event.status === 101 || event.status === 0 ? "running" : `running s${Math.floor(event.status / 100)}`;
  if (event.error || event.status === 0) return "failed";
  return `s${Math.floor(event.status / 100)}`;
}

/** The status as the table says it, with what has come so far of an answer that is not over. */
export function statusText(event) {
  if (event.open) return `${event.status || "…"} open`;
  return event.status ? String(event.status) : "gone";
}

/** Milliseconds for people. */
export const took = (event) => (event.duration_ms >= 10000 ? `${Math.round(event.duration_ms / 1000)} s` : `${Math.round(event.duration_ms)} ms`);

export const number = (count) => count.toLocaleString("en");
