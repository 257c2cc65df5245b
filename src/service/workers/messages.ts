import type { Settings } from "../../config/settings.ts";
import type { PasswordVerdict } from "../../crypto/password.ts";
import type { Problem } from "../../kernel/problem.ts";
import type { SharedLimits } from "../../stores/memory/shared-limiter.ts";
import type { SharedOutages } from "../../stores/shared-outages.ts";
import type { FamilyReading } from "../../telemetry/metric-family.ts";

/** What a worker is started with. */
export interface WorkerData {
  /** Its number, from 1; no other living worker has it. */
  readonly number: number;
  /** With the secret that all have, and the port. */
  readonly settings: Settings;
  readonly limits: SharedLimits;
  readonly outages: SharedOutages;
  /** By which other instances know all the workers as one. */
  readonly instanceId: string;
}

/** A password to be hashed, or to be compared with a stored hash. */
export type PasswordJob =
  | { readonly kind: "hash"; readonly id: number; readonly password: string }
  | {
      readonly kind: "verify";
      readonly id: number;
      readonly password: string;
      readonly storedHash: string | null;
    };

/** What a worker tells the thread that started it. */
export type FromWorker =
  | { readonly kind: "listening"; readonly url: string }
  | { readonly kind: "not_started"; readonly message: string; readonly code: string }
  | PasswordJob
  | { readonly kind: "metrics"; readonly readings: readonly FamilyReading[] }
  | { readonly kind: "ask_metrics" }
  | { readonly kind: "abandon"; readonly id: number };

/** How a password job ended. */
export type PasswordResult =
  | { readonly kind: "hashed"; readonly id: number; readonly hash: string }
  | { readonly kind: "verified"; readonly id: number; readonly verdict: PasswordVerdict }
  | { readonly kind: "refused"; readonly id: number; readonly problem: Problem }
  | { readonly kind: "failed"; readonly id: number; readonly message: string };

/** What a worker is told. */
export type ToWorker =
  | { readonly kind: "drain" }
  | { readonly kind: "stop" }
  | { readonly kind: "read_metrics" }
  | { readonly kind: "metrics_text"; readonly text: string | undefined }
  | PasswordResult;
