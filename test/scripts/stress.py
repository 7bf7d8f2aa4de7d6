"""Threads that compute, sleep, queue and start programs at the same time; the output is always the same."""
import queue
import subprocess
import threading
import time

results = queue.Queue()
outputs = []


def work(number):
    for _ in range(20):
        results.put(sum(i * number for i in range(2000)))
        time.sleep(0.0005)


def run(number):
    outputs.append(subprocess.check_output(["/bin/echo", str(number)]))


def all_at_once(function, count):
    threads = [threading.Thread(target=function, args=(i,)) for i in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


all_at_once(work, 8)
all_at_once(run, 6)
print(results.qsize(), sum(int(output) for output in outputs))
