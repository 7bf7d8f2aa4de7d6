/* fork(2) of a process with 500 MB in use, in pages as the system likes them and in small ones. */
#include "bench.h"
#include <sys/mman.h>
#include <sys/wait.h>

enum { size = 500 << 20 };

static void fork_once(int rounds) {
    for (int i = 0; i < rounds; i++) {
        const pid_t child = fork();
        if (child == 0) _exit(0);
        if (child < 0 || waitpid(child, NULL, 0) != child) fail("fork");
    }
}

static void measure_with(const char *name, int advice) {
    char *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) fail("mmap");
    madvise(memory, size, advice);
    for (size_t at = 0; at < size; at += 4096) memory[at] = 1;
    measure(name, 2, fork_once);
    munmap(memory, size);
}

int main(void) {
    measure_with("fork-large", MADV_HUGEPAGE);
    measure_with("fork-small-pages", MADV_NOHUGEPAGE);
    finish();
}
