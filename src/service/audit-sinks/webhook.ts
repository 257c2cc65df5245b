import { hmacSha256 } from "../../crypto/digest.ts";
import type { Clock } from "../../kernel/clock.ts";
import type { Sender } from "./delivery.ts";

export interface WebhookOptions {
  readonly url: string;
  /** Key of the signature (UTF-8). */
  readonly secret: string;
  readonly clock: Clock;
}

/**
 * Posts lines (`application/x-ndjson`) to a URL. `X-Kyros-Timestamp` is when (s since the epoch), `X-Kyros-Signature`
 * `v1=` and HMAC-SHA-256 in hexadecimal of the timestamp, a dot and the body: who checks both takes no forged body and
 * no old one. Any answer but 2xx is a failure; redirects are not followed.
 */
export function sendToWebhook({ url, secret, clock }: WebhookOptions): Sender {
  const key = Buffer.from(secret);
  return {
    async send(batch, signal) {
      const body = batch.map(({ line }) => `${line}\n`).join("");
      const timestamp = String(Math.floor(clock.now() / 1000));
      const response = await fetch(url, {
        method: "POST",
        redirect: "error",
        signal,
        headers: {
          "content-type": "application/x-ndjson",
          "x-kyros-timestamp": timestamp,
          "x-kyros-signature": `v1=${hmacSha256(key, `${timestamp}.${body}`).toString("hex")}`,
        },
        body,
      });
      await response.body?.cancel();
      if (!response.ok) throw new Error(`the audit webhook answered ${response.status}`);
    },
  };
}
