import type { RawAnswer } from "../service/raw-request.ts";
import { rawRequest, sendRaw } from "../service/raw-request.ts";

/** A client's request to the service behind the gate. */
export interface ClientRequest {
  readonly method?: string;
  readonly target?: string;
  readonly scheme?: "http" | "https";
  readonly host?: string;
  readonly address?: string;
  /** Header lines of the client's own, which a proxy hands on. */
  readonly lines?: readonly string[];
}

type Told = Required<ClientRequest>;

/** What each proxy is documented to ask, with the configurations in examples/gate; it runs on this machine. */
export const PROXIES: Readonly<Record<string, (told: Told) => Buffer>> = {
  nginx: ({ method, target, scheme, host, address, lines }) =>
    rawRequest("GET", "/forward-auth", [
      ...lines,
      `x-original-method: ${method}`,
      `x-original-url: ${scheme}://${host}${target}`,
      `x-forwarded-for: ${address}`,
      `x-forwarded-proto: ${scheme}`,
      `x-forwarded-host: ${host}`,
    ]),
  // As many a configuration has it.
  "nginx by X-Original-URI": ({ method, target, scheme, host, address, lines }) =>
    rawRequest("GET", "/forward-auth", [
      ...lines,
      `x-original-method: ${method}`,
      `x-original-uri: ${target}`,
      `x-forwarded-for: ${address}`,
      `x-forwarded-proto: ${scheme}`,
      `x-forwarded-host: ${host}`,
    ]),
  "nginx ingress": ({ method, target, scheme, host, address, lines }) =>
    rawRequest("GET", "/forward-auth", [
      ...lines,
      "x-sent-from: nginx-ingress-controller",
      `x-original-method: ${method}`,
      `x-original-url: ${scheme}://${host}${target}`,
      `x-auth-request-redirect: ${target}`,
      `x-real-ip: ${address}`,
      `x-forwarded-for: ${address}`,
    ]),
  Caddy: ({ method, target, scheme, host, address, lines }) =>
    rawRequest("GET", "/forward-auth", [
      ...lines,
      `x-forwarded-for: ${address}`,
      `x-forwarded-host: ${host}`,
      `x-forwarded-method: ${method}`,
      `x-forwarded-proto: ${scheme}`,
      `x-forwarded-uri: ${target}`,
    ]),
  Traefik: ({ method, target, scheme, host, address, lines }) =>
    rawRequest("GET", "/forward-auth", [
      ...lines.filter((line) => !/^(connection|upgrade):/i.test(line)),
      `x-forwarded-for: ${address}`,
      `x-forwarded-host: ${host}`,
      `x-forwarded-method: ${method}`,
      `x-forwarded-port: ${scheme === "https" ? 443 : 80}`,
      `x-forwarded-proto: ${scheme}`,
      `x-forwarded-server: edge`,
      `x-forwarded-uri: ${target}`,
      `x-real-ip: ${address}`,
    ]),
  // It adds its own address to the list of the client's.
  Envoy: ({ method, target, scheme, host, address, lines }) =>
    Buffer.from(
      [
        `${method} /forward-auth${target} HTTP/1.1`,
        `host: ${host}`,
        "connection: close",
        ...lines,
        `x-forwarded-for: ${address}, 127.0.0.1`,
        `x-forwarded-proto: ${scheme}`,
        "x-envoy-internal: true",
        "content-length: 0",
        "\r\n",
      ].join("\r\n"),
      "latin1",
    ),
};

export interface GateAnswer extends RawAnswer {
  /** By lower-case name; the last of several. */
  readonly headers: Readonly<Record<string, string>>;
}

/** Asks as a proxy does about a client's request: over HTTPS, from a public address, unless told otherwise. */
export async function askGate(
  service: { readonly url: string },
  proxy: string,
  request: ClientRequest = {},
): Promise<GateAnswer> {
  return send(
    service,
    PROXIES[proxy]!({
      method: "GET",
      target: "/jobs",
      scheme: "https",
      host: "app.example",
      address: "203.0.113.9",
      lines: [],
      ...request,
    }),
  );
}

export async function send(service: { readonly url: string }, bytes: Buffer): Promise<GateAnswer> {
  const answer = await sendRaw(service.url, bytes);
  if (answer === undefined) throw new Error("the gate closed the connection without an answer");
  const headers = answer.head
    .split("\r\n")
    .slice(1)
    .map((line) => [
      line.slice(0, line.indexOf(":")).toLowerCase(),
      line.slice(line.indexOf(":") + 1).trim(),
    ]);
  return { ...answer, headers: Object.fromEntries(headers) as Record<string, string> };
}

/** What the service behind is told of who passed. */
export function identityOf({ headers }: GateAnswer): readonly (string | undefined)[] {
  return [headers["x-auth-user"], headers["x-auth-role"], headers["x-auth-scopes"]];
}
