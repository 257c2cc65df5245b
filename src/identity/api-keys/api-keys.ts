import { equalInConstantTime, sha256Base64url } from "../../crypto/digest.ts";
import type { Act, EventSink } from "../../kernel/audit-event.ts";
import type { Awaitable } from "../../kernel/awaitable.ts";
import { then } from "../../kernel/awaitable.ts";
import { Refusal } from "../../kernel/failure.ts";
import { problem } from "../../kernel/problem.ts";
import type { Random } from "../../kernel/random.ts";
import { uuidv7 } from "../../kernel/random.ts";
import { parseCidrs } from "../../net/cidr.ts";
import { createVerifiedCache } from "../verified-cache.ts";
import type { ApiKey, ApiKeyStore } from "./api-key.ts";
import { generateKeyText, KEY_PREFIX, parseKeyText } from "./key-text.ts";

/** What a new key is to be; checked by whoever takes it from a caller. */
export interface NewApiKey {
  readonly name: string;
  readonly ownerId: string | null;
  readonly scopes: readonly string[];
  readonly addressRanges: readonly string[];
  readonly rateLimits: readonly string[];
  readonly expiresAtMs: number | null;
}

/** A key of the configuration: whole text known to the operator, for bootstrapping. */
export interface StaticKey {
  readonly name: string;
  readonly key: string;
}

export type KeyOutcome =
  | { readonly kind: "valid"; readonly apiKey: ApiKey }
  | { readonly kind: "invalid"; readonly cause: string };

export interface ApiKeys {
  /** Whether a text is a key by its form, or one of the static keys, rather than some other credential. */
  isKey(text: string): boolean;
  /** Makes a key; its text is in the result and nowhere else. `conflict` where its owner has `mostLive` already. */
  create(wanted: NewApiKey, act: Act, mostLive?: number): Promise<{ apiKey: ApiKey; text: string }>;
  /** Whose key a text is, if it may be used from this address now. */
  verify(text: string, address: string, nowMs: number): Awaitable<KeyOutcome>;
  /** Gives a key a new secret; the old one works until the overlap ends. `undefined` where it is revoked or raced. */
  rotate(apiKey: ApiKey, overlapMs: number, act: Act): Promise<{ text: string } | undefined>;
  /** Ends a key, durably; `false` where it was revoked already. */
  revoke(apiKey: ApiKey, act: Act): Promise<boolean>;
}

export interface ApiKeysOptions {
  readonly store: ApiKeyStore;
  readonly random: Random;
  readonly events: EventSink;
  readonly staticKeys?: readonly StaticKey[];
}

/** What a text was found to be: the secret of this hash, of the key of this id. */
interface Proof {
  readonly publicId: string;
  readonly secretHash: string;
}

const REMEMBERED_PROOFS = 10_000;

/** Compared with where a key is unknown, so that looking for one costs what finding one does. */
const NOBODYS_HASH = sha256Base64url("nobody");

