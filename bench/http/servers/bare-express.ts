import express from "express";
import { announce, readSettings } from "./settings.ts";

readSettings();
const app = express();
app.get("/protected", (_request, response) => {
  response.json({ message: "Hello, user-1000!" });
});
const server = app.listen(0, "127.0.0.1", () => announce(server.address()));
