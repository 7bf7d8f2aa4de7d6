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

static inline int compare_times(const void *left, const void *right) {
    const double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

/*
 * Runs `operation(rounds)` once for warmth, then in 7 batches; the result is the median batch's time
 * for one of the `rounds`. A host that is busy for a moment spoils one batch, not the median.
 */
static inline void measure(const char *name, int rounds, void (*operation)(int rounds)) {
    enum { batches = 7 };
    double times[batches];
    operation(rounds);
    for (int batch = 0; batch < batches; batch++) {
        const uint64_t start = now_ns();
        operation(rounds);
        times[batch] = (double)(now_ns() - start) / rounds;
    }
    qsort(times, batches, sizeof *times, compare_times);
    result(name, times[batches / 2]);
}

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
