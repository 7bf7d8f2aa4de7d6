/* The shortest system calls, and reading one byte. */
#include "bench.h"
#include <sys/mman.h>
#include <sys/syscall.h>

static int file;

static void get_parent(int rounds) {
    for (int i = 0; i < rounds; i++) syscall(SYS_getppid);
}

static void get_own(int rounds) {
    for (int i = 0; i < rounds; i++) syscall(SYS_getpid);
}

static void read_clock(int rounds) {
    for (int i = 0; i < rounds; i++) now_ns();
}

static void read_byte(int rounds) {
    char byte;
    if (lseek(file, 0, SEEK_SET) != 0) fail("lseek");
    for (int i = 0; i < rounds; i++) {
        if (read(file, &byte, 1) != 1) fail("read");
    }
}

int main(void) {
    enum { rounds = 100000 };
    measure("syscall", rounds, get_parent);
    measure("getpid", rounds, get_own);
    measure("clock", rounds, read_clock);
    /* A file in memory: Linux's RAM disk and our image differ, this is the same on both. */
    file = memfd_create("bytes", 0);
    if (file < 0 || ftruncate(file, rounds) != 0) fail("memfd_create");
    measure("byte", rounds, read_byte);
    finish();
}
