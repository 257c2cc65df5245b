/** One wrong setting. None of the three texts ever repeats a value. */
export interface SettingFault {
  /** The variable to change. */
  readonly variable: string;
  /** What is wrong with it, as the rest of a sentence that begins with the variable. */
  readonly fault: string;
  readonly allowed: string;
}

/**
 * Everything that is wrong with the settings, at once; its message is one line a fault. It repeats no value, whichever
 * setting that was given to, so that a secret in the wrong variable stays as secret as one in the right one
 * (ASVS V16.2.5).
 */
export class SettingsFault extends Error {
  override readonly name = "SettingsFault";
  readonly faults: readonly SettingFault[];

  constructor(faults: readonly SettingFault[]) {
    const count = faults.length === 1 ? "1 fault" : `${faults.length} faults`;
    const lines = faults.map(({ variable, fault, allowed }) => `  ${variable} ${fault}; allowed: ${allowed}`);
    super(`Kyros cannot start with these settings (${count}):\n${lines.join("\n")}`);
    this.faults = faults;
  }
}
