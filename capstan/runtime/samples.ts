/**
 * Small HTTP servers, one for each runtime: what `capstan runtime init` writes into a folder that
 * has no program yet. Each listens on port 8080, says so once clients can connect, and needs nothing
 * but its runtime.
 */

export const nodeSample = `const { createServer } = require("node:http");

createServer((request, response) => {
  response.end(\`Hello from Node.js \${process.version}: \${request.url}\\n\`);
}).listen(8080, () => console.log("listening on port 8080"));
`;

export const pythonSample = `import platform
from http.server import BaseHTTPRequestHandler, HTTPServer


class Hello(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        text = f"Hello from Python {platform.python_version()}: {self.path}\\n"
        self.wfile.write(text.encode())


server = HTTPServer(("", 8080), Hello)
print("listening on port 8080", flush=True)
server.serve_forever()
`;

export const javaSample = `import com.sun.net.httpserver.HttpServer;
import java.net.InetSocketAddress;

public class Main {
  public static void main(String[] args) throws Exception {
    HttpServer server = HttpServer.create(new InetSocketAddress(8080), 0);
    server.createContext("/", exchange -> {
      String version = System.getProperty("java.version");
      byte[] text = ("Hello from Java " + version + ": " + exchange.getRequestURI() + "\\n").getBytes();
      exchange.sendResponseHeaders(200, text.length);
      exchange.getResponseBody().write(text);
      exchange.close();
    });
    server.start();
    System.out.println("listening on port 8080");
  }
}
`;

export const rubySample = `require "socket"

server = TCPServer.new("0.0.0.0", 8080)
$stdout.sync = true
puts "listening on port 8080"
loop do
  Thread.start(server.accept) do |client|
    path = client.gets.to_s.split[1]
    nil until client.gets.to_s.strip.empty?
    text = "Hello from Ruby #{RUBY_VERSION}: #{path}\\n"
    client.write "HTTP/1.1 200 OK\\r\\nContent-Length: #{text.bytesize}\\r\\nConnection: close\\r\\n\\r\\n#{text}"
    client.close
  end
end
`;

export const goSample = `package main

import (
	"fmt"
	"log"
	"net"
	"net/http"
	"runtime"
)

func main() {
	http.HandleFunc("/", func(writer http.ResponseWriter, request *http.Request) {
		fmt.Fprintf(writer, "Hello from Go %s: %s\\n", runtime.Version(), request.URL.Path)
	})
	listener, err := net.Listen("tcp", ":8080")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("listening on port 8080")
	log.Fatal(http.Serve(listener, nil))
}
`;

export const phpSample = `<?php
header("Content-Type: text/plain");
echo "Hello from PHP " . PHP_VERSION . ": " . $_SERVER["REQUEST_URI"] . "\\n";
`;

export const erlangSample = `#!/usr/bin/env escript
main(_) ->
    {ok, Listener} = gen_tcp:listen(8080, [binary, {packet, http_bin}, {active, false}, {reuseaddr, true}]),
    io:format("listening on port 8080~n"),
    accept(Listener).

accept(Listener) ->
    {ok, Socket} = gen_tcp:accept(Listener),
    spawn(fun() -> receive go -> serve(Socket) end end) ! go,
    accept(Listener).

serve(Socket) ->
    {ok, {http_request, _, {abs_path, Path}, _}} = gen_tcp:recv(Socket, 0),
    Text = ["Hello from Erlang ", erlang:system_info(otp_release), ": ", Path, "\\n"],
    Length = integer_to_list(iolist_size(Text)),
    gen_tcp:send(Socket, ["HTTP/1.1 200 OK\\r\\nContent-Length: ", Length, "\\r\\nConnection: close\\r\\n\\r\\n", Text]),
    gen_tcp:close(Socket).
`;

export const nativeSample = `#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int main(void) {
  int listener = socket(AF_INET, SOCK_STREAM, 0);
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(8080)};
  if (bind(listener, (struct sockaddr *)&address, sizeof address) || listen(listener, 16)) {
    perror("port 8080");
    return 1;
  }
  puts("listening on port 8080");
  fflush(stdout);
  for (;;) {
    char request[4096];
    int client = accept(listener, NULL, NULL);
    if (read(client, request, sizeof request) > 0) {
      const char *text = "HTTP/1.1 200 OK\\r\\nContent-Length: 13\\r\\nConnection: close\\r\\n\\r\\nHello from C\\n";
      write(client, text, strlen(text));
    }
    close(client);
  }
}
`;
