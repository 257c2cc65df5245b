import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { readPassword } from "../../src/cli/standard-input.ts";
import { UsageFault } from "../../src/cli/usage-fault.ts";

async function* pieces(...texts: readonly (string | Uint8Array)[]): AsyncGenerator<Uint8Array> {
  for (const text of texts) yield Buffer.from(text);
}

describe("a password on standard input", () => {
  it("is one line, however it arrives", async () => {
    assert.equal(await readPassword(pieces("grün ", "bleibt\r\n")), "grün bleibt");
    const bytes = Buffer.from("grün bleibt");
    assert.equal(await readPassword(pieces(bytes.subarray(0, 3), bytes.subarray(3))), "grün bleibt");
  });

  const refused: [what: string, input: string | Uint8Array, says: RegExp][] = [
    ["nothing", "\n", /is empty/],
    ["two lines", "one password\nanother\n", /more than one line/],
    ["text in Latin-1", Buffer.from("grün bleibt", "latin1"), /is not UTF-8/],
    ["half a character", Buffer.from("grün").subarray(0, 3), /is not UTF-8/],
    ["an endless pipe", "x".repeat(5000), /longer than any password/],
  ];
  for (const [what, input, says] of refused) {
    it(`is not ${what}`, () =>
      assert.rejects(
        readPassword(pieces(input)),
        (error) => error instanceof UsageFault && says.test(error.message),
      ));
  }
});
