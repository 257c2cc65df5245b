import type { Redis } from "ioredis";
import type { Bus, BusTopic } from "../../kernel/bus.ts";
import type { Clock } from "../../kernel/clock.ts";
import { steadyClock } from "../../kernel/clock.ts";
import { openServer, pauseBeforeTry } from "./connection.ts";

export interface RedisBusOptions {
  /** A server, or the nodes of a cluster: each hears what is published at any of them. */
  readonly urls: readonly string[];
  /** This instance's, and different from all others'. */
  readonly id: string;
  /** Sends a message, by a connection that is not the bus's own. */
  readonly publish: (channel: string, message: string) => Promise<unknown>;
  /** For durations. */
  readonly clock?: Clock;
}

const TOPICS: readonly BusTopic[] = ["changes", "instances"];
const BEAT_EVERY_MS = 200;
/** The bus counts as connected while a message that was sent no longer ago than this has come back (ms). */
const LEASE_MS = 800;
/** A connection that has heard nothing for so long is made anew (ms). */
const SILENCE_MS = 2000;

/**
 * Messages by Redis's pub/sub. The bus sends messages to itself all the time: `connected` says that what was published
 * up to 800 ms ago has arrived, whichever way a message may get lost and however long this process was stopped. On every
 * connection that is made anew each listener gets an empty message, as others may have been missed.
 */
export function createRedisBus({ urls, id, publish, clock = steadyClock }: RedisBusOptions): Bus {
  const listeners = new Map<BusTopic, Set<(message: string) => void>>(
    TOPICS.map((topic) => [topic, new Set()]),
  );
  const topicOf = new Map(TOPICS.map((topic) => [`kyros:bus:${topic}`, topic]));
  const beatChannel = `kyros:bus:beat:${id}`;
  let subscriber: Redis | undefined;
  let tries = 0;
  let isClosed = false;
  let retry: NodeJS.Timeout | undefined;
  /** When the latest message to itself was sent of those that have come back; `undefined` where none has. */
  let heardFromMs: number | undefined;
  let subscribedAtMs: number | undefined;

  function tell(topic: BusTopic, message: string): void {
    for (const listener of listeners.get(topic)!) listener(message);
  }

  function connect(): void {
    const current = openServer(urls[tries % urls.length]!, { once: true });
    subscriber = current;
    // Told by `end` as well.
    current.on("error", () => {});
    current.once("ready", () => {
      current.subscribe(...topicOf.keys(), beatChannel).then(
        () => {
          subscribedAtMs = clock.now();
          beat();
        },
        () => current.disconnect(),
      );
    });
    current.on("message", (channel, message) => {
      const topic = topicOf.get(channel);
      if (topic !== undefined) tell(topic, message);
      else heard(Number(message));
    });
    current.once("end", () => {
      heardFromMs = undefined;
      subscribedAtMs = undefined;
      if (isClosed) return;
      tries++;
      retry = setTimeout(connect, pauseBeforeTry(tries)).unref();
    });
  }

  function heard(sentMs: number): void {
    const isFirst = heardFromMs === undefined;
    heardFromMs = sentMs;
    if (!isFirst) return;
    tries = 0;
    for (const topic of TOPICS) tell(topic, "");
  }

  function beat(): void {
    publish(beatChannel, String(clock.now())).catch(() => {});
  }

  function keepAlive(): void {
    if (subscribedAtMs === undefined) return;
    if (clock.now() - Math.max(heardFromMs ?? 0, subscribedAtMs) > SILENCE_MS) subscriber?.disconnect();
    else beat();
  }

  connect();
  const beating = setInterval(keepAlive, BEAT_EVERY_MS).unref();
  return {
    publish(topic, message) {
      publish(`kyros:bus:${topic}`, message).catch(() => {});
    },
    subscribe(topic, listener) {
      const of = listeners.get(topic)!;
      of.add(listener);
      return () => void of.delete(listener);
    },
    get connected() {
      return heardFromMs !== undefined && clock.now() - heardFromMs < LEASE_MS;
    },
    async close() {
      isClosed = true;
      clearInterval(beating);
      clearTimeout(retry);
      subscriber?.disconnect();
    },
  };
}
