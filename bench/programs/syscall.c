/* The shortest system call. */
#include "bench.h"
#include <sys/syscall.h>

int main(void) {
    enum { rounds = 1000000 };
    for (int i = 0; i < 10000; i++) syscall(SYS_getppid);
    const uint64_t start = now_ns();
    for (int i = 0; i < rounds; i++) syscall(SYS_getppid);
    result("syscall", (double)(now_ns() - start) / rounds);
    const uint64_t clock_start = now_ns();
    for (int i = 0; i < rounds; i++) now_ns();
    result("clock", (double)(now_ns() - clock_start) / rounds);
    finish();
}
