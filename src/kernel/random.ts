/**
 * Where randomness comes from. The only file that asks the system for it (NIST SP 800-90A through the runtime's
 * CSPRNG; ASVS V11.5.1), so that nothing else can pick a weaker source.
 */
export interface Random {
  /** Fresh, unguessable bytes. */
  bytes(length: number): Uint8Array;
}

export const systemRandom: Random = {
  bytes: (length) => crypto.getRandomValues(new Uint8Array(length)),
};

const DRAWN_BYTES = 1024;

/**
 * The same bytes, drawn 1 KiB at a time: asking the system costs far more than what it gives. For identifiers alone, as
 * a secret must not lie in memory before it is one.
 */
export function drawnInBulk(random: Random): Random {
  let drawn = new Uint8Array(0);
  let at = 0;
  return {
    bytes(length) {
      if (length > DRAWN_BYTES) return random.bytes(length);
      if (at + length > drawn.length) {
        drawn = random.bytes(DRAWN_BYTES).slice();
        at = 0;
      }
      at += length;
      return drawn.slice(at - length, at);
    },
  };
}

/** An opaque credential: `length` random bytes (32 unless told: 256 bits) in unpadded base64url. */
export function randomToken(random: Random, length = 32): string {
  return Buffer.from(random.bytes(length)).toString("base64url");
}

/** A UUIDv7 (RFC 9562 section 5.7): sortable by creation. An identifier, never a secret. */
export function uuidv7(nowMs: number, random: Random): string {
  const bytes = random.bytes(16);
  const view = new DataView(bytes.buffer, bytes.byteOffset, 16);
  view.setUint16(0, Math.floor(nowMs / 0x1_0000_0000));
  view.setUint32(2, nowMs % 0x1_0000_0000);
  bytes[6] = 0x70 | (bytes[6]! & 0x0f);
  bytes[8] = 0x80 | (bytes[8]! & 0x3f);
  const hex = Buffer.from(bytes).toString("hex");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}
