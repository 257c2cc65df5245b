/** Why a text was refused: a public one-line message, and the dotted path of the member at fault where there is one. */
export class JsonFault extends Error {
  override readonly name = "JsonFault";
  readonly field: string | undefined;

  constructor(message: string, field?: string) {
    super(message);
    this.field = field;
  }
}

export interface JsonLimits {
  /** How many objects and arrays may stand inside each other; 32 unless told. */
  readonly maxDepth?: number;
}

/** An object or array that the scan is inside of. */
interface Frame {
  readonly isObject: boolean;
  /** Names seen so far in an object: few in an array, many in `nameSet`. */
  readonly names: string[];
  nameSet: Set<string> | undefined;
  /** The next string of an object is a name, not a value. */
  expectsName: boolean;
  index: number;
}

const DEFAULT_MAX_DEPTH = 32;
const FEW_NAMES = 12;
const MAX_FIELD_LENGTH = 128;

const QUOTE = 0x22;
const COMMA = 0x2c;
const OPEN_BRACKET = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_BRACKET = 0x5d;
const SMALL_U = 0x75;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;

/**
 * Parses JSON (RFC 8259) that has one meaning for every reader: no member twice (names compared after decoding), no
 * name that reaches a prototype, no lone surrogate, nothing nested deeper than the limit (RFC 7493, ASVS V1.5.3,
 * V15.3.6). One linear scan, whatever the input, then the native parser. Throws `JsonFault`.
 */
export function parseStrictJson(text: string, limits: JsonLimits = {}): unknown {
  if (!text.isWellFormed()) throw new JsonFault("lone surrogate");
  scan(text, limits.maxDepth ?? DEFAULT_MAX_DEPTH);
  return parse(text);
}

/** Judges what the native parser lets pass. Exact for valid JSON; of other texts the parser has the last word. */
function scan(text: string, maxDepth: number): void {
  const frames: Frame[] = [];
  let frame: Frame | undefined;
  for (let i = 0; i < text.length; i++) {
    switch (text.charCodeAt(i)) {
      case QUOTE: {
        const start = i;
        let escaped = false;
        let coded = false;
        for (i++; i < text.length; i++) {
          const code = text.charCodeAt(i);
          if (code === QUOTE) break;
          if (code === BACKSLASH) {
            escaped = true;
            coded ||= text.charCodeAt(++i) === SMALL_U;
          }
        }
        if (frame?.expectsName) {
          frame.expectsName = false;
          addName(frames, frame, escaped ? decode(text.slice(start, i + 1)) : text.slice(start + 1, i));
        } else if (coded) {
          requireWellFormed(decode(text.slice(start, i + 1)), frames);
        }
        break;
      }
      case OPEN_BRACE:
      case OPEN_BRACKET: {
        if (frames.length >= maxDepth) throw new JsonFault(`nested deeper than ${maxDepth} levels`);
        const isObject = text.charCodeAt(i) === OPEN_BRACE;
        frame = { isObject, names: [], nameSet: undefined, expectsName: isObject, index: 0 };
        frames.push(frame);
        break;
      }
      case CLOSE_BRACE:
      case CLOSE_BRACKET:
        frames.pop();
        frame = frames.at(-1);
        break;
      case COMMA:
        if (frame?.isObject) frame.expectsName = true;
        else if (frame) frame.index++;
        break;
    }
  }
}

function addName(frames: readonly Frame[], frame: Frame, name: string): void {
  const { names, nameSet } = frame;
  const isKnown = nameSet === undefined ? names.includes(name) : nameSet.has(name);
  names.push(name);
  if (isKnown) throw new JsonFault("member given twice", fieldOf(frames));
  if (name === "__proto__" || name === "constructor" || name === "prototype") {
    throw new JsonFault("member name not allowed", fieldOf(frames));
  }
  requireWellFormed(name, frames);
  if (nameSet !== undefined) nameSet.add(name);
  else if (names.length > FEW_NAMES) frame.nameSet = new Set(names);
}

function requireWellFormed(value: string, frames: readonly Frame[]): void {
  if (!value.isWellFormed()) {
    throw new JsonFault("lone surrogate", fieldOf(frames));
  }
}

/** The dotted path of what is being scanned; `undefined` at the top. */
function fieldOf(frames: readonly Frame[]): string | undefined {
  if (frames.length === 0) return undefined;
  const path = frames.map((frame) => (frame.isObject ? frame.names.at(-1) : String(frame.index)));
  return path.join(".").slice(0, MAX_FIELD_LENGTH).toWellFormed();
}

function decode(quoted: string): string {
  return parse(quoted) as string;
}

/** The native parser, whose own messages quote the input. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw notJson();
  }
}

function notJson(): JsonFault {
  return new JsonFault("syntax error");
}
