import { readFileSync } from "node:fs";
import type { ConnectionOptions } from "node:tls";
import { DatabaseFault } from "../database-fault.ts";

/** A server and how it is reached; the driver is given these alone, and no environment variable beside them. */
export interface PostgresTarget {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly database: string;
  /** `false` for a connection in the clear. */
  readonly tls: false | ConnectionOptions;
}

const DEFAULT_PORT = 5432;
const PARAMETERS = ["sslmode", "sslrootcert"];
const MODES = ["disable", "require", "verify-ca", "verify-full"];

/**
 * Reads `postgres://user:password@host:port/database?sslmode=…&sslrootcert=…`. Throws `DatabaseFault` that repeats no
 * part of the URL: any of them may be a piece of a password that was not percent-encoded.
 */
export function readPostgresUrl(text: string): PostgresTarget {
  if (!URL.canParse(text)) throw fault("is not a URL: percent-encode what is special in its password");
  const url = new URL(text);
  const user = decoded(url.username);
  if (user === "") throw fault("names no user: use postgres://user:password@host/database");
  if (url.hostname === "") throw fault("names no host: use postgres://user:password@host/database");
  const database = decoded(url.pathname.slice(1));
  if (database === "" || database.includes("/") || url.hash !== "") {
    throw fault("names no database: use postgres://user:password@host/database");
  }
  return {
    host: decoded(url.hostname).replace(/^\[(.*)\]$/, "$1"),
    port: url.port === "" ? DEFAULT_PORT : Number(url.port),
    user,
    password: decoded(url.password),
    database,
    tls: readTls(parametersOf(url)),
  };
}

function parametersOf(url: URL): ReadonlyMap<string, string> {
  const parameters = new Map(url.searchParams);
  if ([...parameters.keys()].some((name) => !PARAMETERS.includes(name))) {
    throw fault(`has a parameter other than ${PARAMETERS.join(" and ")}`);
  }
  if (parameters.size !== url.searchParams.size) throw fault("has a parameter twice");
  return parameters;
}

/**
 * The modes as libpq defines them (https://www.postgresql.org/docs/current/libpq-ssl.html#LIBPQ-SSL-PROTECTION), read
 * here and not by the driver: pg 8 takes `require` and `verify-ca` for `verify-full` and says that pg 9 will not.
 * `allow` and `prefer`, which fall back to plain text, protect from nobody and are refused.
 */
function readTls(parameters: ReadonlyMap<string, string>): false | ConnectionOptions {
  const mode = parameters.get("sslmode") ?? "disable";
  const rootFile = parameters.get("sslrootcert");
  if (!MODES.includes(mode)) throw fault(`has an sslmode other than ${MODES.join(", ")}`);
  if (mode === "disable") {
    if (rootFile !== undefined) throw fault("has an sslrootcert, which sslmode=disable would ignore");
    return false;
  }
  const roots = rootFile === undefined ? {} : { ca: readRoots(rootFile) };
  if (mode === "verify-full") return { ...roots, rejectUnauthorized: true };
  if (rootFile !== undefined) {
    return { ...roots, rejectUnauthorized: true, checkServerIdentity: () => undefined };
  }
  // Whoever holds a certificate of any public authority would pass: the mode means a private one.
  if (mode === "verify-ca") throw fault("has sslmode=verify-ca without sslrootcert: use verify-full");
  return { rejectUnauthorized: false };
}

function readRoots(path: string): string {
  try {
    const roots = readFileSync(path, "utf8");
    if (roots.includes("-----BEGIN CERTIFICATE-----")) return roots;
  } catch (cause) {
    throw fault(`has an sslrootcert that cannot be read (${(cause as NodeJS.ErrnoException).code})`);
  }
  throw fault("has an sslrootcert that is no file of certificates in PEM");
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    throw fault("has a broken percent-encoding");
  }
}

function fault(what: string): DatabaseFault {
  return new DatabaseFault(`the database URL ${what}`);
}
