import { isIP } from "node:net";
import type { Kind } from "./kind.ts";
import { invalid, listOf, valid } from "./kind.ts";

const PROTOCOLS = ["syslog+tls:", "syslog+tcp:", "https:", "http:", "file:"];

/** Whether a URL of a plain-text protocol stays on this machine. */
function isLocal({ hostname }: URL): boolean {
  return (
    hostname === "localhost" || hostname === "[::1]" || (isIP(hostname) === 4 && hostname.startsWith("127."))
  );
}

const auditSink: Kind<string> = {
  allowed:
    "`syslog+tls://host:port`, `https://…`, `file:/path`; on this machine also `syslog+tcp://` and `http://`",
  read(text) {
    const url = URL.canParse(text) ? new URL(text) : undefined;
    if (url === undefined || !PROTOCOLS.includes(url.protocol)) return invalid("is no URL of such a scheme");
    if (url.username !== "" || url.password !== "" || url.hash !== "")
      return invalid("has a user, password or `#`");
    if (url.protocol === "file:") {
      return /^file:\/(?!\/)[^?]+$/.test(text)
        ? valid(text)
        : invalid("names no absolute path after `file:`");
    }
    if (url.hostname === "") return invalid("names no host");
    const isPlain = url.protocol === "http:" || url.protocol === "syslog+tcp:";
    if (isPlain && !isLocal(url)) return invalid("would travel in plain text to another machine");
    const isSyslog = url.protocol.startsWith("syslog");
    return isSyslog && (!["", "/"].includes(url.pathname) || url.search !== "")
      ? invalid("has more than host and port")
      : valid(text);
  },
  // Paths and parameters of webhooks are often secrets.
  show(text) {
    const { protocol, host } = new URL(text);
    return protocol === "file:" ? text : `${protocol}//${host}`;
  },
};

/** Where the audit trail is also sent. */
export const auditSinks: Kind<readonly string[]> = listOf(auditSink, (value) => [value]);

/** Whether a sink is a webhook, whose bodies are signed. */
export function isWebhook(sink: string): boolean {
  return sink.startsWith("http");
}
