/* Threads and processes: made, ended and waited for. */
#include "bench.h"
#include <pthread.h>
#include <spawn.h>
#include <sys/wait.h>

static char *program;

static void *nothing(void *argument) { return argument; }

static void make_threads(int rounds) {
    for (int i = 0; i < rounds; i++) {
        pthread_t thread;
        if (pthread_create(&thread, NULL, nothing, NULL) != 0) fail("pthread_create");
        pthread_join(thread, NULL);
    }
}

static void await(pid_t child) {
    int status;
    if (child < 0 || waitpid(child, &status, 0) != child || status != 0) fail("child");
}

static void fork_only(int rounds) {
    for (int i = 0; i < rounds; i++) {
        const pid_t child = fork();
        if (child == 0) _exit(0);
        await(child);
    }
}

static void fork_and_execute(int rounds) {
    for (int i = 0; i < rounds; i++) {
        const pid_t child = fork();
        if (child == 0) {
            execl(program, program, "child", NULL);
            _exit(1);
        }
        await(child);
    }
}

static void spawn(int rounds) {
    char *const arguments[] = {program, "child", NULL};
    for (int i = 0; i < rounds; i++) {
        pid_t child;
        if (posix_spawn(&child, program, NULL, NULL, arguments, environ) != 0) fail("posix_spawn");
        await(child);
    }
}

int main(int count, char **words) {
    if (count > 1 && strcmp(words[1], "child") == 0) return 0;
    program = words[0];
    measure("thread", 500, make_threads);
    measure("fork", 100, fork_only);
    measure("fork-exec", 50, fork_and_execute);
    measure("spawn", 50, spawn);
    finish();
}
