"""Serves whatever conversations.py says: memcached, redis, HTTP, and echoes over TCP and UDP."""
import http.server
import socket
import socketserver
import subprocess
import sys
import threading


def follow(name, output):
    """Reads what a server goes on to say, so that it never waits; its last words are shown."""
    line = b""
    for line in output:
        pass
    sys.stderr.write(f"{name} has ended: {line.decode()}\n")


def serve(words, ready):
    """Starts a server and returns when it says that it listens."""
    server = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    while ready not in (line := server.stdout.readline()):
        if not line:
            sys.exit(f"{words[0]} does not start")
    threading.Thread(target=follow, args=(words[0], server.stdout), daemon=True).start()


def text_of(path):
    with open(path) as file:
        return file.read()


def figures():
    """The guest's figures of memory and sockets."""
    return text_of("/proc/meminfo") + text_of("/proc/net/sockstat")


class Memory(http.server.BaseHTTPRequestHandler):
    """Answers with the guest's figures of memory."""
    timeout = 5

    def do_GET(self):
        body = figures().encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_words):
        pass


class Echo(socketserver.BaseRequestHandler):
    def handle(self):
        self.request.settimeout(5)
        try:
            while chunk := self.request.recv(4096):
                self.request.sendall(chunk)
        except OSError:
            pass


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True

    def handle_error(self, *_words):
        pass


def echo_datagrams(receiver):
    while True:
        data, peer = receiver.recvfrom(65536)
        try:
            receiver.sendto(data, peer)
        except OSError:
            pass


# Peers whose last words are lost would otherwise keep their connections for hours.
serve(["memcached", "-vv", "-u", "root", "-m", "8", "-c", "64", "-o", "idle_timeout=10"],
      b"server listening")
serve(["redis-server", "--save", "", "--bind", "0.0.0.0", "--protected-mode", "no",
       "--maxclients", "64", "--timeout", "5"], b"Ready to accept connections")
datagrams = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
datagrams.bind(("", 7))
threading.Thread(target=echo_datagrams, args=(datagrams,), daemon=True).start()
threading.Thread(target=Server(("0.0.0.0", 7), Echo).serve_forever, daemon=True).start()
# Whoever reaches this port finds all others served.
Server(("0.0.0.0", 80), Memory).serve_forever()
