import type { Awaitable } from "../../kernel/awaitable.ts";

/** A setting's value that holds in place of the environment's. */
export interface Override {
  /** In the setting's own notation, like `100/15m`. */
  readonly value: string;
  readonly changedAtMs: number;
  /** The id of the user or API key that changed it. */
  readonly changedBy: string | null;
}

/** All overrides, by the names of their settings. */
export type Overrides = Readonly<Record<string, Override>>;

/** The port of settings that are changed while instances run. */
export interface OverrideStore {
  /**
   * The overrides of now: live, as every request asks for them. The same object as long as nothing has changed, where
   * it comes at once. Throws `Outage`.
   */
  current(): Awaitable<Overrides>;
  /** Replaces them in one step by what `next` makes of them; `next` may be called again, and has no other effect. */
  change(next: (current: Overrides) => Overrides): Promise<{
    readonly before: Overrides;
    readonly after: Overrides;
  }>;
}
