"""Runs tcpdump(8) on an interface while datagrams and pings go over it: what it prints.

    capture.py INTERFACE ADDRESS FRAMES FILTER
"""
import socket
import subprocess
import sys

INTERFACE, ADDRESS, FRAMES, FILTER = sys.argv[1:]

tcpdump = subprocess.Popen(
    ["tcpdump", "-i", INTERFACE, "-n", "-t", "-U", "-l", "-c", FRAMES, FILTER],
    stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
while "listening on" not in (line := tcpdump.stderr.readline()):
    if not line:
        sys.exit("tcpdump has ended")
sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for size in (1, 100, 1000):
    sender.sendto(b"x" * size, (ADDRESS, 7))
subprocess.run(["ping", "-c", "1", ADDRESS], check=True, stdout=subprocess.DEVNULL)
print(tcpdump.communicate(timeout=30)[0], end="")
sys.exit(tcpdump.returncode)
