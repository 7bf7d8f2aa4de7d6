"""Pseudo-terminals as Python uses them: pty.spawn and pty.openpty."""
import os
import pty
import subprocess

print(os.waitstatus_to_exitcode(pty.spawn(["/bin/sh", "-c", "tty; echo hello; exit 3"])))
master, slave = pty.openpty()
print(os.isatty(slave), os.ttyname(slave) == os.ptsname(master) if hasattr(os, "ptsname") else True)
subprocess.run(["/bin/echo", "through the terminal"], stdout=slave)
print(os.read(master, 100))
