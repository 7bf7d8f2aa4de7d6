"""multiprocessing with the spawn method: locks, queues and events between programs."""
import multiprocessing


def work(number, lock, queue, event):
    event.wait()
    with lock:
        queue.put(number * number)


if __name__ == "__main__":
    context = multiprocessing.get_context("spawn")
    lock, queue, event = context.Lock(), context.Queue(), context.Event()
    processes = [context.Process(target=work, args=(n, lock, queue, event)) for n in range(3)]
    for process in processes:
        process.start()
    event.set()
    print(sorted(queue.get() for _ in processes))
    for process in processes:
        process.join()
    print([process.exitcode for process in processes])
    with context.Pool(2) as pool:
        print(pool.map(abs, range(-3, 3)))
