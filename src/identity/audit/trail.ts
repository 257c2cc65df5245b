import type { AuditEvent, EventName, EventSink } from "../../kernel/audit-event.ts";
import type { Clock } from "../../kernel/clock.ts";
import { Outage } from "../../kernel/failure.ts";
import type { Appendix, AuditRecord, AuditStore, ChainHead, Statement } from "./audit-store.ts";
import { GENESIS, linkRecords } from "./chain.ts";
import { createGroupCommit } from "./group-commit.ts";
import { createNoiseFilter } from "./noise.ts";
import type { StatementSigner } from "./statement.ts";
import { toRecord } from "./to-record.ts";

export interface TrailOptions {
  readonly store: AuditStore;
  readonly signer: StatementSigner;
  readonly clock: Clock;
  /** Told when the trail stops being writable and when it is again, besides the trail itself. */
  readonly announce: (event: AuditEvent) => void;
  /** Told the cause of each failure to write, once an outage. */
  readonly onFailure: (error: unknown) => void;
  /** Told of what was written, once it is durable. */
  readonly onWritten?: (appendix: Appendix) => void;
  /** How often it looks for noise to sum up, and whether an outage is over (ms); 1 s unless told. */
  readonly tickMs?: number;
}

export interface TrailStatus {
  readonly writable: boolean;
  /** Entries that wait for their commit. */
  readonly waiting: number;
  /** Since when the trail is behind: of its oldest entry that is not durable yet, or of its outage. */
  readonly behindSinceMs: number | undefined;
  /** Entries written since the start. */
  readonly written: number;
  /** Facts that nobody waited for and that could not be written. */
  readonly dropped: number;
}

/** The writing side of the audit trail. */
export interface Trail extends EventSink {
  /**
   * Resolves once the event is durable. Of what anybody can cause at will (see `noise.ts`) nothing but a failed
   * sign-in is waited for, and most of it is only counted. Throws `Outage` where the event could not be written.
   */
  record(event: AuditEvent): void | Promise<void>;
  /** Throws `Outage` while the trail is known not to be writable: asked before an act, so that it is refused undone. */
  assertWritable(): void;
  readonly status: TrailStatus;
  /** Writes what is left, the counts too, and stops. */
  close(): Promise<void>;
}

/** A checkpoint stands at every multiple of this, so that none can be taken away unnoticed. */
export const CHECKPOINT_EVERY = 1024;
/** A quiet trail has one every hour that something happens in (ms). */
const CHECKPOINT_AFTER_MS = 3_600_000;
const MOST_WAITING = 10_000;
const MOST_TOGETHER = 512;
const PARTED_FROM = 64;
/** What is told of stores may be why it cannot be written yet: it is written later, and nobody waits for it. */
const OF_STORES: ReadonlySet<EventName> = new Set<EventName>(["store.degraded", "store.recovered"]);
/** Of a dependency that comes and goes all the while, the first so many; the rest is counted. */
const MOST_KEPT = 1000;
/** Noise that names an account: what is written of it in full is written before the answer. */
const AWAITED: ReadonlySet<EventName> = new Set<EventName>(["auth.login.failed", "auth.mfa.failed"]);

