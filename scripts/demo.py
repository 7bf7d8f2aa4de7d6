"""What `npm start` runs in the guest: shows that this is ordinary Python on an unusual kernel."""
import hashlib
import os
import platform
import sqlite3
import threading
import time

start = time.perf_counter()
print(f"Python {platform.python_version()} on {platform.system()} {platform.release()}")
print(f"  process {os.getpid()}, {os.cpu_count()} processor, {len(os.listdir('/usr/lib'))} entries in /usr/lib")

digests = {}


def work(number):
    digests[number] = hashlib.sha256(bytes([number]) * 100_000).hexdigest()[:12]


threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(f"  {len(threads)} threads hashed: {' '.join(digests[number] for number in sorted(digests))}")

database = sqlite3.connect("/tmp/demo.sqlite")
database.execute("create table planet (name text, moons integer)")
rows = [("Earth", 1), ("Mars", 2), ("Jupiter", 97), ("Saturn", 274)]
database.executemany("insert into planet values (?, ?)", rows)
total, = database.execute("select sum(moons) from planet").fetchone()
print(f"  SQLite counted {total} moons in a file on tmpfs")

with open("/proc/meminfo") as file:
    print("  " + " ".join(file.readline().split()) + " (the whole machine)")
print(f"  all that took {time.perf_counter() - start:.2f} s")
