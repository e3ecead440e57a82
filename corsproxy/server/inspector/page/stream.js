// The stream of events from the proxy. A stream that ends is asked for again, where it left off.

/** Milliseconds until a stream that the browser gave up is asked for again. */
const AGAIN = 5000;

/** Call `on.hello`, `on.requests`, `on.open`, `on.totals` with what comes, and `on.state` with what became of the connection. */
export function connect(on) {
  const stream = new EventSource("events");
  for (const name of ["hello", "requests", "open", "totals"]) {
    stream.addEventListener(name, (message) => on[name](JSON.parse(message.data)));
  }
  stream.addEventListener("open", () => on.state("live"));
  stream.addEventListener("error", () => {
    on.state("lost");
    // After an answer that is no stream (too many pages, or stopping) the browser does not try again by itself.
    if (stream.readyState === EventSource.CLOSED) setTimeout(() => connect(on), AGAIN);
  });
}
