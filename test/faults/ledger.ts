import assert from "node:assert/strict";
import { eventually } from "../stores/eventually.ts";
import type { ThreeInstances, Tokens } from "./three-instances.ts";
import { bearer, login, PASSWORD, post, statusOf } from "./three-instances.ts";

const READERS = 3;
const WRITERS = 1;
/**
 * An ended session is refused by the other instances this soon, while the database can be reached (ms). One second is
 * promised; the rest is for a machine on which three instances, their stores and other work share the cores.
 */
const REFUSED_WITHIN_MS = 5000;
const PAUSE_MS = 100;

/** A client of three instances that notes what was acknowledged, and holds them to it. */
export interface Ledger {
  /** How often each status was answered since the last call; `none` where the connection was lost. */
  takeStatuses(): ReadonlyMap<number | "none", number>;
  /** How many sessions it was told to have ended. */
  readonly ended: number;
  /** Every session that was acknowledged as ended is refused by every instance, and every other is accepted. */
  verify(): Promise<void>;
  stop(): Promise<void>;
}

/** Reads, signs in and signs out at all of them, all the time, as the user `ledger`, until it is stopped. */
export async function openLedger(three: ThreeInstances): Promise<Ledger> {
  await three.createUser("ledger");
  const ended: { readonly token: string; readonly atMs: number }[] = [];
  const alive: Tokens[] = [await login(three.instances[0], "ledger")];
  const tooLate: string[] = [];
  let statuses = new Map<number | "none", number>();
  let isOn = true;
  const note = (status: number | "none") => void statuses.set(status, (statuses.get(status) ?? 0) + 1);

  async function read(index: number): Promise<void> {
    for (let n = 0; isOn; n++) {
      const past = n % 2 === 0 ? undefined : ended.at(-1 - (n % 5));
      const isDue = past !== undefined && performance.now() - past.atMs > REFUSED_WITHIN_MS;
      try {
        const status = await statusOf(three.instances[index]!, isDue ? past.token : alive[0]!.access_token);
        if (isDue && status === 200) tooLate.push(`${performance.now() - past.atMs} ms`);
        note(status);
      } catch {
        note("none");
      }
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
  }

  async function write(writer: number): Promise<void> {
    for (let n = 0; isOn; n++) {
      try {
        // Each from an address of its own, so that no limit comes in the way.
        const address = { "x-forwarded-for": `10.${writer}.${n >> 8}.${n & 255}` };
        const credentials = { username: "ledger", password: PASSWORD };
        const signedIn = await post(three.instances[n % 3]!, "/auth/login", credentials, address);
        note(signedIn.status);
        const tokens = (await signedIn.json()) as Tokens;
        if (signedIn.status === 200 && n % 4 === 0) alive.push(tokens);
        if (signedIn.status === 200 && n % 4 !== 0) {
          const { status } = await post(
            three.instances[(n + 1) % 3]!,
            "/auth/logout",
            {},
            bearer(tokens.access_token),
          );
          note(status);
          if (status === 204) ended.push({ token: tokens.access_token, atMs: performance.now() });
        }
      } catch {
        note("none");
      }
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
  }

  const work = Promise.all([
    ...Array.from({ length: READERS }, (_, i) => read(i)),
    ...Array.from({ length: WRITERS }, (_, i) => write(i)),
  ]);
  return {
    get ended() {
      return ended.length;
    },
    takeStatuses() {
      const taken = statuses;
      statuses = new Map();
      return taken;
    },
    async verify() {
      assert.deepEqual(tooLate, [], "ended sessions were accepted");
      const [toRefuse, toAccept] = [ended.slice(-10), alive.slice(-5)];
      for (const instance of three.instances) {
        for (const { token } of toRefuse) {
          await eventually(async () => assert.equal(await statusOf(instance, token), 401), REFUSED_WITHIN_MS);
        }
        for (const { access_token } of toAccept) assert.equal(await statusOf(instance, access_token), 200);
      }
    },
    async stop() {
      isOn = false;
      await work;
    },
  };
}
