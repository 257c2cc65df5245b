import { once } from "node:events";
import type { Socket } from "node:net";
import { connect } from "node:net";
import { hostname } from "node:os";
import { connect as connectTls } from "node:tls";
import { toRfc3339 } from "../../kernel/clock.ts";
import type { Parcel, Sender } from "./delivery.ts";

export interface SyslogOptions {
  readonly host: string;
  readonly port: number;
  readonly tls: boolean;
  /** Certificates to trust in place of the system's. */
  readonly ca?: string;
}

/** RFC 5424 section 6.2.1: facility 13, log audit. */
const FACILITY = 13;
const SEVERITIES = { warning: 4, informational: 6 } as const;
const NOTHING = "-";

/**
 * Sends lines as messages of RFC 5424, counted in octets (RFC 6587 section 3.4.1), over one connection of TCP or TLS
 * (RFC 5425). Syslog confirms nothing: what was on its way when a connection broke may be lost or come twice.
 */
export function sendToSyslog(options: SyslogOptions): Sender {
  let open: Socket | undefined;

  async function connected(signal: AbortSignal): Promise<Socket> {
    if (open !== undefined && !open.destroyed && open.writable) return open;
    const { host, port, tls, ca } = options;
    const socket = tls
      ? connectTls({ host, port, servername: host, minVersion: "TLSv1.2", ...(ca !== undefined && { ca }) })
      : connect({ host, port });
    // Nobody waits at the moment a quiet connection breaks: the next batch finds it so.
    socket.on("error", () => socket.destroy());
    // A receiver says nothing; what it says all the same is read, so that its closing is noticed.
    socket.resume();
    socket.unref();
    try {
      await once(socket, tls ? "secureConnect" : "connect", { signal });
    } catch (error) {
      socket.destroy();
      throw error;
    }
    open = socket;
    return socket;
  }

  return {
    async send(batch, signal) {
      const socket = await connected(signal);
      const frames = batch.map(frame).join("");
      await new Promise<void>((resolve, reject) => {
        const abort = () => {
          // Its buffer still holds the batch, and would hold it again with each try that the other end does not read.
          socket.destroy();
          reject(signal.reason as Error);
        };
        signal.addEventListener("abort", abort, { once: true });
        socket.write(frames, (error) => {
          signal.removeEventListener("abort", abort);
          if (error == null) resolve();
          else reject(error);
        });
      });
    },
    end: () => void open?.end(),
  };
}

function frame({ line, name, atMs, failed }: Parcel): string {
  const priority = FACILITY * 8 + (failed ? SEVERITIES.warning : SEVERITIES.informational);
  const header = [
    `<${priority}>1`,
    toRfc3339(atMs),
    printable(hostname()),
    "kyros",
    process.pid,
    name,
    NOTHING,
  ];
  // Lines are printable ASCII (`canonical.ts`): as many octets as characters, and no control among them.
  const message = `${header.join(" ")} ${line}`;
  return `${message.length} ${message}`;
}

function printable(name: string): string {
  return name.replace(/[^\x21-\x7e]/g, "").slice(0, 255) || NOTHING;
}
