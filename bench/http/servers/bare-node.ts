import { createServer } from "node:http";
import { announce, readSettings } from "./settings.ts";

readSettings();
const server = createServer((request, response) => {
  if (request.method !== "GET" || request.url !== "/protected") {
    response.writeHead(404).end();
    return;
  }
  const body = JSON.stringify({ message: "Hello, user-1000!" });
  response.writeHead(200, {
    "content-type": "application/json; charset=utf-8",
    "content-length": Buffer.byteLength(body),
  });
  response.end(body);
});
server.listen(0, "127.0.0.1", () => announce(server.address()));
