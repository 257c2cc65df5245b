import { Outage } from "../../kernel/failure.ts";
import { DatabaseFault } from "../database-fault.ts";

/** Conditions of PostgreSQL (https://www.postgresql.org/docs/current/errcodes-appendix.html). */
const SERIALIZATION_FAILURE = "40001";
const DEADLOCK_DETECTED = "40P01";
const UNKNOWN_DATABASE = "3D000";
/** Classes that are a fault of what was asked, not of the database: a value it cannot store, a constraint. */
const REFUSED = /^(22|23)/;
/** Classes and conditions of a refused login: no such role, a wrong password, no permission to connect. */
const LOGIN_REFUSED = /^(28|42501)/;
/** What Node and OpenSSL call a certificate that does not prove the server. */
const CERTIFICATE_REFUSED = /CERT|SELF_SIGNED|UNABLE_TO|ERR_TLS|ERR_SSL/;

/** The SQLSTATE, or the system's code, of an error of the driver. */
function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : "";
}

/**
 * What a port throws for an error of the driver: a plain error where the database refused the value, an `Outage` for
 * all else. Of the driver's error only message and code go on: its details repeat the values of rows.
 */
export function toPortError(error: unknown): Error {
  if (error instanceof Outage || error instanceof DatabaseFault) return error;
  const summary = summaryOf(error);
  return REFUSED.test(codeOf(error)) ? summary : new Outage("database", { cause: summary });
}

function summaryOf(error: unknown): Error {
  const code = codeOf(error);
  // Several addresses of one host, all of which failed: each has its own error and they have no message together.
  const message =
    error instanceof AggregateError ? String(error.errors[0]) : String((error as Error).message);
  return Object.assign(new Error(message || code), code !== "" && { code });
}

/** Whether a transaction met another one and would go through if it ran again. */
export function isConflict(error: unknown): boolean {
  const code = codeOf(error instanceof Outage ? error.cause : error);
  return code === SERIALIZATION_FAILURE || code === DEADLOCK_DETECTED;
}

/** What opening a database throws: a `DatabaseFault` where the operator has to change something, else an `Outage`. */
export function toOpenError(error: unknown): Error {
  const cause = error instanceof Outage ? error.cause : error;
  const code = codeOf(cause);
  const message = cause instanceof Error ? cause.message : "";
  if (LOGIN_REFUSED.test(code) || /SASL|SCRAM/.test(message)) {
    return new DatabaseFault("the database refuses this user or password", { cause });
  }
  if (code === UNKNOWN_DATABASE) {
    return new DatabaseFault("the server has no database of this name: create it first");
  }
  if (CERTIFICATE_REFUSED.test(code)) {
    return new DatabaseFault(
      `the database's certificate is not accepted (${code}): see sslmode, sslrootcert`,
    );
  }
  if (/does not support SSL/.test(message)) {
    return new DatabaseFault("the database offers no TLS, which sslmode asks for");
  }
  return toPortError(error);
}
