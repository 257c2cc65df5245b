import { serve } from "@hono/node-server";
import { getConnInfo } from "@hono/node-server/conninfo";
import { Hono } from "hono";
import { guard, kyrosHono } from "../../../src/adapters/hono.ts";
import { openKyros } from "./kyros.ts";
import { announce, readSettings } from "./settings.ts";

const kyros = await openKyros(readSettings());
const app = new Hono();
kyrosHono(app, { kyros, connInfo: getConnInfo });
app.get("/protected", guard(kyros.requireUser()), (c) =>
  c.json({ message: `Hello, ${c.var.currentUser.username}!` }),
);
serve({ fetch: app.fetch, port: 0, hostname: "127.0.0.1" }, announce);
