import { isIP } from "node:net";
import type { Limit } from "../guards/limit-policy.ts";
import { formatLimit, parseLimit } from "../guards/limit-policy.ts";
import { parseDuration } from "../kernel/duration.ts";
import type { Kind } from "./kind.ts";
import { invalid, valid } from "./kind.ts";

/** `on` or `off`, and no other spelling: a switch that is misread is a protection that is off. */
export const onOff: Kind<boolean> = {
  allowed: "`on` or `off`",
  read: (text) =>
    text === "on" || text === "off" ? valid(text === "on") : invalid("is neither `on` nor `off`"),
  show: (value) => (value ? "on" : "off"),
};

/** One of a few words, spelled exactly so. */
export function oneOf<const T extends string>(words: readonly T[]): Kind<T> {
  const allowed = words.map((word) => `\`${word}\``).join(", ");
  return {
    allowed,
    read(text) {
      const word = words.find((candidate) => candidate === text);
      return word === undefined ? invalid("is not a word that is known here") : valid(word);
    },
    show: (value) => value,
  };
}

/** A whole number in plain decimal digits. */
export function wholeNumber(least: number, greatest: number): Kind<number> {
  return {
    allowed: `a whole number from ${least} to ${greatest}`,
    read(text) {
      if (!/^(?:0|[1-9][0-9]*)$/.test(text)) return invalid("is not a whole number in plain digits");
      const value = Number(text);
      return value >= least && value <= greatest ? valid(value) : invalid("is out of range");
    },
    show: (value) => value,
  };
}

const PORT_NUMBER = wholeNumber(0, 65_535);

/** A TCP port; 0 takes a free one. */
export const port: Kind<number> = {
  ...PORT_NUMBER,
  allowed: `${PORT_NUMBER.allowed}, 0 taking a free one`,
  read: (text) =>
    text.startsWith("tcp://")
      ? invalid("is a link that Kubernetes made for a Service of this name: set `enableServiceLinks: false`")
      : PORT_NUMBER.read(text),
};

const DAY_MS = 86_400_000;
const DURATION_UNITS = [
  ["d", 86_400_000],
  ["h", 3_600_000],
  ["m", 60_000],
  ["s", 1000],
] as const;

function durationFrom(leastDays: number, mostDays: number, allowed: string): Kind<number> {
  return {
    allowed,
    read(text) {
      const valueMs = parseDuration(text);
      if (valueMs === undefined) return invalid("is not a duration: a number and one of s, m, h, d");
      if (valueMs < leastDays * DAY_MS) return invalid(`is shorter than ${leastDays} day`);
      return valueMs <= mostDays * DAY_MS ? valid(valueMs) : invalid(`is longer than ${mostDays} days`);
    },
    show(valueMs) {
      const [letter, unitMs] = DURATION_UNITS.find(([, unitMs]) => valueMs % unitMs === 0)!;
      return `${valueMs / unitMs}${letter}`;
    },
  };
}

/** A duration in milliseconds, written like `15m`. */
export const duration = durationFrom(0, 366, "a duration like `90s`, `15m`, `2h` or `7d`, up to `366d`");

/** How long records are kept, in milliseconds: laws ask for years. */
export const retention = durationFrom(1, 36_525, "a duration like `400d`, from `1d` to `36525d`");

const LONGEST_GRACE_MS = 600_000;

/** A while that somebody waits for, in milliseconds; `off` is 0. */
export const graceOrOff: Kind<number> = {
  allowed: "a duration like `5s` or `1m`, up to `10m`, or `off`",
  read(text) {
    if (text === "off") return valid(0);
    const valueMs = parseDuration(text);
    if (valueMs === undefined) return invalid("is neither a duration nor `off`");
    return valueMs <= LONGEST_GRACE_MS ? valid(valueMs) : invalid("is longer than 10 minutes");
  },
  show: (valueMs) => (valueMs === 0 ? "off" : duration.show(valueMs)),
};

/** A rate limit, or none. */
export const limitOrOff: Kind<Limit | "off"> = {
  allowed: "requests per duration, like `100/15m`, or `off`",
  read(text) {
    if (text === "off") return valid("off");
    const limit = parseLimit(text);
    return limit === undefined ? invalid("is neither a limit nor `off`") : valid(limit);
  },
  show: (value) => (value === "off" ? value : formatLimit(value)),
};

/** What an `iss` or `aud` claim says: a StringOrURI (RFC 7519 section 2) that is compared as text. */
export const claimText: Kind<string> = {
  allowed: "1 to 255 visible ASCII characters, without spaces",
  read: (text) =>
    /^[\x21-\x7e]{1,255}$/.test(text)
      ? valid(text)
      : invalid("has other than 1 to 255 visible ASCII characters"),
  show: (value) => value,
};

const HOST_NAME =
  /^(?=.{1,253}$)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/i;

/** An address or name to listen on. What looks like a number but is no address is refused, as resolvers disagree on it. */
export const host: Kind<string> = {
  allowed: "an IP address or a host name, without port or brackets",
  read: (text) =>
    isIP(text) !== 0 || (HOST_NAME.test(text) && !/(?:^|\.)(?:[0-9]+|0x[0-9a-f]*)$/i.test(text))
      ? valid(text)
      : invalid("is neither an IP address nor a host name"),
  show: (value) => value,
};

/** A directory that Kyros may call its own; the default database's name is made from it. */
export const directory: Kind<string> = {
  allowed: "the path of a directory for Kyros alone",
  read(text) {
    if (/^\/*$/.test(text)) return invalid("is the root directory");
    if (text.startsWith("~")) return invalid("begins with `~`, which only a shell expands");
    if (text.startsWith("//") || text.includes("?")) return invalid("begins with `//` or has a `?` in it");
    return valid(text);
  },
  show: (value) => value,
};
