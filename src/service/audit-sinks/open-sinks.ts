import type { Appendix } from "../../identity/audit/audit-store.ts";
import { entryLine } from "../../identity/audit/entry-line.ts";
import { statementLine } from "../../identity/audit/statement.ts";
import type { Clock } from "../../kernel/clock.ts";
import type { Parcel, Sender } from "./delivery.ts";
import { createDelivery } from "./delivery.ts";
import { sendToFile } from "./file.ts";
import { sendToSyslog } from "./syslog.ts";
import { sendToWebhook } from "./webhook.ts";

export interface AuditSinksOptions {
  /** `syslog+tls://host:port`, `syslog+tcp://…`, `https://…`, `file:/path`. */
  readonly urls: readonly string[];
  readonly webhookSecret: string | undefined;
  readonly clock: Clock;
  readonly onFailure: (error: unknown) => void;
}

/** Where this process's entries and checkpoints go once they are durable. */
export interface AuditSinks {
  ship(appendix: Appendix): void;
  /** Lines that no sink had room for, and lines that wait, over all sinks. */
  status(): { readonly waiting: number; readonly dropped: number };
  close(): Promise<void>;
}

/** The port of syslog over TLS (RFC 5425 section 4.1), and the usual one of TCP. */
const SYSLOG_PORTS = { "syslog+tls:": 6514, "syslog+tcp:": 514 } as const;

export function openAuditSinks({ urls, webhookSecret, clock, onFailure }: AuditSinksOptions): AuditSinks {
  const deliveries = urls.map((url) =>
    createDelivery({
      sender: senderOf(url),
      onFailure: (error) =>
        onFailure(new Error(`audit sink ${shownOf(url)}: ${textOf(error)}`, { cause: error })),
    }),
  );

  function senderOf(text: string): Sender {
    const url = new URL(text);
    switch (url.protocol) {
      case "file:":
        return sendToFile(decodeURIComponent(url.pathname));
      case "syslog+tls:":
      case "syslog+tcp:":
        return sendToSyslog({
          host: url.hostname.replace(/^\[|\]$/g, ""),
          port: Number(url.port) || SYSLOG_PORTS[url.protocol],
          tls: url.protocol === "syslog+tls:",
        });
      default:
        if (webhookSecret === undefined) throw new TypeError("a webhook of the audit trail needs its secret");
        return sendToWebhook({ url: text, secret: webhookSecret, clock });
    }
  }

  return {
    ship({ entries, statements }) {
      if (deliveries.length === 0) return;
      const parcels: Parcel[] = [
        ...entries.map((entry) => ({
          line: entryLine(entry),
          name: entry.type,
          atMs: entry.atMs,
          failed: entry.outcome === "failure",
        })),
        ...statements.map((statement) => ({
          line: statementLine(statement),
          name: "audit.checkpoint",
          atMs: statement.atMs,
          failed: false,
        })),
      ];
      for (const delivery of deliveries) for (const parcel of parcels) delivery.push(parcel);
    },
    status: () => ({
      waiting: deliveries.reduce((sum, { waiting }) => sum + waiting, 0),
      dropped: deliveries.reduce((sum, { dropped }) => sum + dropped, 0),
    }),
    async close() {
      await Promise.all(deliveries.map((delivery) => delivery.close()));
    },
  };
}

/** Which sink it is, in a log line: a webhook's path and query may be what lets its callers in. */
function shownOf(text: string): string {
  const { protocol, host, pathname } = new URL(text);
  return protocol === "file:" ? `file:${pathname}` : `${protocol}//${host}`;
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
