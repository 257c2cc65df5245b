import assert from "node:assert/strict";
import { createPublicKey } from "node:crypto";
import { test } from "node:test";
import { createJws } from "../../src/crypto/jws.ts";
import type { JwsKey } from "../../src/crypto/jws-key.ts";
import { deriveJwsKeys } from "../../src/crypto/jws-key.ts";
import { openKeyring } from "../../src/crypto/keyring.ts";
import { forge } from "./forge.ts";
import { secretFor } from "./secrets.ts";

const keyring = openKeyring({ current: secretFor("one") });

/** Everything that somebody could take a public key's bytes to be (RFC 8725 section 2.1). */
function publicForms(key: JwsKey): readonly (Uint8Array | string)[] {
  const jwk = key.publicJwk!;
  const publicKey = createPublicKey({ key: { ...jwk }, format: "jwk" });
  const pem = publicKey.export({ format: "pem", type: "spki" }) as string;
  const der = publicKey.export({ format: "der", type: "spki" });
  const point = Buffer.from(jwk.x + (jwk.y ?? ""), "base64url");
  const named = jwk.crv === "Ed25519" ? ["ssh-ed25519"] : ["ecdsa-sha2-nistp256", "nistp256"];
  const raw = jwk.crv === "Ed25519" ? point : Buffer.concat([Buffer.from([4]), point]);
  const blob = Buffer.concat(
    [...named.map((name) => Buffer.from(name)), raw].flatMap((part) => {
      const length = Buffer.alloc(4);
      length.writeUInt32BE(part.length);
      return [length, part];
    }),
  );
  const openSsh = `${named[0]} ${blob.toString("base64")}`;
  const bare = { kty: jwk.kty, crv: jwk.crv, x: jwk.x, ...(jwk.y && { y: jwk.y }) };
  return [
    pem,
    pem.trimEnd(),
    pem.replaceAll("\n", "\r\n"),
    pem.replace(/-----[^-]+-----|\n/g, ""),
    der,
    der.toString("base64url"),
    JSON.stringify(jwk),
    JSON.stringify(bare),
    JSON.stringify({ keys: [jwk] }),
    openSsh,
    `${openSsh}\n`,
    blob,
    raw,
    point,
    jwk.x,
    jwk.kid,
    "",
  ];
}

for (const algorithm of ["EdDSA", "ES256"] as const) {
  const keys = deriveJwsKeys(keyring, "kyros/access-token", algorithm);
  const jws = createJws(keys, "at+jwt");

  test(`R2, R3, R4: refuses HMACs under every form of the public ${algorithm} key`, () => {
    const own = keyring.derive(`kyros/access-token/HS512`, 64);
    for (const secret of [...publicForms(keys[0]), own]) {
      for (const [alg, hash] of [
        ["HS256", "sha256"],
        ["HS384", "sha384"],
        ["HS512", "sha512"],
        [algorithm, "sha512"],
        [algorithm, "sha256"],
      ] as const) {
        for (const kid of [{ kid: keys[0].kid }, {}]) {
          const token = forge(secret, { alg, typ: "at+jwt", ...kid }, '{"sub":"someone"}', hash);
          assert.equal(jws.verify(token).kind, "refused");
        }
      }
    }
  });

  test(`refuses degenerate ${algorithm} signatures`, () => {
    const token = jws.sign('{"sub":"someone"}');
    const input = token.slice(0, token.lastIndexOf("."));
    const real = Buffer.from(token.slice(input.length + 1), "base64url");
    const order = Buffer.from("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551", "hex");
    const degenerate = [
      Buffer.alloc(0),
      Buffer.alloc(64),
      Buffer.alloc(64, 0xff),
      Buffer.concat([order, order]),
      Buffer.concat([Buffer.alloc(31), Buffer.of(1), Buffer.alloc(32)]),
      Buffer.concat([Buffer.of(1), Buffer.alloc(63)]),
      Buffer.from("3006020100020100", "hex"),
      Buffer.concat([real, Buffer.alloc(1)]),
      Buffer.concat([Buffer.alloc(1), real]),
      real.subarray(0, 63),
      Buffer.concat([real.subarray(32), real.subarray(0, 32)]),
    ];
    for (const signature of degenerate) {
      assert.equal(jws.verify(`${input}.${signature.toString("base64url")}`).kind, "refused");
    }
  });
}
