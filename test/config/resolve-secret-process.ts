import { resolveSecret } from "../../src/config/development-secret.ts";
import { loadSettings } from "../../src/config/load.ts";
import { freshSecret } from "./environments.ts";

/** One start among several: says that it is there, waits for the sign, and prints the secret it would use. */
console.log("ready");
process.stdin.resume().on("end", () => {
  console.log(resolveSecret(loadSettings({ KYROS_DATA_DIR: process.argv[2] }), freshSecret));
});
