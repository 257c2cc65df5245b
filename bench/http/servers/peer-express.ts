import cors from "cors";
import express from "express";
import { rateLimit } from "express-rate-limit";
import helmet from "helmet";
import jwt from "jsonwebtoken";
import { openPeerUsers } from "./peer-users.ts";
import { announce, readSettings } from "./settings.ts";

const { key, issuer, audience, peersDatabase } = readSettings();
const findUser = openPeerUsers(peersDatabase);

const app = express();
app.use(helmet());
app.use(cors({ origin: ["https://console.example"], credentials: true }));
// So high that nobody is refused: what is measured is the counting.
app.use(
  rateLimit({ windowMs: 900_000, limit: 1_000_000_000, standardHeaders: "draft-8", legacyHeaders: false }),
);
app.get("/protected", (request, response) => {
  const [scheme, token] = request.headers.authorization?.split(" ") ?? [];
  let id: unknown;
  try {
    if (scheme !== "Bearer" || !token) throw new Error("no bearer token");
    id = jwt.verify(token, key, { algorithms: ["HS512"], issuer, audience }).sub;
  } catch {
    response.status(401).json({ message: "Unauthorized" });
    return;
  }
  const user = findUser(String(id));
  if (!user) {
    response.status(401).json({ message: "Unauthorized" });
    return;
  }
  response.json({ message: `Hello, ${user.username}!` });
});
const server = app.listen(0, "127.0.0.1", () => announce(server.address()));
