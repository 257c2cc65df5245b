import { parseArgs } from "node:util";

/** What every contender is started with. */
export interface Settings {
  /** The secret that Kyros derives the key of its access tokens from. */
  readonly secret: string;
  /** That key, 64 bytes, for those who take the key itself. */
  readonly key: Buffer;
  readonly issuer: string;
  readonly audience: string;
  /** Path of the SQLite file with the peers' table `users`. */
  readonly peersDatabase: string;
  /** URL of the SQLite file with the same users in Kyros's own tables. */
  readonly kyrosDatabaseUrl: string;
}

/** Reads a contender's settings from its arguments, and ends the process when its parent is gone. */
export function readSettings(): Settings {
  process.stdin.on("end", () => process.exit()).resume();
  const text = { type: "string", default: "" } as const;
  const { values } = parseArgs({
    options: {
      secret: text,
      key: text,
      issuer: text,
      audience: text,
      "peers-database": text,
      "kyros-database-url": text,
    },
  });
  return {
    secret: values.secret,
    key: Buffer.from(values.key, "base64url"),
    issuer: values.issuer,
    audience: values.audience,
    peersDatabase: values["peers-database"],
    kyrosDatabaseUrl: values["kyros-database-url"],
  };
}

/** Says where the contender listens: the line its parent waits for. */
export function announce(address: string | { port: number } | null): void {
  if (address === null || typeof address === "string") throw new Error("not listening on TCP");
  console.log(`listening ${address.port}`);
}
