// Reads a stream from `harness serve`, and logs what its caller gets, by the system's monotonic clock.
//
//   node client.mjs URL FILE how
//
// how: "native" hands each piece on as it comes, "buffered" cuts the finished answer up, "whole" hands it on as one
// item, "lossy" loses a piece, "other" asks for what is not recorded. The server runs in lock-step: what is released
// is decided here, so that the speed of the machine has no say.

import { appendFileSync } from "node:fs";

const [url, file, how] = process.argv.slice(2);
const prompt = "Repeat kestrel4127 and speak of lighthouses.";

// performance.now() begins with the process; hrtime is CLOCK_MONOTONIC, which the server's log has too
const clock = () => Number(process.hrtime.bigint()) / 1e9;
const log = (event, more) => appendFileSync(file, JSON.stringify({ event, clock: clock(), ...more }) + "\n");

async function* deltas() {
  const messages = [{ role: "user", content: prompt }];
  const body = { model: how === "other" ? "another" : "m", messages, stream: true };
  const headers = { "content-type": "application/json" };
  const answer = await fetch(`${url}/v1/chat/completions`, { method: "POST", headers, body: JSON.stringify(body) });
  if (!answer.ok) throw new Error(`status ${answer.status}`);
  let text = "";
  for await (const bytes of answer.body.pipeThrough(new TextDecoderStream())) {
    text += bytes;
    const events = text.split("\n\n");
    text = events.pop();
    for (const event of events) {
      const data = event.slice("data: ".length);
      if (data !== "[DONE]") yield JSON.parse(data).choices[0].delta.content ?? "";
    }
  }
}

// the adapter under test
async function* adapter() {
  const pieces = [];
  for await (const piece of deltas()) {
    pieces.push(piece);
    if (how === "native" || (how === "lossy" && pieces.length !== 3)) yield piece;
  }
  if (how === "whole") yield pieces.join("");
  if (how === "buffered") yield* pieces;
}

// the driver: releases arrivals, and gives the adapter its chance to hand an item on before the middle of them
let came;
const item = new Promise((resolve) => (came = resolve));
const patience = new Promise((resolve) => setTimeout(resolve, 3000, "never").unref());

async function release() {
  for (let released; released === undefined || released.index + 1 < released.arrivals; ) {
    if (released && released.index + 1 === Math.floor(released.arrivals / 2)) await Promise.race([item, patience]);
    released = await (await fetch(`${url}/__harness__/next?wait=20`, { method: "POST" })).json();
    if (released.error) return;
  }
}

log("Started", { capability: "stream", inputs: [prompt] });
const released = how === "other" ? undefined : release();
try {
  for await (const text of adapter()) {
    log("Item", { text });
    if (text) came();
  }
  log("Returned");
} catch (error) {
  log("Raised", { type: error.name, message: error.message });
}
await released;
