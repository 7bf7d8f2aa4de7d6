/* What every benchmark program needs: a clock, one line a result, and an end that stops the VM. */
#define _GNU_SOURCE
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/reboot.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

static inline uint64_t now_ns(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

static inline uint64_t read_tsc(void) {
    uint32_t low, high;
    __asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
    return (uint64_t)high << 32 | low;
}

/* One result a line: "result NAME VALUE". The harness knows the unit. */
static inline void result(const char *name, double value) { printf("result %s %.3f\n", name, value); }

/*
 * As /init of a Linux guest the program must stop the machine itself, because init must not end.
 * Elsewhere it just ends.
 */
static inline void finish(void) {
    puts("done");
    fflush(stdout);
    /* A reset does not wait for the serial port. */
    tcdrain(STDOUT_FILENO);
    if (getpid() == 1) reboot(RB_AUTOBOOT);
    _exit(0);
}

static inline void fail(const char *what) {
    perror(what);
    fflush(stdout);
    finish();
}
