import { serve } from "@hono/node-server";
import { Hono } from "hono";
import { announce, readSettings } from "./settings.ts";

readSettings();
const app = new Hono();
app.get("/protected", (c) => c.json({ message: "Hello, user-1000!" }));
serve({ fetch: app.fetch, port: 0, hostname: "127.0.0.1" }, announce);
