import { isIP } from "node:net";
import { OriginFault, parseOrigins } from "../net/origin.ts";
import type { Kind, Reading } from "./kind.ts";
import { invalid, listOf, valid } from "./kind.ts";

/**
 * A URL of a server, as it was written. What follows an unescaped `#`, `/` or `?` of a password would be read as a part
 * of the URL that is shown, so such a URL is refused.
 */
function readServerUrl(text: string, protocols: readonly string[]): Reading<string> {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined) return invalid("is not a URL; a password in it must be percent-encoded");
  if (!protocols.includes(url.protocol) || !text.startsWith(`${url.protocol}//`)) {
    return invalid("has another scheme");
  }
  if (url.hostname === "") return invalid("names no host");
  if (url.hash !== "" || text.includes("#") || `${url.pathname}${url.search}`.includes("@")) {
    return invalid("has a `#` or a second `@`; a password in it must be percent-encoded");
  }
  return valid(text);
}

/**
 * A server's URL for people: without its password, without a name that stands alone, as that may be a token, and
 * without parameters, as drivers take passwords there too.
 */
function showServerUrl(text: string): string {
  const { protocol, username, password, host, pathname } = new URL(text);
  const credentials = username === "" && password === "" ? "" : `${password === "" ? "" : username}:***@`;
  return `${protocol}//${credentials}${host}${pathname}`;
}

/** Where the database is. */
export const databaseUrl: Kind<string> = {
  allowed: "`sqlite:` and the path of a file, `sqlite::memory:`, or `postgres://user:password@host/database`",
  read(text) {
    if (!text.startsWith("sqlite:")) return readServerUrl(text, ["postgres:", "postgresql:"]);
    const path = text.slice("sqlite:".length);
    if (path.trim() !== path || path === "") return invalid("names no file after `sqlite:`");
    if (path.startsWith("//")) return invalid("has `//` after `sqlite:`, where the path belongs as it is");
    if (path.startsWith("~")) return invalid("begins with `~`, which only a shell expands");
    return path.includes("?") ? invalid("has parameters, which SQLite paths do not take") : valid(text);
  },
  show: (value) => (value.startsWith("sqlite:") ? value : showServerUrl(value)),
};

const redisUrl: Kind<string> = {
  allowed: "`redis://user:password@host:port` or `rediss://…`",
  read(text) {
    const reading = readServerUrl(text, ["redis:", "rediss:"]);
    if ("faults" in reading) return reading;
    const { username, password, pathname, search } = new URL(text);
    if (username !== "" && password === "") return invalid("has a user name without a password");
    if (!isDecodable(username) || !isDecodable(password)) {
      return invalid("has a `%` that stands for nothing; a password must be percent-encoded");
    }
    if (search !== "") return invalid("has parameters, which are not taken here");
    if (!/^(?:\/(?:0|[1-9][0-9]{0,4})?)?$/.test(pathname))
      return invalid("has a path that is no database's number");
    return reading;
  },
  show: showServerUrl,
};

const redisNodes: Kind<readonly string[]> = listOf(redisUrl, (value) => [value]);

/** One Redis server, or the nodes of a cluster: those are of one kind, as each may lead to any other. */
export const redisUrls: Kind<readonly string[]> = {
  ...redisNodes,
  read(text) {
    const reading = redisNodes.read(text);
    if ("faults" in reading || reading.value.length === 1) return reading;
    const nodes = reading.value.map((url) => new URL(url));
    const first = nodes[0]!;
    if (nodes.some((node) => !/^\/?0?$/.test(node.pathname))) {
      return invalid("names a database by its number, and a cluster has only one");
    }
    const isAlike = nodes.every(
      ({ protocol, username, password }) =>
        protocol === first.protocol && username === first.username && password === first.password,
    );
    return isAlike ? reading : invalid("has nodes with different schemes or credentials");
  },
};

function isDecodable(text: string): boolean {
  try {
    decodeURIComponent(text);
    return true;
  } catch {
    return false;
  }
}

const origin: Kind<string> = {
  allowed: "origins as a browser sends them, like `https://app.example.com`",
  read(text) {
    if (text === "*") return invalid("is `*`, which cannot go together with credentials");
    try {
      parseOrigins([text]);
      return valid(text);
    } catch (error) {
      if (!(error instanceof OriginFault)) throw error;
      return invalid(
        "is not an exact origin: scheme and host in lower case, no path, pattern or default port",
      );
    }
  },
  show: (value) => value,
};

/** Origins that may call with credentials (ASVS V3.4.2). */
export const origins: Kind<readonly string[]> = listOf(origin, (value) => [value]);

/** Pages that may use passkeys: on one domain, as passkeys belong to one (WebAuthn section 5.1.4.1, RP ID). */
export const passkeyOrigins: Kind<readonly string[]> = {
  allowed: `${origins.allowed}, all on the first one's host or below it, or \`off\``,
  read(text) {
    if (text === "off") return valid([]);
    const reading = origins.read(text);
    if ("faults" in reading) return reading;
    const urls = reading.value.map((value) => new URL(value));
    const home = urls[0]!.hostname;
    if (isIP(home.replace(/^\[|\]$/g, "")) !== 0)
      return invalid("begins with an address, and passkeys need a name");
    if (urls.some(({ protocol, hostname }) => protocol !== "https:" && !isLocal(hostname))) {
      return invalid("has an origin without TLS, where browsers offer passkeys on `localhost` alone");
    }
    return urls.every(({ hostname }) => hostname === home || hostname.endsWith(`.${home}`))
      ? reading
      : invalid("has an origin whose host is neither the first one's nor below it");
  },
  show: (values) => (values.length === 0 ? "off" : [...values]),
};

function isLocal(hostname: string): boolean {
  return hostname === "localhost" || hostname.endsWith(".localhost");
}
