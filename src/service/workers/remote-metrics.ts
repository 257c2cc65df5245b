import { Outage } from "../../kernel/failure.ts";
import type { Exposition } from "../../telemetry/exposition.ts";
import { EXPOSITION_TYPE, shareText } from "../../telemetry/exposition.ts";
import type { FromWorker } from "./messages.ts";

/** Metrics of all workers, as the thread tells them that started this one. */
export interface RemoteMetrics extends Exposition {
  /** Hands over the other thread's answer; without a text, it could not make one. */
  settle(text: string | undefined): void;
}

/** The other thread gives up on a worker after a second (ms). */
const DEADLINE_MS = 3000;

/** Throws `Outage` where the other thread does not answer within 3 s. */
export function createRemoteMetrics(send: (message: FromWorker) => void): RemoteMetrics {
  let asked: PromiseWithResolvers<string> | undefined;

  async function read(): Promise<string> {
    asked = Promise.withResolvers<string>();
    const { promise, reject } = asked;
    const timer = setTimeout(() => reject(new Outage("metrics")), DEADLINE_MS);
    send({ kind: "ask_metrics" });
    try {
      return await promise;
    } finally {
      clearTimeout(timer);
    }
  }

  return {
    contentType: EXPOSITION_TYPE,
    text: shareText(read),
    settle(text) {
      if (text === undefined) asked?.reject(new Outage("metrics"));
      else asked?.resolve(text);
    },
  };
}
