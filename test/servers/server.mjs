// An HTTP server as Node.js services are.
import { createServer } from "node:http";

createServer((_request, response) => response.end("hello from node\n")).listen(8080, () => {
  process.stdout.write("listening\n");
});
