"""Packets with an IP header of the sender's own making (raw(7), IP_HDRINCL): what arrives."""
import socket
import struct

IP_RECVTTL = 12

receiver = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
receiver.setsockopt(socket.IPPROTO_IP, IP_RECVTTL, 1)
receiver.setsockopt(socket.IPPROTO_IP, socket.IP_RECVTOS, 1)
receiver.bind(("127.0.0.1", 0))
receiver.settimeout(10)
port = receiver.getsockname()[1]


def packet(source, text, ttl=64, tos=0):
    datagram = struct.pack("!HHHH", 5000, port, 8 + len(text), 0) + text
    header = struct.pack("!BBHHHBBH4s4s", 0x45, tos, 0, 0, 0, ttl, socket.IPPROTO_UDP, 0,
                         socket.inet_aton(source), socket.inet_aton("127.0.0.1"))
    return header + datagram


def arrived():
    data, control, _, peer = receiver.recvmsg(100, 100)
    values = sorted((kind, value[0]) for _, kind, value in control)
    return data, peer[0], values


def attempt(call, *words):
    try:
        return call(*words)
    except OSError as error:
        return error


sender = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
print("included", sender.getsockopt(socket.IPPROTO_IP, socket.IP_HDRINCL))
print(sender.sendto(packet("127.0.0.9", b"another sender"), ("127.0.0.1", 0)), arrived())
print(sender.sendto(packet("0.0.0.0", b"no sender"), ("127.0.0.1", 0)), arrived())
print(sender.sendto(packet("127.0.0.1", b"hops", 7, 0x20), ("127.0.0.1", 0)), arrived())
print("too short", attempt(sender.sendto, b"x" * 10, ("127.0.0.1", 0)))
other = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_UDP)
print("not included", other.getsockopt(socket.IPPROTO_IP, socket.IP_HDRINCL))
other.setsockopt(socket.IPPROTO_IP, socket.IP_HDRINCL, 1)
print(other.sendto(packet("127.0.0.1", b"switched on"), ("127.0.0.1", 0)), arrived())
other.setsockopt(socket.IPPROTO_IP, socket.IP_HDRINCL, 0)
print(other.sendto(packet("127.0.0.1", b"switched off")[20:], ("127.0.0.1", 0)), arrived())
