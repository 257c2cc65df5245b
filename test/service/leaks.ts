/** A secret that a test has planted, by a name that can be shown. */
export interface Canary {
  readonly name: string;
  readonly value: string;
}

/** Which canaries a text holds, and in which form: as they are, or as programs commonly write them. */
export function leaksOf(text: string, canaries: readonly Canary[]): readonly string[] {
  return canaries.flatMap(({ name, value }) =>
    Object.entries(formsOf(value))
      .filter(([, written]) => written.some((form) => text.includes(form)))
      .map(([form]) => `${name}, ${form}`),
  );
}

export function formsOf(value: string): Readonly<Record<string, readonly string[]>> {
  const bytes = Buffer.from(value);
  const hex = bytes.toString("hex");
  return {
    plain: [value],
    "in JSON": [JSON.stringify(value).slice(1, -1)],
    base64: inBase64(bytes),
    base64url: inBase64(bytes).map((form) => form.replaceAll("+", "-").replaceAll("/", "_")),
    hexadecimal: [hex, hex.toUpperCase()],
    "percent-encoded": [encodeURIComponent(value), new URLSearchParams({ x: value }).toString().slice(2)],
    "bytes in JSON": [JSON.stringify([...bytes]).slice(1, -1)],
  };
}

/** What is in the base64 of any text that holds the bytes, wherever they begin: the middle that no neighbour touches. */
function inBase64(bytes: Buffer): readonly string[] {
  return [0, 1, 2].map((before) => {
    const text = Buffer.concat([Buffer.alloc(before), bytes])
      .toString("base64")
      .replace(/=+$/, "");
    const firstWhole = Math.ceil((before * 4) / 3);
    const wholeGroups = Math.floor(((before + bytes.length) * 8) / 6);
    return text.slice(firstWhole, wholeGroups);
  });
}
