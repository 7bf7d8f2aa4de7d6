/* Two threads, or processes, that wake each other in turn, by pipe and by futex: time for one switch. */
#include "bench.h"
#include <linux/futex.h>
#include <pthread.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>

static int forth[2], back[2];
static int turn;

/* The other side lives until the end of the program. */
static void *answer_by_pipe(void *argument) {
    char byte;
    while (read(forth[0], &byte, 1) == 1 && write(back[1], &byte, 1) == 1) {}
    return argument;
}

static void ask_by_pipe(int switches) {
    char byte = 'x';
    for (int i = 0; i < switches; i += 2) {
        if (write(forth[1], &byte, 1) != 1 || read(back[0], &byte, 1) != 1) fail("pipe");
    }
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
    for (;;) {
        wait_for(1);
        give(0);
    }
    return argument;
}

static void ask_by_futex(int switches) {
    for (int i = 0; i < switches; i += 2) {
        give(1);
        wait_for(0);
    }
}

static void open_pipes(void) {
    if (pipe(forth) != 0 || pipe(back) != 0) fail("pipe");
}

int main(void) {
    enum { switches = 4000 };
    pthread_t thread;
    open_pipes();
    const pid_t child = fork();
    if (child < 0) fail("fork");
    if (child == 0) answer_by_pipe(NULL);
    measure("pipe-processes", switches, ask_by_pipe);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);

    open_pipes();
    if (pthread_create(&thread, NULL, answer_by_pipe, NULL) != 0) fail("pthread_create");
    measure("pipe", switches, ask_by_pipe);

    if (pthread_create(&thread, NULL, answer_by_futex, NULL) != 0) fail("pthread_create");
    measure("futex", switches, ask_by_futex);
    finish();
}
