import { connect } from "node:net";

const SOCKETS = 8;
const IN_FLIGHT = 8;
// A body ends without a line break, and the next answer follows it at once.
const HEAD = /HTTP\/1\.1 (\d{3}) [\s\S]*?\r\n\r\n/g;
const LIMIT = /\r\nx-ratelimit-limit: (\d+)\r\n/i;

/** How many answers there were of each kind: `200 of 2000` with this `X-RateLimit-Limit`, `503` without one. */
export type Answers = Map<string, number>;

/**
 * Sends `count` requests for `/protected` with one token over pipelined connections, as fast as the service takes them,
 * and counts the answers. A client that builds one request at a time could not keep three instances busy.
 */
export async function sendMany(url: string, token: string, count: number): Promise<Answers> {
  const answers: Answers = new Map();
  const shares = Array.from({ length: SOCKETS }, (_, i) => Math.floor((count + i) / SOCKETS));
  await Promise.all(shares.map((share) => sendShare(url, token, share, answers)));
  return answers;
}

function sendShare(url: string, token: string, share: number, answers: Answers): Promise<void> {
  const { host, hostname, port } = new URL(url);
  const request = `GET /protected HTTP/1.1\r\nHost: ${host}\r\nAuthorization: Bearer ${token}\r\n\r\n`;
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname);
    let sent = 0;
    let answered = 0;
    let rest = "";
    const send = (): void => {
      const next = Math.min(IN_FLIGHT - (sent - answered), share - sent);
      if (next > 0) socket.write(request.repeat(next));
      sent += next;
    };
    socket.setEncoding("latin1");
    socket.on("connect", send);
    socket.on("error", reject);
    socket.on("close", () => {
      if (answered < share) reject(new Error(`the connection ended after ${answered} of ${share} answers`));
    });
    socket.on("data", (text: string) => {
      rest += text;
      let end = 0;
      for (const { 0: head, 1: status, index } of rest.matchAll(HEAD)) {
        const limit = LIMIT.exec(head)?.[1];
        const kind = limit === undefined ? status! : `${status} of ${limit}`;
        answers.set(kind, (answers.get(kind) ?? 0) + 1);
        answered++;
        end = index + head.length;
      }
      rest = rest.slice(end);
      if (answered < share) return send();
      socket.end();
      resolve();
    });
  });
}
