/*
 * What a process pays for fork(2) although it never calls it: the same operations before the first
 * fork, and after it when the child has ended. Then what only those pay who fork: the first write to
 * a page after it, with the fork itself.
 */
#include "bench.h"
#include <pthread.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>

enum { pages = 4096, page = 4096 };

static char *shared;

static void call(int rounds) {
    for (int i = 0; i < rounds; i++) syscall(SYS_getppid);
}

static char *map_small_pages(void) {
    char *map = mmap(NULL, pages * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (map == MAP_FAILED) fail("mmap");
    madvise(map, pages * page, MADV_NOHUGEPAGE);
    return map;
}

static void touch(char *map) {
    for (size_t at = 0; at < pages * page; at += page) map[at]++;
}

static void fault(int rounds) {
    (void)rounds; /* one a page */
    char *map = map_small_pages();
    touch(map);
    munmap(map, pages * page);
}

static void *nothing(void *argument) { return argument; }

static void make_thread(int rounds) {
    for (int i = 0; i < rounds; i++) {
        pthread_t thread;
        if (pthread_create(&thread, NULL, nothing, NULL) != 0) fail("pthread_create");
        pthread_join(thread, NULL);
    }
}

/* A child that lives until its end of the pipe is closed; the parent writes to what both have. */
static void write_after_fork(int rounds) {
    (void)rounds; /* one a page */
    int ends[2];
    if (pipe(ends) != 0) fail("pipe");
    const pid_t child = fork();
    if (child < 0) fail("fork");
    if (child == 0) {
        char byte;
        close(ends[1]);
        _exit(read(ends[0], &byte, 1) == 0 ? 0 : 1);
    }
    touch(shared);
    close(ends[0]);
    close(ends[1]);
    if (waitpid(child, NULL, 0) != child) fail("waitpid");
}

static void measure_all(const char *call_name, const char *fault_name, const char *thread_name) {
    measure(call_name, 100000, call);
    measure(fault_name, pages, fault);
    measure(thread_name, 500, make_thread);
}

int main(void) {
    measure_all("call-before", "fault-before", "thread-before");
    shared = map_small_pages();
    touch(shared);
    measure("write-shared", pages, write_after_fork);
    munmap(shared, pages * page);
    measure_all("call-after", "fault-after", "thread-after");
    finish();
}
