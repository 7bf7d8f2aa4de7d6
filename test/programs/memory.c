/*
 * Maps, unmaps, remaps and protects memory in a loop, catches the faults on an alternate signal
 * stack, and sums up its findings in a checksum that does not depend on addresses.
 */
#define _GNU_SOURCE
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

static sigjmp_buf recovery;
static char *alternate_stack;
static size_t alternate_size;
static volatile uintptr_t fault_address;
static volatile int fault_code, fault_signal, was_on_alternate_stack;
static uint64_t checksum = 14695981039346656037u;

static void note(uint64_t value) { checksum = (checksum ^ value) * 1099511628211u; }

static void on_fault(int signal, siginfo_t *info, void *context) {
    (void)context;
    char here;
    was_on_alternate_stack =
        &here >= alternate_stack && &here < alternate_stack + alternate_size;
    fault_address = (uintptr_t)info->si_addr;
    fault_code = info->si_code;
    fault_signal = signal;
    siglongjmp(recovery, 1);
}

/* Touches an address and returns the si_code of the fault, or 0 when there was none. */
static int touch(volatile char *address, int write) {
    if (sigsetjmp(recovery, 1)) {
        if (fault_address != (uintptr_t)address) { puts("wrong fault address"); exit(2); }
        if (!was_on_alternate_stack) { puts("handler not on the alternate stack"); exit(2); }
        return fault_signal * 16 + fault_code;
    }
    if (write) *address = 1; else (void)*address;
    return 0;
}

static void check(const char *what, int found, int wanted) {
    if (found != wanted) { printf("%s: %d instead of %d\n", what, found, wanted); exit(3); }
    note((uint64_t)found);
}

int main(void) {
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    alternate_size = 16 * page;
    alternate_stack = malloc(alternate_size);
    stack_t stack = {.ss_sp = alternate_stack, .ss_size = alternate_size};
    sigaltstack(&stack, NULL);
    struct sigaction action = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    sigaction(SIGSEGV, &action, NULL);
    sigaction(SIGBUS, &action, NULL);
    const int mapping_error = SIGSEGV * 16 + SEGV_MAPERR, access_error = SIGSEGV * 16 + SEGV_ACCERR;

    for (int round = 0; round < 200; round++) {
        size_t pages = 1 + (size_t)(round * 7) % 61;
        char *map = mmap(NULL, pages * page, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (map == MAP_FAILED) { perror("mmap"); return 4; }
        for (size_t i = 0; i < pages; i++) {
            if (map[i * page] != 0) { puts("fresh memory is not zero"); return 5; }
            memset(map + i * page, (int)(i + (size_t)round) & 0xff, page);
        }
        mprotect(map, page, PROT_READ);
        check("read of a read-only page", touch(map, 0), 0);
        check("write to a read-only page", touch(map, 1), access_error);
        mprotect(map, page, PROT_NONE);
        check("read of an inaccessible page", touch(map, 0), access_error);
        mprotect(map, page, PROT_READ | PROT_WRITE);
        check("write after access came back", touch(map, 1), 0);

        char *larger = mremap(map, pages * page, (pages + 5) * page, MREMAP_MAYMOVE);
        if (larger == MAP_FAILED) { perror("mremap"); return 6; }
        for (size_t i = 0; i < pages + 5; i++) note((unsigned char)larger[i * page + page / 2]);
        char *smaller = mremap(larger, (pages + 5) * page, page, 0);
        if (smaller != larger) { puts("shrinking moved the mapping"); return 7; }
        check("read beyond a shrunk mapping", touch(larger + page, 0), mapping_error);
        munmap(smaller, page);
        check("read of unmapped memory", touch(smaller, 0), mapping_error);

        char *hole = mmap(NULL, 3 * page, PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        munmap(hole + page, page);
        check("read of the hole", touch(hole + page, 0), mapping_error);
        check("page before the hole", touch(hole, 1), 0);
        check("page after the hole", touch(hole + 2 * page, 1), 0);
        char *filled = mmap(hole + page, page, PROT_READ | PROT_WRITE,
                            MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
        check("the hole is filled", filled == hole + page, 1);
        check("write to the filled hole", touch(hole + page, 1), 0);
        madvise(hole, 3 * page, MADV_DONTNEED);
        for (int i = 0; i < 3; i++) note((unsigned char)hole[(size_t)i * page]);
        munmap(hole, 3 * page);
    }
    check("read of address 8", touch((volatile char *)8, 0), mapping_error);
    /* By system call: musl's sbrk() refuses to grow. */
    char *before = (char *)syscall(SYS_brk, 0);
    char *after = before + 3 * page;
    if ((char *)syscall(SYS_brk, after) != after) { puts("brk did not grow"); return 8; }
    memset(before, 7, 3 * page);
    note((unsigned char)before[2 * page]);
    if ((char *)syscall(SYS_brk, before) != before) { puts("brk did not shrink"); return 9; }
    printf("checksum %016llx\n", (unsigned long long)checksum);
    return 0;
}
