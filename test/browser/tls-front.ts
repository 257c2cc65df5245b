import { execFile } from "node:child_process";
import { createHash, X509Certificate } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import type { IncomingMessage, ServerResponse } from "node:http";
import { request as httpRequest } from "node:http";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

export interface TlsFront {
  /** `https://<host>:<port>`, the origin that browsers see. */
  readonly origin: string;
  /** Base64 of the SHA-256 of its public key, as Chromium's switch takes it. */
  readonly keyDigest: string;
  stop(): Promise<void>;
}

export interface TlsFrontOptions {
  readonly host: "localhost" | "127.0.0.1";
  /** Where requests go that `page` does not answer; nowhere where it is absent. */
  readonly target?: string;
  /** A page of a test's own. `true`: it was answered. */
  readonly page?: (request: IncomingMessage, response: ServerResponse) => boolean | Promise<boolean>;
}

/** A proxy that speaks TLS to browsers and tells the service so, as a deployment has it. */
export async function startTlsFront({ host, target, page }: TlsFrontOptions): Promise<TlsFront> {
  const { key, cert } = await selfSigned(host);
  const server = createServer({ key, cert }, async (request, response) => {
    if (await page?.(request, response)) return;
    if (target === undefined) response.writeHead(404).end();
    else forward(target, request, response);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const spki = new X509Certificate(cert).publicKey.export({ type: "spki", format: "der" });
  return {
    origin: `https://${host}:${(server.address() as AddressInfo).port}`,
    keyDigest: createHash("sha256").update(spki).digest("base64"),
    async stop() {
      server.close();
      server.closeAllConnections();
    },
  };
}

function forward(target: string, request: IncomingMessage, response: ServerResponse): void {
  const outgoing = httpRequest(new URL(request.url!, target), {
    method: request.method!,
    headers: {
      ...request.headers,
      "x-forwarded-for": request.socket.remoteAddress,
      "x-forwarded-proto": "https",
      "x-forwarded-host": request.headers.host,
    },
  });
  outgoing.on("response", (answer) => {
    response.writeHead(answer.statusCode!, answer.rawHeaders);
    answer.pipe(response);
  });
  outgoing.on("error", () => response.destroy());
  request.pipe(outgoing);
}

async function selfSigned(host: string): Promise<{ key: string; cert: string }> {
  const folder = await mkdtemp(join(tmpdir(), "kyros-tls-"));
  try {
    const [keyFile, certFile] = [join(folder, "key.pem"), join(folder, "cert.pem")];
    const name = host === "localhost" ? "DNS:localhost" : `IP:${host}`;
    await promisify(execFile)("openssl", [
      ...[
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:prime256v1",
        "-nodes",
        "-days",
        "2",
      ],
      ...["-subj", `/CN=${host}`, "-addext", `subjectAltName=${name}`, "-keyout", keyFile, "-out", certFile],
    ]);
    return { key: await readFile(keyFile, "utf8"), cert: await readFile(certFile, "utf8") };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
