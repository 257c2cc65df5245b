import { createServer } from "node:http";
import { guarded } from "../../../src/adapters/node.ts";
import { openKyros } from "./kyros.ts";
import { announce, readSettings } from "./settings.ts";

const kyros = await openKyros(readSettings());
const greet = guarded(kyros, kyros.requireUser(), (_request, response, { user }) => {
  const body = JSON.stringify({ message: `Hello, ${user.username}!` });
  response.writeHead(200, {
    "content-type": "application/json; charset=utf-8",
    "content-length": Buffer.byteLength(body),
  });
  response.end(body);
});
const server = createServer((request, response) => {
  if (request.method === "GET" && request.url === "/protected") greet(request, response);
  else response.writeHead(404).end();
});
server.listen(0, "127.0.0.1", () => announce(server.address()));
