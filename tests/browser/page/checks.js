// What a page's script can do to another origin, each as a function whose value is plain data for the test to compare.
"use strict";

/** fetch(): what the script may read of the answer, or `blocked`. */
async function attempt(url, { reads = [], body = undefined, grow = 0, ...options } = {}) {
  const content = grow ? new Uint8Array(grow).fill(97) : body;
  try {
    const response = await fetch(url, { ...options, body: content });
    const text = await response.text();
    const result = { type: response.type, status: response.status, text: text.length > 200 ? text.length : text };
    if (response.redirected) result.at = response.url;
    for (const name of reads) result[name] = response.headers.get(name);
    return result;
  } catch (error) {
    return error instanceof TypeError ? "blocked" : String(error);
  }
}

async function several(url, times, options) {
  const results = [];
  for (let turn = 0; turn < times; turn++) results.push(await attempt(url, options));
  return results;
}

/** Every response header name the script may see, sorted. */
async function visible(url, options) {
  const response = await fetch(url, options);
  return [...response.headers.keys()].sort();
}

/** XMLHttpRequest; a listener on its upload makes a preflight necessary. */
function classic(url, { method = "GET", body = null, listens = false, withCredentials = false } = {}) {
  return new Promise((resolve) => {
    const request = new XMLHttpRequest();
    request.open(method, url);
    request.withCredentials = withCredentials;
    if (listens) request.upload.addEventListener("progress", () => {});
    request.addEventListener("load", () => resolve({ status: request.status, text: request.responseText }));
    request.addEventListener("error", () => resolve("blocked"));
    request.send(body);
  });
}

/** The first message of a WebSocket, or `refused`. */
function socket(url) {
  return new Promise((resolve) => {
    const opened = new WebSocket(url.replace(/^http/, "ws"));
    opened.addEventListener("message", (event) => { resolve(event.data); opened.close(); });
    opened.addEventListener("error", () => resolve("refused"));
  });
}

/** Two server-sent events; the second is only sent once the first was seen and the server was told so. */
function events(url, withCredentials) {
  return new Promise((resolve) => {
    const seen = [];
    const source = new EventSource(url, { withCredentials });
    source.addEventListener("message", async (event) => {
      seen.push(event.data);
      if (seen.length === 2) { source.close(); resolve(seen); return; }
      await fetch(`${url}/go-on`, { credentials: withCredentials ? "include" : "omit" });
    });
    source.addEventListener("error", () => { source.close(); resolve("blocked"); });
  });
}

/** An image drawn on a canvas: the pixel's colour, `tainted` where the canvas may not be read, or `blocked`. */
function pixel(url, crossOrigin) {
  return new Promise((resolve) => {
    const image = new Image();
    if (crossOrigin !== null) image.crossOrigin = crossOrigin;
    image.addEventListener("load", () => {
      const canvas = document.createElement("canvas").getContext("2d");
      canvas.drawImage(image, 0, 0);
      try { resolve([...canvas.getImageData(0, 0, 1, 1).data]); } catch { resolve("tainted"); }
    });
    image.addEventListener("error", () => resolve("blocked"));
    image.src = url;
  });
}

/** A module script from the other origin: the value it exports, or `blocked`. */
async function module(url) {
  try { return (await import(url)).value; } catch { return "blocked"; }
}

/** attempt() from a sandboxed frame, whose origin is `null`. */
function sandboxed(url) {
  return new Promise((resolve) => {
    addEventListener("message", (event) => resolve(event.data), { once: true });
    const frame = document.createElement("iframe");
    frame.sandbox = "allow-scripts";
    frame.srcdoc = `<script>fetch(${JSON.stringify(url)}).then((r) => r.text(), () => "blocked")
      .then((text) => parent.postMessage([origin, text], "*"))<\/script>`;
    document.body.append(frame);
  });
}

/** Whether resource timing tells of the connection: the time of the request, which is 0 without permission. */
async function timed(url) {
  await (await fetch(url)).text();
  return performance.getEntriesByName(url)[0].requestStart > 0;
}

/** The same of an image, which is asked for without Origin. */
async function timedImage(url) {
  const image = new Image();
  image.src = url;
  await image.decode();
  return performance.getEntriesByName(url)[0].requestStart > 0;
}
