import { it } from "node:test";
import { rounds } from "../rounds.ts";
import { createDatabase, temporaryDirectory } from "../stores/temporary-stores.ts";
import { killWriters } from "./killed-writers.ts";

const ROUNDS = rounds(50);

it(`two processes append, one is killed ${ROUNDS} times over: the chain is whole and nothing acknowledged is lost`, async () => {
  const { directory, remove } = temporaryDirectory();
  try {
    await killWriters(`sqlite:${await createDatabase(directory)}`, ROUNDS);
  } finally {
    remove();
  }
});
