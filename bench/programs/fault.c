/* Page faults on fresh anonymous memory: with pages of 4 KiB only, and as the system likes it. */
#include "bench.h"
#include <sys/mman.h>

static void touch(int pages, int advice) {
    const size_t size = (size_t)pages * 4096;
    char *map = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (map == MAP_FAILED) fail("mmap");
    if (advice >= 0) madvise(map, size, advice);
    for (size_t at = 0; at < size; at += 4096) map[at] = 1;
    munmap(map, size);
}

static void touch_small(int pages) { touch(pages, MADV_NOHUGEPAGE); }

static void touch_any(int pages) { touch(pages, -1); }

int main(void) {
    enum { pages = (48 << 20) / 4096 };
    measure("fault", pages, touch_small);
    measure("touch", pages, touch_any);
    finish();
}