/** Opens the trail for writing: durable before it is acknowledged, many to a commit, noise counted, outages healed. */
export function createTrail(options: TrailOptions): Trail {
  const { store, signer, clock, announce, onFailure, onWritten, tickMs = 1000 } = options;
  const noise = createNoiseFilter();
  const kept: AuditEvent[] = [];
  let downSinceMs: number | undefined;
  let written = 0;
  let dropped = 0;
  /** Of those, how many have been told. */
  let told = 0;
  let ticking = false;
  let checkpointAtMs = clock.now();

  async function append(records: readonly AuditRecord[]): Promise<void> {
    let appendix: Appendix | undefined;
    await store.append((head) => {
      const entries = linkRecords(head, records);
      const nowMs = clock.now();
      const isDue = nowMs - checkpointAtMs >= CHECKPOINT_AFTER_MS;
      const noted = entries.filter(
        ({ seq }, i) => seq % CHECKPOINT_EVERY === 0 || (isDue && i + 1 === entries.length),
      );
      appendix = { entries, statements: noted.map((entry) => signer.sign("checkpoint", entry, nowMs)) };
      return appendix;
    });
    written += records.length;
    if (appendix === undefined) return;
    checkpointAtMs = appendix.statements.at(-1)?.atMs ?? checkpointAtMs;
    onWritten?.(appendix);
  }

  async function commit(records: readonly AuditRecord[]): Promise<void> {
    try {
      await append(records);
    } catch (error) {
      goDown(error);
      throw error instanceof Outage ? error : new Outage("audit trail", { cause: error });
    }
  }

  const group = createGroupCommit({
    commit,
    mostWaiting: MOST_WAITING,
    mostTogether: MOST_TOGETHER,
    partedFrom: PARTED_FROM,
  });

  function goDown(error: unknown): void {
    if (downSinceMs !== undefined) return;
    downSinceMs = clock.now();
    onFailure(error);
    announce(degraded(downSinceMs));
  }

  /** The trail itself is the probe: it is writable again when it could write down that it was not. */
  async function recover(sinceMs: number): Promise<void> {
    const recovered: AuditEvent = {
      ...degraded(clock.now()),
      name: "store.recovered",
      outcome: "success",
      details: { dropped: dropped - told },
    };
    const toldWithIt = dropped;
    try {
      await append([toRecord(degraded(sinceMs)), toRecord(recovered)]);
    } catch {
      return;
    }
    told = toldWithIt;
    downSinceMs = undefined;
    announce(recovered);
  }

  function assertWritable(): void {
    if (downSinceMs !== undefined) throw new Outage("audit trail");
  }

  async function write(record: AuditRecord): Promise<void> {
    assertWritable();
    await group.add(record);
  }

  /** What nobody waits for: while the trail is down it is counted, and written once it is up. */
  function writeUnawaited(event: AuditEvent): void {
    write(toRecord(event)).catch(() => noise.count(event));
  }

  function writeOrKeep(event: AuditEvent): Promise<void> {
    return write(toRecord(event)).catch(() => {
      if (kept.length < MOST_KEPT) kept.push(event);
      else dropped += 1;
    });
  }

  async function writeKept(): Promise<void> {
    await Promise.all(kept.splice(0).map(writeOrKeep));
  }

  async function sumUp(nowMs: number): Promise<void> {
    const summaries = noise.takeOver(nowMs);
    await Promise.all(
      summaries.map(({ event, count }) =>
        write(toRecord(event, count)).catch(() => {
          dropped += count;
        }),
      ),
    );
  }

  /** What is missing in the trail without an outage that its recovery tells of. */
  function tellDropped(): void {
    if (dropped > told)
      onFailure(new Error(`${dropped - told} events could not be written to the audit trail`));
    told = dropped;
  }

  async function tick(): Promise<void> {
    if (ticking) return;
    ticking = true;
    if (downSinceMs !== undefined) await recover(downSinceMs);
    await writeKept();
    await sumUp(clock.now());
    if (downSinceMs === undefined) tellDropped();
    ticking = false;
  }

  const timer = setInterval(() => void tick(), tickMs);
  timer.unref();

  return {
    record(event) {
      switch (noise.judge(event)) {
        case "all":
          return OF_STORES.has(event.name) ? void writeOrKeep(event) : write(toRecord(event));
        case "noise":
          return AWAITED.has(event.name) ? write(toRecord(event)) : writeUnawaited(event);
        case "counted":
          return undefined;
      }
    },
    assertWritable,
    get status() {
      const behindSinceMs = downSinceMs ?? group.oldest?.atMs;
      return { writable: downSinceMs === undefined, waiting: group.waiting, behindSinceMs, written, dropped };
    },
    async close() {
      clearInterval(timer);
      await writeKept();
      await sumUp(Number.POSITIVE_INFINITY);
      await group.settled();
      dropped += kept.splice(0).length;
      tellDropped();
    },
  };
}

function degraded(atMs: number): AuditEvent {
  return {
    name: "store.degraded",
    atMs,
    actor: { kind: "system" },
    outcome: "failure",
    subject: "audit trail",
    reason: "entries cannot be written",
  };
}

/** A signed statement of the chain's latest entry, to be kept elsewhere. */
export async function checkpointOf(
  store: AuditStore,
  signer: StatementSigner,
  nowMs: number,
): Promise<Statement> {
  const head: ChainHead = (await store.head()) ?? GENESIS;
  return signer.sign("checkpoint", head, nowMs);
}
