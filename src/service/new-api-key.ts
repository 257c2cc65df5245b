import { parseNamedLimit } from "../guards/limit-policy.ts";
import { isScope } from "../guards/scope.ts";
import type { NewApiKey } from "../identity/api-keys/api-keys.ts";
import { parseDuration } from "../kernel/duration.ts";
import { Refusal } from "../kernel/failure.ts";
import { isLabel, LABEL_RULE } from "../kernel/label.ts";
import type { FieldError } from "../kernel/problem.ts";
import { problem } from "../kernel/problem.ts";
import { CidrFault, parseCidrs } from "../net/cidr.ts";

/** A key as somebody asks for it, in the words of the API and of the command line. */
export interface ApiKeyWish {
  readonly name: string;
  readonly scopes?: readonly string[];
  readonly expires_in?: string;
  readonly address_ranges?: readonly string[];
  readonly rate_limits?: readonly string[];
}

/** Reads a wish into what the domain takes. Refuses with every faulty field at once (`validation_failed`). */
export function newApiKey(wish: ApiKeyWish, ownerId: string | null, nowMs: number): NewApiKey {
  const { scopes = [], expires_in, address_ranges: addressRanges = [], rate_limits: rateLimits = [] } = wish;
  const errors: FieldError[] = [];
  if (!isLabel(wish.name)) errors.push({ field: "name", message: `must be ${LABEL_RULE}` });
  const ttlMs = expires_in === undefined ? null : parseDuration(expires_in);
  if (ttlMs === undefined) errors.push({ field: "expires_in", message: "must be a duration like 90d" });
  for (const scope of scopes) {
    if (!isScope(scope)) errors.push({ field: "scopes", message: "must be scopes like jobs:read or jobs:*" });
  }
  for (const limit of rateLimits) {
    if (parseNamedLimit(limit) === undefined) {
      errors.push({ field: "rate_limits", message: "must be limits like 100/1m or burst:10/1s" });
    }
  }
  if (new Set(rateLimits.map(markOf)).size < rateLimits.length) {
    errors.push({
      field: "rate_limits",
      message: "must be different ones, with different names where they have any",
    });
  }
  try {
    parseCidrs(addressRanges);
  } catch (error) {
    if (!(error instanceof CidrFault)) throw error;
    errors.push(...error.faults.map((message) => ({ field: "address_ranges", message })));
  }
  if (errors.length > 0)
    throw new Refusal(problem("validation_failed", "The key cannot be made like this.", { errors }));
  return {
    name: wish.name,
    ownerId,
    scopes: [...new Set(scopes)],
    addressRanges,
    rateLimits,
    expiresAtMs: ttlMs == null ? null : nowMs + ttlMs,
  };
}

/** What a limit must not share with another: its name, or what it says where it has none. Else both would count as one. */
function markOf(text: string): string {
  const limit = parseNamedLimit(text);
  return text.includes(":") || limit === undefined
    ? text.replace(/:.*/, ":")
    : `${limit.limit}/${limit.windowMs}`;
}
