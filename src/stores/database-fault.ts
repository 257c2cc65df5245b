/**
 * The database cannot be used as it is set up: a wrong URL, a path without permission, a file of another program.
 * Its message is one line for the operator, names no secret, and waiting does not cure it (an `Outage` may pass).
 */
export class DatabaseFault extends Error {
  override readonly name = "DatabaseFault";
}
