import { Outage } from "../../kernel/failure.ts";

/** What stands before the connections to a server: open while the server is there, shut while it is found to be away. */
export interface PostgresGate {
  readonly isOpen: boolean;
  /**
   * Settles as `work` does. While the gate is shut it throws an `Outage` at once and `work` never begins; what is under
   * way when it shuts ends as one then, answered or not.
   */
  through<T>(work: () => Promise<T>): Promise<T>;
  shut(cause: unknown): void;
  reopen(): void;
}

export function createPostgresGate(): PostgresGate {
  const underWay = new Set<(outage: Outage) => void>();
  let reason: { readonly cause: unknown } | undefined;

  return {
    get isOpen() {
      return reason === undefined;
    },
    through<T>(work: () => Promise<T>): Promise<T> {
      if (reason !== undefined) return Promise.reject(new Outage("database", reason));
      return new Promise<T>((resolve, reject) => {
        underWay.add(reject);
        work()
          .then(resolve, reject)
          .finally(() => underWay.delete(reject));
      });
    },
    shut(cause) {
      reason = { cause };
      for (const reject of underWay) reject(new Outage("database", reason));
      underWay.clear();
    },
    reopen() {
      reason = undefined;
    },
  };
}
