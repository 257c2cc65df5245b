import { DatabaseSync } from "node:sqlite";

export interface PeerUser {
  readonly id: string;
  readonly username: string;
  readonly email: string;
  readonly role: string;
}

/** Finds a user who may sign in by id, with a statement prepared once. */
export function openPeerUsers(file: string): (id: string) => PeerUser | undefined {
  const statement = new DatabaseSync(file).prepare(
    "SELECT id, username, email, role FROM users WHERE id = ? AND disabled = 0",
  );
  return (id) => statement.get(id) as PeerUser | undefined;
}
