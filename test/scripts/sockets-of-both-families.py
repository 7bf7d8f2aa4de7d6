"""Sockets of both IP families over loopback: what a guest prints must be what the host prints."""
import errno
import socket
import struct
import threading

V6 = socket.IPPROTO_IPV6
IP = socket.IPPROTO_IP


def error_of(call, *arguments):
    try:
        call(*arguments)
        return "no error"
    except OSError as error:
        return errno.errorcode[error.errno]


def echo(listener, count):
    for _ in range(count):
        connection, peer = listener.accept()
        own = connection.getsockname()[0]
        connection.sendall(connection.recv(100) + f" {own} {peer[0]}".encode())
        connection.close()


listener = socket.create_server(("::", 0), family=socket.AF_INET6, dualstack_ipv6=True)
port = listener.getsockname()[1]
server = threading.Thread(target=echo, args=(listener, 2))
server.start()
for host in ("::1", "127.0.0.1"):
    client = socket.create_connection((host, port))
    client.sendall(b"hello")
    print(client.recv(100), client.getpeername()[:2] == (host, port))
    client.close()
server.join()

one = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
one.bind(("::", 0))
one_port = one.getsockname()[1]
for option in (socket.IPV6_RECVPKTINFO, socket.IPV6_RECVHOPLIMIT, socket.IPV6_RECVTCLASS):
    one.setsockopt(V6, option, 1)
two = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
two.setsockopt(V6, socket.IPV6_UNICAST_HOPS, 9)
two.setsockopt(V6, socket.IPV6_TCLASS, 0x20)
two.sendto(b"y" * 65000, ("::1", one_port))
data, control, flags, sender = one.recvmsg(66000, 200)
print(len(data), sorted(control), flags, sender[0])
four = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
four.sendto(b"four", ("127.0.0.1", one_port))
data, control, flags, sender = one.recvmsg(100, 200)
print(data, sender[0], len(control))
two.sendmsg([b"from"], [(V6, socket.IPV6_HOPLIMIT, struct.pack("i", 3))], 0, ("::1", one_port))
print(one.recvmsg(100, 200)[1][1])

five = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
five.bind(("127.0.0.1", 0))
for option in (8, 12, 13):  # IP_PKTINFO, IP_RECVTTL, IP_RECVTOS
    five.setsockopt(IP, option, 1)
four.setsockopt(IP, socket.IP_TTL, 7)
four.sendto(b"info", five.getsockname())
print(five.recvmsg(100, 200)[:3])
five.setsockopt(socket.SOL_SOCKET, 29, 1)  # SO_TIMESTAMP
print(five.getsockopt(socket.SOL_SOCKET, 29))
four.sendto(b"time", five.getsockname())
print([(level, kind, len(value)) for level, kind, value in five.recvmsg(100, 200)[1]])

refused = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
refused.setsockopt(IP, 11, 1)  # IP_RECVERR
refused.connect(("127.0.0.1", 9))
refused.send(b"nobody")
refused.settimeout(5)
print(error_of(refused.recv, 10))
data, control, flags, sender = refused.recvmsg(100, 512, 0x2000)  # MSG_ERRQUEUE
print(data, control, hex(flags), sender)
for family, host in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
    print(error_of(socket.socket(family).connect, (host, 9)))
    closed = socket.socket(family, socket.SOCK_DGRAM)
    closed.connect((host, 9))
    closed.send(b"x")
    print(error_of(closed.recv, 10))

only = socket.socket(socket.AF_INET6)
only.setsockopt(V6, socket.IPV6_V6ONLY, 1)
only.bind(("::", 0))
only_port = only.getsockname()[1]
both = socket.socket()
both.bind(("0.0.0.0", only_port))
print(error_of(socket.socket(socket.AF_INET6).bind, ("::", only_port)))
print(error_of(only.connect, ("::ffff:127.0.0.1", 1)))
print(error_of(socket.socket(socket.AF_INET6).bind, ("2001:db8::1", 0)))
print(error_of(socket.socket(socket.AF_INET6, socket.SOCK_DGRAM).bind, ("fe80::1", 0)))

group = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
group.bind(("", 0))
membership = socket.inet_aton("224.9.9.9") + socket.inet_aton("127.0.0.1")
group.setsockopt(IP, socket.IP_ADD_MEMBERSHIP, membership)
print(error_of(group.setsockopt, IP, socket.IP_ADD_MEMBERSHIP, membership))
second = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
second.setsockopt(IP, socket.IP_MULTICAST_IF, socket.inet_aton("127.0.0.1"))
print(second.getsockopt(IP, socket.IP_MULTICAST_IF, 4))
for by_index in ((0, 0), (0, 1), (0, 99)):
    choice = bytes(4) + struct.pack("ii", *by_index)
    print(error_of(second.setsockopt, IP, socket.IP_MULTICAST_IF, choice))
    print(second.getsockopt(IP, socket.IP_MULTICAST_IF, 4))
second.setsockopt(IP, socket.IP_MULTICAST_IF, socket.inet_aton("127.0.0.1"))
second.sendto(b"to all of you", ("224.9.9.9", group.getsockname()[1]))
print(group.recvfrom(100)[0])
group.setsockopt(IP, socket.IP_DROP_MEMBERSHIP, membership)
print(error_of(group.setsockopt, IP, socket.IP_DROP_MEMBERSHIP, membership))
group6 = socket.inet_pton(socket.AF_INET6, "ff11::7") + struct.pack("i", 1)
one.setsockopt(V6, socket.IPV6_JOIN_GROUP, group6)
print(error_of(one.setsockopt, V6, socket.IPV6_JOIN_GROUP, group6))
one.setsockopt(V6, socket.IPV6_LEAVE_GROUP, group6)
print(error_of(one.setsockopt, V6, socket.IPV6_LEAVE_GROUP, group6))

ADDRESS_PREFERENCES = 72
for wishes in (0, 1, 2, 3, 0x100, 4, 0x400, 0x404, 8, 0x808):
    print(error_of(one.setsockopt, V6, ADDRESS_PREFERENCES, wishes))
    print(one.getsockopt(V6, ADDRESS_PREFERENCES))
print(error_of(second.setsockopt, IP, socket.IP_OPTIONS, b""), second.getsockopt(IP, socket.IP_OPTIONS, 40))

# With a header of one's own (IP_HDRINCL): length and checksum are filled in.
own = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
print(own.getsockopt(IP, socket.IP_HDRINCL))
hearer = socket.socket(socket.AF_INET, socket.SOCK_RAW, 253)
loop = socket.inet_aton("127.0.0.1")
header = struct.pack("!BBHHHBBH", 0x45, 0x10, 0, 0x1234, 0, 9, 253, 0) + loop + loop
own.sendto(header + b"by hand", ("127.0.0.1", 0))
print(hearer.recv(100))
# The kernel puts a checksum where it is told to (IPV6_CHECKSUM), and drops what has a wrong one.
IPV6_CHECKSUM = 7
plain = socket.socket(socket.AF_INET6, socket.SOCK_RAW, 253)
summed = socket.socket(socket.AF_INET6, socket.SOCK_RAW, 253)
print(error_of(summed.setsockopt, V6, IPV6_CHECKSUM, 3))
summed.setsockopt(V6, IPV6_CHECKSUM, 2)
plain.sendto(b"ab\0\0cd", ("::1", 0))
summed.sendto(b"ab\0\0cd", ("::1", 0))
print(plain.recv(100), plain.recv(100), summed.recv(100))

ping = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
ping.setsockopt(255, 1, struct.pack("I", ~1 & 0xFFFFFFFF))  # ICMP_FILTER: replies only
message = struct.pack("!BBHHH", 8, 0, 0xF7FE - 77, 77, 1)
ping.sendto(message, ("127.0.0.1", 0))
data, sender = ping.recvfrom(100)
print(len(data), data[9], data[20], sender)
ping6 = socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6)
ping6.setsockopt(socket.IPPROTO_ICMPV6, 1, struct.pack("8I", *[0xFFFFFFFF] * 4, ~2 & 0xFFFFFFFF, *[0xFFFFFFFF] * 3))
ping6.sendto(struct.pack("!BBHHH", 128, 0, 0, 5, 1) + b"hi", ("::1", 0))
print(ping6.recvfrom(100)[0][:1], ping6.getsockname()[:2])

print(socket.if_nametoindex("lo"), socket.if_indextoname(1))
print([name for _, name in socket.if_nameindex() if name == "lo"])
bound = socket.socket()
bound.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"lo")
print(bound.getsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, 16))
print(error_of(bound.setsockopt, socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"none"))
