const BASE64URL = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/** Other texts than a credential that a careless reader might take for it, by how each was made. */
export function variantsOf(text: string): ReadonlyMap<string, string> {
  const made: [string, string][] = [];
  const add = (how: string, variant: string) => made.push([how, variant]);

  for (let length = 0; length < text.length; length++) {
    add(`its first ${length} characters`, text.slice(0, length));
    if (length > 0) add(`its last ${length} characters`, text.slice(-length));
  }
  for (const more of ["A", "0", "=", "==", ".", "_", "-", "%00", text]) {
    add(`${more.length > 2 ? "more" : more} after it`, text + more);
    add(`${more.length > 2 ? "more" : more} before it`, more + text);
  }
  for (const [at, letter] of [...text].entries()) {
    const other = letter === letter.toLowerCase() ? letter.toUpperCase() : letter.toLowerCase();
    add(`another case of character ${at}`, text.slice(0, at) + other + text.slice(at + 1));
  }
  add("upper case", text.toUpperCase());
  add("lower case", text.toLowerCase());
  // The bits of the last character that no byte is made of.
  const last = BASE64URL.indexOf(text.at(-1)!);
  for (let bits = 1; bits < 16; bits++)
    add(`ending bits ${bits}`, text.slice(0, -1) + BASE64URL[last ^ bits]);
  add("base64", text.replaceAll("-", "+").replaceAll("_", "/"));
  add("padded base64", Buffer.from(text, "base64url").toString("base64"));
  add("hexadecimal", Buffer.from(text, "base64url").toString("hex"));
  add("encoded again", Buffer.from(text).toString("base64url"));
  const escaped = (letter: string) => `%${letter.charCodeAt(0).toString(16)}`;
  add("a character escaped", escaped(text[0]!) + text.slice(1));
  add("all escaped", [...text].map(escaped).join(""));
  add("quoted", `"${text}"`);
  return new Map(made.filter(([, variant]) => variant !== text));
}
