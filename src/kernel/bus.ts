/** What instances tell each other of. */
export type BusTopic = "changes" | "instances";

/**
 * The port of messages between the instances of one service. A message is a hint to look at the durable truth sooner:
 * it may be lost, doubled or late, and nothing is decided by it alone. An empty one says that some may have been lost.
 */
export interface Bus {
  /** Tells every instance, this one too where the backend does. Returns at once; what cannot be sent is lost. */
  publish(topic: BusTopic, message: string): void;
  /** Calls `listener` for each message, until the returned function is called. */
  subscribe(topic: BusTopic, listener: (message: string) => void): () => void;
  /** Whether messages arrive at present. */
  readonly connected: boolean;
  close(): Promise<void>;
}
