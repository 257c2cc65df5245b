import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";
import type { SettingFault } from "./settings-fault.ts";

export type Variables = Readonly<Record<string, string | undefined>>;

/** A setting's text and where it stood; `absent` where neither variable is set. */
export type SettingText =
  | { readonly kind: "absent" }
  | { readonly kind: "text"; readonly text: string; readonly fromFile: boolean }
  | { readonly kind: "faulty"; readonly fault: SettingFault };

const LARGEST_FILE_BYTES = 65_536;

/** What no setting may be or hold; control characters would let a value write lines of its own into a log. */
export function textFault(text: string): string | undefined {
  if (text === "") return "is empty: leave it unset to have the default";
  if (text.trim() !== text) return "has white space or a line break around it";
  if (/\p{Cc}/u.test(text) || !text.isWellFormed()) return "has control characters or is ill-formed";
  return undefined;
}

/**
 * The text of setting `variable`: from the variable itself, or from the file that `<variable>_FILE` names, less one
 * trailing line break. Never one in place of the other: whatever is wrong with either is a fault (ASVS V16.5.3).
 */
export function settingText(variable: string, variables: Variables): SettingText {
  const text = variables[variable];
  const path = variables[`${variable}_FILE`];
  if (path === undefined)
    return text === undefined ? { kind: "absent" } : { kind: "text", text, fromFile: false };
  const faulty = (fault: string, allowed: string): SettingText => ({
    kind: "faulty",
    fault: { variable: `${variable}_FILE`, fault, allowed },
  });
  if (text !== undefined) return faulty(`is set together with ${variable}`, "one of the two");
  if (path === "") return faulty("is empty", "the path of a file with the value");
  const content = fileText(path);
  return "fault" in content
    ? faulty(`${content.fault}: ${printablePath(path)}`, "the path of a readable file with the value")
    : { kind: "text", text: content.text, fromFile: true };
}

function fileText(path: string): { readonly text: string } | { readonly fault: string } {
  let descriptor: number | undefined;
  try {
    // Non-blocking, as opening a pipe that nobody writes to would wait for ever.
    descriptor = openSync(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
    if (!fstatSync(descriptor).isFile()) return { fault: "names something that is not a file" };
    const buffer = Buffer.alloc(LARGEST_FILE_BYTES + 1);
    let length = 0;
    for (let read = -1; read !== 0 && length < buffer.length; length += read) {
      read = readSync(descriptor, buffer, length, buffer.length - length, null);
    }
    if (length > LARGEST_FILE_BYTES) return { fault: "names a file larger than 64 KiB" };
    const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
    const text = decoder.decode(buffer.subarray(0, length)).replace(/\r?\n$/, "");
    return text === "" ? { fault: "names an empty file" } : { text };
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "";
    if (code === "ERR_ENCODING_INVALID_ENCODED_DATA") return { fault: "names a file that is not UTF-8 text" };
    return { fault: `names a file that cannot be read${/^E[A-Z]+$/.test(code) ? ` (${code})` : ""}` };
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}

/**
 * A path for a message, unless it may be the secret itself, given to the wrong variable: then it has no directory
 * before it, a `:` of a URL or a `name:key`, or a run of characters as long as a key.
 */
function printablePath(path: string): string {
  const isPath = /^(?:\.{0,2}\/|[A-Za-z]:[\\/])[^:]*$/.test(path) && !/[A-Za-z0-9+=_-]{32}/.test(path);
  return isPath ? printable(path) : "(not shown, as it looks more like a value than like a path)";
}

/** A name or path on one line of visible ASCII. */
export function printable(text: string): string {
  const escaped = text.replace(
    /[^\x20-\x7e]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
  return escaped.length > 200 ? `${escaped.slice(0, 200)}…` : escaped;
}
