"""Talks with conversation-server.py.

    conversations.py ADDRESS SECONDS    for so long, whatever comes back
    conversations.py ADDRESS check      each conversation once, which must succeed; prints its memory
"""
import http.client
import random
import socket
import subprocess
import sys
import threading
import time

ADDRESS = sys.argv[1]
PATIENCE = 10 if sys.argv[2] == "check" else 1


def connect(port):
    stream = socket.create_connection((ADDRESS, port), timeout=PATIENCE)
    stream.settimeout(PATIENCE)
    return stream


def ask(port, request, end):
    with connect(port) as stream:
        stream.sendall(request)
        answer = b""
        while not answer.endswith(end):
            chunk = stream.recv(65536)
            if not chunk:
                raise OSError("cut off")
            answer += chunk
        return answer


def http_get():
    connection = http.client.HTTPConnection(ADDRESS, 80, timeout=PATIENCE)
    connection.request("GET", "/memory")
    text = connection.getresponse().read()
    connection.close()
    assert b"MemAvailable" in text
    return text


def memcached():
    size = random.randrange(3000)
    answer = ask(11211, b"set k 0 0 %d\r\n%s\r\nget k\r\n" % (size, b"x" * size), b"END\r\n")
    assert answer.startswith(b"STORED\r\nVALUE k 0 ")


def redis():
    answer = ask(6379, b"SET k %d\r\nGET k\r\nPING\r\n" % random.randrange(9999), b"+PONG\r\n")
    assert answer.startswith(b"+OK\r\n$")


def echo_stream():
    data = random.randbytes(random.randrange(1, 50000))
    assert ask(7, data, data[-20:])


def echo_datagram():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.settimeout(PATIENCE)
        data = random.randbytes(random.randrange(4000))
        sender.sendto(data, (ADDRESS, 7))
        assert len(sender.recv(65536)) == len(data)


def ping(*words):
    subprocess.run(["ping", "-c", "1", "-W", str(PATIENCE), *words], check=True,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def ping_v4():
    ping("-s", str(random.randrange(3000)), ADDRESS)


def ping_v6():
    ping("-6", "ff02::1%tap0")


def forget_neighbours():
    subprocess.run(["ip", "neigh", "flush", "dev", "tap0"], check=True)


CONVERSATIONS = [http_get, memcached, redis, echo_stream, echo_datagram, ping_v4, ping_v6,
                 forget_neighbours]


def talk_until(end):
    while time.monotonic() < end:
        try:
            random.choice(CONVERSATIONS)()
        except (OSError, AssertionError, http.client.HTTPException, subprocess.SubprocessError):
            pass  # the network is not to be trusted


if sys.argv[2] == "check":
    for conversation in CONVERSATIONS:
        conversation()
    sys.stdout.write(http_get().decode())
else:
    end = time.monotonic() + float(sys.argv[2])
    talkers = [threading.Thread(target=talk_until, args=(end,)) for _ in range(12)]
    for each in talkers:
        each.start()
    for each in talkers:
        each.join()
