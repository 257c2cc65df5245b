import { once } from "node:events";
import { createInterface } from "node:readline";
import { compare, hash } from "bcrypt";

/**
 * A process that does nothing but what a login cannot do without: for each line of its standard input, a number, it
 * checks one password so many times, one after the other, and prints `done`. It ends with its standard input.
 */
const COST = 12;
const PASSWORD = "correct-horse-battery-staple-9";

const stored = await hash(PASSWORD, COST);
const orders = createInterface({ input: process.stdin });
orders.on("line", async (line) => {
  for (let i = 0; i < Number(line); i++) await compare(PASSWORD, stored);
  console.log("done");
});
console.log("ready");
await once(orders, "close");
process.exit();
