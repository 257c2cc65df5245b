import { Agent, get } from "node:http";
import { setPriority } from "node:os";
import { parseArgs } from "node:util";

/**
 * An open-loop client: it sends at a fixed rate whether or not answers come, so that a slow answer delays no other
 * request. It runs until its standard input ends, and then prints `[sentMs, tookMs]` of every request as one line of
 * JSON (`sentMs` since the epoch). Anything but 200, or no answer in time, ends it with an error.
 */
const DEADLINE_MS = 10_000;
const MOST_REQUESTS = 200_000;

const { values } = parseArgs({
  options: {
    url: { type: "string", default: "" },
    token: { type: "string", default: "" },
    /** Requests a second. */
    rate: { type: "string", default: "" },
  },
});
const intervalMs = 1000 / Number(values.rate);
const headers = { authorization: `Bearer ${values.token}` };
const agent = new Agent({ keepAlive: true, maxSockets: 256 });

try {
  // What is to be seen is how long the service takes, not how long this client waits for a core.
  setPriority(-10);
} catch {
  // Not allowed to: both sides of the comparison then bear it alike.
}

function send(): Promise<[sentMs: number, tookMs: number]> {
  const { promise, resolve, reject } = Promise.withResolvers<[number, number]>();
  const sentMs = performance.now();
  const request = get(values.url, { agent, headers, timeout: DEADLINE_MS }, (response) => {
    response.resume().on("end", () => {
      if (response.statusCode === 200) resolve([performance.timeOrigin + sentMs, performance.now() - sentMs]);
      else reject(new Error(`the probe got ${response.statusCode}`));
    });
  });
  request.on("timeout", () => request.destroy(new Error(`the probe waited ${DEADLINE_MS} ms`)));
  request.on("error", reject);
  return promise;
}

const sent: ReturnType<typeof send>[] = [];
const beganMs = performance.now();
let timer: NodeJS.Timeout;

function sendDue(): void {
  const due = Math.min(MOST_REQUESTS, Math.floor((performance.now() - beganMs) / intervalMs) + 1);
  while (sent.length < due) sent.push(send());
  timer = setTimeout(sendDue, beganMs + sent.length * intervalMs - performance.now());
}

sendDue();
console.log("ready");
process.stdin.resume().on("end", async () => {
  clearTimeout(timer);
  console.log(JSON.stringify(await Promise.all(sent)));
  agent.destroy();
});
