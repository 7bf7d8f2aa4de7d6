/* Two threads that wake each other in turn, by pipes and by futex: time for one switch. */
#include "bench.h"
#include <linux/futex.h>
#include <pthread.h>
#include <sys/syscall.h>

enum { rounds = 20000 };

static int forth[2], back[2];
static int turn;

static void *answer_by_pipe(void *argument) {
    char byte;
    for (int i = 0; i < rounds; i++) {
        if (read(forth[0], &byte, 1) != 1 || write(back[1], &byte, 1) != 1) fail("pipe");
    }
    return argument;
}

static void wait_for(int wanted) {
    int seen;
    while ((seen = __atomic_load_n(&turn, __ATOMIC_ACQUIRE)) != wanted) {
        syscall(SYS_futex, &turn, FUTEX_WAIT_PRIVATE, seen, NULL, NULL, 0);
    }
}

static void give(int next) {
    __atomic_store_n(&turn, next, __ATOMIC_RELEASE);
    syscall(SYS_futex, &turn, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

static void *answer_by_futex(void *argument) {
    for (int i = 0; i < rounds; i++) {
        wait_for(1);
        give(0);
    }
    return argument;
}

int main(void) {
    pthread_t thread;
    char byte = 'x';
    if (pipe(forth) != 0 || pipe(back) != 0) fail("pipe");
    if (pthread_create(&thread, NULL, answer_by_pipe, NULL) != 0) fail("pthread_create");
    uint64_t start = now_ns();
    for (int i = 0; i < rounds; i++) {
        if (write(forth[1], &byte, 1) != 1 || read(back[0], &byte, 1) != 1) fail("pipe");
    }
    result("pipe", (double)(now_ns() - start) / (2.0 * rounds));
    pthread_join(thread, NULL);

    if (pthread_create(&thread, NULL, answer_by_futex, NULL) != 0) fail("pthread_create");
    start = now_ns();
    for (int i = 0; i < rounds; i++) {
        give(1);
        wait_for(0);
    }
    result("futex", (double)(now_ns() - start) / (2.0 * rounds));
    pthread_join(thread, NULL);
    finish();
}
