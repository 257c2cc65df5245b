import express from "express";
import { guarded, kyrosExpress } from "../../../src/adapters/express.ts";
import { openKyros } from "./kyros.ts";
import { announce, readSettings } from "./settings.ts";

const kyros = await openKyros(readSettings());
const app = express();
kyrosExpress(app, { kyros });
app.get(
  "/protected",
  guarded(kyros.requireUser(), (request, response) => {
    response.json({ message: `Hello, ${request.currentUser.username}!` });
  }),
);
const server = app.listen(0, "127.0.0.1", () => announce(server.address()));
