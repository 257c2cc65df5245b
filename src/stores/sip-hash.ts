/** Turns a text into 128 bits, written as four 32-bit words. */
export type Fingerprint = (text: string, out: Int32Array) => void;

/**
 * Makes a SipHash-2-4 with 128-bit output (Aumasson and Bernstein, 2012) under a 16-byte key, over the UTF-16 code
 * units of a text, low byte first. Code units and not UTF-8, which would make one text of all lone surrogates.
 * It is a hash for tables, keyed so that nobody outside can search for collisions; it authenticates nothing.
 * Throws a RangeError where the key is not 16 bytes.
 */
export function createSipHash(key: Uint8Array): Fingerprint {
  if (key.byteLength !== 16) throw new RangeError("a SipHash key has 16 bytes");
  const view = new DataView(key.buffer, key.byteOffset, 16);
  const k0 = view.getInt32(0, true);
  const k1 = view.getInt32(4, true);
  const k2 = view.getInt32(8, true);
  const k3 = view.getInt32(12, true);
  // v0 to v3, each as its low and its high half.
  const v = new Int32Array(8);

  return (text, out) => {
    v[0] = k0 ^ 0x70736575;
    v[1] = k1 ^ 0x736f6d65;
    v[2] = k2 ^ 0x6e646f6d ^ 0xee;
    v[3] = k3 ^ 0x646f7261;
    v[4] = k0 ^ 0x6e657261;
    v[5] = k1 ^ 0x6c796765;
    v[6] = k2 ^ 0x79746573;
    v[7] = k3 ^ 0x74656462;

    const whole = text.length & ~3;
    for (let i = 0; i < whole; i += 4) {
      absorb(v, pair(text, i), pair(text, i + 2));
    }
    const rest = text.length - whole;
    let low = 0;
    let high = (text.length << 25) | 0;
    if (rest > 0) low = text.charCodeAt(whole);
    if (rest > 1) low |= text.charCodeAt(whole + 1) << 16;
    if (rest > 2) high |= text.charCodeAt(whole + 2);
    absorb(v, low, high);

    v[4]! ^= 0xee;
    mix(v, 4);
    out[0] = v[0]! ^ v[2]! ^ v[4]! ^ v[6]!;
    out[1] = v[1]! ^ v[3]! ^ v[5]! ^ v[7]!;
    v[2]! ^= 0xdd;
    mix(v, 4);
    out[2] = v[0]! ^ v[2]! ^ v[4]! ^ v[6]!;
    out[3] = v[1]! ^ v[3]! ^ v[5]! ^ v[7]!;
  };
}

function pair(text: string, at: number): number {
  return text.charCodeAt(at) | (text.charCodeAt(at + 1) << 16);
}

function absorb(v: Int32Array, low: number, high: number): void {
  v[6]! ^= low;
  v[7]! ^= high;
  mix(v, 2);
  v[0]! ^= low;
  v[1]! ^= high;
}

/** SipRounds on 64-bit words held as two halves; the state lives in locals meanwhile. */
function mix(v: Int32Array, rounds: number): void {
  let a = v[0]!;
  let A = v[1]!;
  let b = v[2]!;
  let B = v[3]!;
  let c = v[4]!;
  let C = v[5]!;
  let d = v[6]!;
  let D = v[7]!;
  let t = 0;
  for (let i = 0; i < rounds; i++) {
    // v0 += v1; v1 = rotl(v1, 13) ^ v0; v0 = rotl(v0, 32)
    a = (a + b) | 0;
    A = (A + B + carry(a, b)) | 0;
    t = (b << 13) | (B >>> 19);
    B = ((B << 13) | (b >>> 19)) ^ A;
    b = t ^ a;
    t = a;
    a = A;
    A = t;
    // v2 += v3; v3 = rotl(v3, 16) ^ v2
    c = (c + d) | 0;
    C = (C + D + carry(c, d)) | 0;
    t = (d << 16) | (D >>> 16);
    D = ((D << 16) | (d >>> 16)) ^ C;
    d = t ^ c;
    // v0 += v3; v3 = rotl(v3, 21) ^ v0
    a = (a + d) | 0;
    A = (A + D + carry(a, d)) | 0;
    t = (d << 21) | (D >>> 11);
    D = ((D << 21) | (d >>> 11)) ^ A;
    d = t ^ a;
    // v2 += v1; v1 = rotl(v1, 17) ^ v2; v2 = rotl(v2, 32)
    c = (c + b) | 0;
    C = (C + B + carry(c, b)) | 0;
    t = (b << 17) | (B >>> 15);
    B = ((B << 17) | (b >>> 15)) ^ C;
    b = t ^ c;
    t = c;
    c = C;
    C = t;
  }
  v[0] = a;
  v[1] = A;
  v[2] = b;
  v[3] = B;
  v[4] = c;
  v[5] = C;
  v[6] = d;
  v[7] = D;
}

/** What the sum of two low halves carries over: 1 where it came out below a summand. */
function carry(sum: number, summand: number): number {
  return sum >>> 0 < summand >>> 0 ? 1 : 0;
}
