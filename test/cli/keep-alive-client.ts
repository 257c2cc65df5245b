import { Agent, request } from "node:http";

export interface Reply {
  readonly status: number;
  readonly headers: NodeJS.Dict<string | string[]>;
  readonly body: string;
}

/** A client with one connection of its own, which it keeps: all its requests reach the same worker. */
export interface KeepAliveClient {
  get(path: string, headers?: Record<string, string>): Promise<Reply>;
  post(path: string, body: unknown, headers?: Record<string, string>): Promise<Reply>;
  close(): void;
}

export function keepAliveClient(url: string): KeepAliveClient {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const ask = (method: string, path: string, headers: Record<string, string>, body?: string) =>
    new Promise<Reply>((resolve, reject) => {
      const sent = request(new URL(path, url), { method, agent, headers }, (response) => {
        let text = "";
        response.setEncoding("utf8").on("data", (chunk: string) => {
          text += chunk;
        });
        response.on("error", reject).on("end", () => {
          resolve({ status: response.statusCode!, headers: response.headers, body: text });
        });
      });
      sent.on("error", reject).end(body);
    });
  return {
    get: (path, headers = {}) => ask("GET", path, headers),
    post: (path, body, headers = {}) =>
      ask("POST", path, { "content-type": "application/json", ...headers }, JSON.stringify(body)),
    close: () => agent.destroy(),
  };
}
