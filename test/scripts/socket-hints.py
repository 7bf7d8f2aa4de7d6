"""UDP_SEGMENT, UDP_GRO (udp(7)) and TCP_NOTSENT_LOWAT (tcp(7)): what they do, held against Linux."""
import select
import socket
import struct

UDP_SEGMENT, UDP_GRO = 103, 104
TCP_NOTSENT_LOWAT = 25
LOW = 16384


def attempt(call, *words):
    try:
        return call(*words)
    except OSError as error:
        return error


receiver = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
receiver.bind(("127.0.0.1", 0))
receiver.settimeout(10)
sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sender.connect(receiver.getsockname())


def sizes(count):
    return [len(receiver.recv(65536)) for _ in range(count)]


def send_in(size, data):
    control = [(socket.SOL_UDP, UDP_SEGMENT, struct.pack("H", size))]
    return attempt(sender.sendmsg, [data], control)


print("default", sender.getsockopt(socket.SOL_UDP, UDP_SEGMENT))
print("by message", send_in(100, b"x" * 250), sizes(3))
print("once", sender.send(b"x" * 250), sizes(1))
sender.setsockopt(socket.SOL_UDP, UDP_SEGMENT, 1000)
print("by option", sender.getsockopt(socket.SOL_UDP, UDP_SEGMENT))
print("cut", sender.send(bytes(range(256)) * 10), sizes(3))
print("no need to cut", sender.send(b"x" * 1000), sizes(1))
print("none", sender.send(b""), sizes(1))
print("too many", send_in(100, b"x" * 13_001))
print("wrong", attempt(sender.setsockopt, socket.SOL_UDP, UDP_SEGMENT, -1),
      attempt(sender.setsockopt, socket.SOL_UDP, UDP_SEGMENT, 65536))
sender.setsockopt(socket.SOL_UDP, UDP_SEGMENT, 0)
print("whole again", sender.send(b"x" * 3000), sizes(1))
print("merging", receiver.getsockopt(socket.SOL_UDP, UDP_GRO),
      receiver.setsockopt(socket.SOL_UDP, UDP_GRO, 1), receiver.getsockopt(socket.SOL_UDP, UDP_GRO))


def fill(low):
    """How much a connection takes whose peer does not read, and whether it is writable then."""
    server = socket.create_server(("127.0.0.1", 0))
    client = socket.create_connection(server.getsockname())
    peer = server.accept()[0]
    client.setsockopt(socket.IPPROTO_TCP, TCP_NOTSENT_LOWAT, low)
    client.setblocking(False)
    taken = 0
    while isinstance(count := attempt(client.send, b"x" * 4096), int):
        taken += count
    is_writable = select.select([], [client], [], 0)[1] != []
    left = taken
    while left > 0:
        left -= len(peer.recv(65536))
    becomes_writable = select.select([], [client], [], 10)[1] != []
    return taken, is_writable, becomes_writable, client.getsockopt(socket.IPPROTO_TCP, TCP_NOTSENT_LOWAT)


usual, low = fill(0x7fffffff), fill(LOW)
print("takes less with a limit", usual[0] - low[0] > 100_000, low[1:])
