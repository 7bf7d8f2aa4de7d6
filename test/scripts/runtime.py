"""Uses what a Python service uses: json, hashlib, threads, sqlite3, ssl."""
import hashlib
import json
import queue
import sqlite3
import ssl
import threading

results = queue.Queue()


def work(number):
    digest = hashlib.sha256()
    for round in range(200):
        digest.update(f"{number} {round}".encode() * 50)
    results.put((number, digest.hexdigest()))


threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(json.dumps(dict(sorted(results.queue)), indent=2))

database = sqlite3.connect(":memory:")
database.execute("create table square (n integer, result integer)")
database.executemany("insert into square values (?, ?)", [(n, n * n) for n in range(100)])
print(database.execute("select sum(result), max(n) from square").fetchone())

with sqlite3.connect("/tmp/test.sqlite") as file:
    file.execute("drop table if exists note")
    file.execute("create table note (text text)")
    file.execute("insert into note values ('kept')")
    print(file.execute("select * from note").fetchall())

context = ssl.create_default_context()
print(ssl.OPENSSL_VERSION.split()[0], context.verify_mode.name, len(context.get_ciphers()) > 5)
