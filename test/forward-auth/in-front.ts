import { execFile, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import type { IncomingHttpHeaders } from "node:http";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect } from "node:tls";
import { promisify } from "node:util";
import { freePort } from "../stores/redis-server.ts";

const EXAMPLES = join(import.meta.dirname, "../../examples/gate");
const READY_WITHIN_MS = 15_000;

export interface GateAnswer {
  readonly status: number;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: string;
}

/** A real proxy with the example's configuration, and a service behind it that says what it was sent. */
export interface GateInFront {
  readonly port: number;
  /** Sends bytes over TLS as they are, and reads until the proxy closes: ask for `connection: close`. */
  send(bytes: Uint8Array): Promise<GateAnswer>;
  /** What the service behind was asked: method, target and header lines, of every request so far. */
  readonly seen: readonly Seen[];
  stop(): Promise<void>;
}

export interface Seen {
  readonly method: string;
  readonly target: string;
  readonly headers: IncomingHttpHeaders;
  readonly names: readonly string[];
}

/** Why tests with a proxy are skipped, where they are. */
export function without(command: "nginx" | "caddy"): string | false {
  const isThere = spawnSync(command, [command === "nginx" ? "-v" : "version"]).error === undefined;
  return isThere ? false : `${command} is not installed: apt-get install ${command}`;
}

export async function startInFront(command: "nginx" | "caddy", kyrosUrl: string): Promise<GateInFront> {
  await using started = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), "kyros-gate-"));
  started.defer(() => rm(folder, { recursive: true, force: true }));
  const service = await startService();
  started.defer(service.stop);
  const port = await freePort();
  const [cert, key] = [join(folder, "cert.pem"), join(folder, "key.pem")];
  await promisify(execFile)("openssl", [
    ...["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"],
    ...[
      "-subj",
      "/CN=app.example",
      "-addext",
      "subjectAltName=DNS:app.example",
      "-keyout",
      key,
      "-out",
      cert,
    ],
  ]);
  const file = join(folder, "proxy.conf");
  const name = command === "nginx" ? "nginx.conf" : "Caddyfile";
  const example = (await readFile(join(EXAMPLES, name), "utf8"))
    .replaceAll("127.0.0.1:8000", new URL(kyrosUrl).host)
    .replaceAll("127.0.0.1:3000", `127.0.0.1:${service.port}`);
  const local = command === "nginx" ? localNginx : localCaddy;
  await writeFile(file, local(example, { folder, port, cert, key }));

  const args =
    command === "nginx" ? ["-c", file, "-p", folder] : ["run", "--config", file, "--adapter", "caddyfile"];
  const child = spawn(command, args, {
    stdio: ["ignore", "pipe", "pipe"],
    env: { PATH: process.env["PATH"], HOME: folder, XDG_DATA_HOME: folder, XDG_CONFIG_HOME: folder },
  });
  const killNow = () => child.kill("SIGKILL");
  process.once("exit", killNow);
  let said = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => {
      said = (said + text).slice(-4000);
    });
  }
  started.defer(async () => {
    process.off("exit", killNow);
    if (child.exitCode !== null || child.signalCode !== null) return;
    killNow();
    await once(child, "exit");
  });
  const deadlineMs = performance.now() + READY_WITHIN_MS;
  while (!(await isListening(port))) {
    if (child.exitCode !== null || performance.now() > deadlineMs) {
      throw new Error(`${command} did not start:\n${said}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  const running = started.move();
  return {
    port,
    send: (bytes) => sendTls(port, bytes),
    seen: service.seen,
    stop: () => running.disposeAsync(),
  };
}

interface Local {
  readonly folder: string;
  readonly port: number;
  readonly cert: string;
  readonly key: string;
}

/** The example on a free port, in one process, with its files in a folder of the test's own. */
function localNginx(example: string, { folder, port, cert, key }: Local): string {
  const paths = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
  const temporary = paths.map((path) => `${path}_temp_path ${folder}/${path};`).join(" ");
  return `daemon off; master_process off; pid ${folder}/pid; error_log stderr;\n${example}`
    .replace("http {", `http { ${temporary} access_log off;`)
    .replaceAll("listen 443 ssl", `listen 127.0.0.1:${port} ssl`)
    .replace("/etc/ssl/app.example.crt", cert)
    .replace("/etc/ssl/app.example.key", key);
}

function localCaddy(example: string, { port, cert, key }: Local): string {
  const site = `https://app.example:${port} {\n\tbind 127.0.0.1\n\ttls ${cert} ${key}`;
  return `{\n\tadmin off\n\tauto_https disable_redirects\n}\n${example.replace("app.example {", site)}`;
}

async function startService(): Promise<{ port: number; seen: Seen[]; stop(): Promise<void> }> {
  const seen: Seen[] = [];
  const server = createServer((request, response) => {
    const { method = "", url = "", headers, rawHeaders } = request;
    seen.push({ method, target: url, headers, names: rawHeaders.filter((_, index) => index % 2 === 0) });
    request.resume().on("end", () => response.end("from the service"));
  });
  server.on("upgrade", ({ method = "", url = "", headers, rawHeaders }, socket) => {
    seen.push({ method, target: url, headers, names: rawHeaders.filter((_, index) => index % 2 === 0) });
    socket.end("HTTP/1.1 101 Switching Protocols\r\nconnection: Upgrade\r\nupgrade: websocket\r\n\r\n");
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    seen,
    async stop() {
      server.close();
      server.closeAllConnections();
    },
  };
}

function isListening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: "127.0.0.1", port, servername: "app.example", rejectUnauthorized: false });
    socket.once("secureConnect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}

function sendTls(port: number, bytes: Uint8Array): Promise<GateAnswer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    const options = { host: "127.0.0.1", port, servername: "app.example", rejectUnauthorized: false };
    const socket = connect(options, () => socket.write(bytes));
    socket.on("data", (chunk) => chunks.push(chunk));
    socket.on("error", reject);
    socket.on("close", () => {
      const text = Buffer.concat(chunks).toString("latin1");
      const end = text.indexOf("\r\n\r\n");
      const [first = "", ...lines] = text.slice(0, end).split("\r\n");
      resolve({
        status: Number(first.split(" ")[1]),
        headers: lines.map((line) => {
          const colon = line.indexOf(":");
          return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()] as const;
        }),
        body: text.slice(end + 4),
      });
    });
  });
}
