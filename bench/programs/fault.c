/* Page faults on fresh anonymous memory: with pages of 4 KiB only, and as the system likes it. */
#include "bench.h"
#include <sys/mman.h>

static double touch(size_t size, int advice) {
    char *map = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (map == MAP_FAILED) fail("mmap");
    if (advice >= 0) madvise(map, size, advice);
    const uint64_t start = now_ns();
    for (size_t at = 0; at < size; at += 4096) map[at] = 1;
    const double elapsed = (double)(now_ns() - start);
    munmap(map, size);
    return elapsed / (double)(size / 4096);
}

int main(void) {
    enum { size = 48 << 20 };
    touch(size, MADV_NOHUGEPAGE);
    result("fault", touch(size, MADV_NOHUGEPAGE));
    result("touch", touch(size, -1));
    finish();
}
