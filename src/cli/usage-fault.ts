/** A command was called in a way that cannot be meant: one line, exit code 2. */
export class UsageFault extends Error {
  override readonly name = "UsageFault";
}
