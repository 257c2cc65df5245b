import fc from "fast-check";

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
/** What some decoder somewhere passes over or takes for something else; none of it is trimmed from a header. */
const ODD = `${ALPHABET}+/=.~!*'()"%,:;<>[]{}|^\`@#$&?\\`;

function swapCase(letter: string): string {
  return letter === letter.toLowerCase() ? letter.toUpperCase() : letter.toLowerCase();
}

function replacedAt(text: string, at: number, by: string): string {
  return text.slice(0, at) + by + text.slice(at + 1);
}

/** Every truncation and every single change of case, and each way of writing the same bytes that decoders know. */
export function everyVariant(text: string): readonly string[] {
  const characters = [...text];
  const last = text.at(-1)!;
  const cut = characters.flatMap((_, at) => [text.slice(0, at), text.slice(at + 1)]);
  const cased = characters.map((character, at) => replacedAt(text, at, swapCase(character)));
  // A decoder drops the bits that no byte needs: up to sixteen last characters can mean the same.
  const endings = [...ALPHABET].map((character) => replacedAt(text, text.length - 1, character));
  const bytes = Buffer.from(text, "base64url");
  const reencoded = [
    `${text}=`,
    `${text}==`,
    `${text}%3D`,
    `${text}A`,
    `${text}AA`,
    text + text,
    `${text},${text}`,
    text.toUpperCase(),
    text.toLowerCase(),
    text.replaceAll("-", "+").replaceAll("_", "/"),
    bytes.toString("base64"),
    bytes.toString("hex"),
    Buffer.from(text).toString("base64"),
    Buffer.from(text).toString("base64url"),
    text.replace(/./g, (character) => `%${character.charCodeAt(0).toString(16)}`),
    replacedAt(text, text.length - 1, `%${last.charCodeAt(0).toString(16)}`),
    `"${text}"`,
    [...text].reverse().join(""),
    text.split("_").reverse().join("_"),
    text.split(".").reverse().join("."),
    text.replaceAll("_", "__"),
  ];
  return [...new Set([...cut, ...cased, ...endings, ...reencoded])].filter((variant) => variant !== text);
}

/** Any small damage: characters taken out, put in or exchanged, anywhere. */
export function damaged(text: string): fc.Arbitrary<string> {
  const odd = fc.array(fc.constantFrom(...ODD), { maxLength: 3 }).map((characters) => characters.join(""));
  const place = fc.integer({ min: 0, max: text.length });
  return fc
    .tuple(place, fc.integer({ min: 0, max: 4 }), odd)
    .map(([at, taken, put]) => text.slice(0, at) + put + text.slice(at + taken))
    .filter((variant) => variant !== text);
}

/** The same to a reader of Unicode, or to one that trims: for bodies, as no header can carry them. */
export function lookalikes(text: string): readonly string[] {
  const wide = (character: string) => String.fromCharCode(character.charCodeAt(0) + 0xfee0);
  return [
    [...text].map(wide).join(""),
    replacedAt(text, 0, wide(text[0]!)),
    ...[" ", "\t", "\n", "\r\n", "\0", "\u00a0", "\u200b", "\ufeff", "\u0301"].flatMap((extra) => [
      extra + text,
      text + extra,
      text.slice(0, 5) + extra + text.slice(5),
    ]),
  ];
}