export function createApiKeys(options: ApiKeysOptions): ApiKeys {
  const { store, random, events } = options;
  const statics = new Map(
    (options.staticKeys ?? []).map(({ name, key }) => [sha256Base64url(key), staticKey(name)]),
  );
  const proofs = createVerifiedCache<Proof>(REMEMBERED_PROOFS);
  const rangesOf = new WeakMap<ApiKey, ReturnType<typeof parseCidrs>>();

  function mayComeFrom(apiKey: ApiKey, address: string): boolean {
    if (apiKey.addressRanges.length === 0) return true;
    let ranges = rangesOf.get(apiKey);
    if (ranges === undefined) {
      ranges = parseCidrs(apiKey.addressRanges);
      rangesOf.set(apiKey, ranges);
    }
    return ranges.contains(address);
  }

  /** Proves a secret, found or not at the same price, and remembers a proof of the current one. */
  function prove(
    text: string,
    secret: string,
    apiKey: ApiKey | undefined,
    address: string,
    nowMs: number,
  ): KeyOutcome {
    const hash = Buffer.from(sha256Base64url(secret));
    const isCurrent = equalInConstantTime(hash, Buffer.from(apiKey?.secretHash ?? NOBODYS_HASH));
    const isPrevious = equalInConstantTime(hash, Buffer.from(apiKey?.previousSecretHash ?? NOBODYS_HASH));
    if (apiKey === undefined) return invalid("unknown key");
    if (!isCurrent && !isPrevious) return invalid("wrong secret");
    if (!isCurrent && nowMs >= (apiKey.previousExpiresAtMs ?? 0)) return invalid("secret was rotated out");
    if (isCurrent) proofs.set(text, { publicId: apiKey.publicId, secretHash: apiKey.secretHash });
    return admit(apiKey, address, nowMs);
  }

  /** Whether a key whose secret is proved may be used, from there and now: asked at each request. */
  function admit(apiKey: ApiKey, address: string, nowMs: number): KeyOutcome {
    if (apiKey.revokedAtMs !== null) return invalid("key is revoked");
    if (apiKey.expiresAtMs !== null && nowMs >= apiKey.expiresAtMs) return invalid("key has expired");
    if (!mayComeFrom(apiKey, address)) return invalid("address is outside the key's ranges");
    return { kind: "valid", apiKey };
  }

  function verifyAnew(text: string, address: string, nowMs: number): Awaitable<KeyOutcome> {
    const known = ofStatics(text);
    if (known !== undefined) return known;
    const parsed = parseKeyText(text);
    if (parsed === undefined) return invalid("malformed key");
    const { publicId, secret } = parsed;
    return then(store.findByPublicId(publicId), (found) => prove(text, secret, found, address, nowMs));
  }

  return {
    isKey: (text) => text.startsWith(KEY_PREFIX) || ofStatics(text) !== undefined,

    async create(wanted, act, mostLive) {
      events.assertWritable?.();
      const { publicId, secret, text } = generateKeyText(random);
      const apiKey: ApiKey = {
        ...wanted,
        id: uuidv7(act.atMs, random),
        publicId,
        secretHash: sha256Base64url(secret),
        previousSecretHash: null,
        previousExpiresAtMs: null,
        createdAtMs: act.atMs,
        revokedAtMs: null,
        lastUsedAtMs: null,
      };
      if (!(await store.create(apiKey, mostLive))) {
        throw new Refusal(problem("conflict", `Revoke a key first: ${mostLive} is the most.`));
      }
      const details = { name: apiKey.name, scopes: apiKey.scopes.join(" ") };
      await events.record({
        ...act,
        name: "api_key.created",
        outcome: "success",
        subject: apiKey.id,
        details,
      });
      return { apiKey, text };
    },

    verify(text, address, nowMs) {
      const proof = proofs.get(text);
      if (proof === undefined) return verifyAnew(text, address, nowMs);
      return then(store.findByPublicId(proof.publicId), (found) =>
        // A hash that the key has still is the proof still; a rotated key, or one that is gone, is proved anew.
        found?.secretHash === proof.secretHash
          ? admit(found, address, nowMs)
          : verifyAnew(text, address, nowMs),
      );
    },

    async rotate(apiKey, overlapMs, act) {
      events.assertWritable?.();
      const { secret, text } = generateKeyText(random, apiKey.publicId);
      const newHash = sha256Base64url(secret);
      const rotated = await store.rotate(apiKey.id, apiKey.secretHash, newHash, act.atMs + overlapMs);
      if (!rotated) return undefined;
      await events.record({ ...act, name: "api_key.rotated", outcome: "success", subject: apiKey.id });
      return { text };
    },

    async revoke(apiKey, act) {
      events.assertWritable?.();
      const revoked = await store.revoke(apiKey.id, act.atMs);
      if (revoked) {
        await events.record({ ...act, name: "api_key.revoked", outcome: "success", subject: apiKey.id });
      }
      return revoked;
    },
  };

  /** By the hash of the whole text: a map's timing then tells nothing of the key. */
  function ofStatics(text: string): KeyOutcome | undefined {
    if (statics.size === 0) return undefined;
    const apiKey = statics.get(sha256Base64url(text));
    return apiKey && { kind: "valid", apiKey };
  }
}

function invalid(cause: string): KeyOutcome {
  return { kind: "invalid", cause };
}

function staticKey(name: string): ApiKey {
  return Object.freeze({
    id: `static:${name}`,
    publicId: "",
    secretHash: "",
    previousSecretHash: null,
    previousExpiresAtMs: null,
    name,
    ownerId: null,
    scopes: [],
    addressRanges: [],
    rateLimits: [],
    createdAtMs: 0,
    expiresAtMs: null,
    revokedAtMs: null,
    lastUsedAtMs: null,
  });
}
