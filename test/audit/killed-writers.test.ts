import { it } from "node:test";
import { createDatabase, temporaryDirectory } from "../stores/temporary-stores.ts";
import { killWriters } from "./killed-writers.ts";

it("two processes append, one is killed fifty times over: the chain is whole and nothing acknowledged is lost", async () => {
  const { directory, remove } = temporaryDirectory();
  try {
    await killWriters(`sqlite:${await createDatabase(directory)}`, 50);
  } finally {
    remove();
  }
});
