import type { Bus, BusTopic } from "../../kernel/bus.ts";

/** The bus of a single process: each message reaches every subscriber of its topic, in an event-loop turn of its own. */
export function createMemoryBus(): Bus {
  const subscribers = new Map<BusTopic, Set<(message: string) => void>>();
  let connected = true;

  return {
    publish(topic, message) {
      setImmediate(() => {
        if (!connected) return;
        for (const listener of subscribers.get(topic) ?? []) listener(message);
      });
    },
    subscribe(topic, listener) {
      // A function of its own, so that who subscribes twice is told twice and leaves once at a time.
      const subscriber = (message: string) => listener(message);
      const others = subscribers.get(topic) ?? new Set();
      subscribers.set(topic, others.add(subscriber));
      return () => void others.delete(subscriber);
    },
    get connected() {
      return connected;
    },
    async close() {
      connected = false;
      subscribers.clear();
    },
  };
}
