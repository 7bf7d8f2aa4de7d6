/* Reads the file named by the argument from the warm page cache: by read(2) and by mmap(2). */
#include "bench.h"
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

static char buffer[65536];

static double read_all(int file, size_t piece, size_t size) {
    if (lseek(file, 0, SEEK_SET) != 0) fail("lseek");
    const uint64_t start = now_ns();
    size_t total = 0;
    for (ssize_t count; (count = read(file, buffer, piece)) > 0;) total += (size_t)count;
    if (total != size) fail("read");
    return (double)size / 1048576.0 / ((double)(now_ns() - start) / 1e9);
}

static double map_all(int file, size_t size) {
    const uint64_t start = now_ns();
    const char *map = mmap(NULL, size, PROT_READ, MAP_PRIVATE, file, 0);
    if (map == MAP_FAILED) fail("mmap");
    volatile uint64_t sum = 0;
    uint64_t local = 0;
    for (size_t at = 0; at + 8 <= size; at += 64) local += *(const uint64_t *)(map + at);
    sum = local;
    (void)sum;
    munmap((void *)map, size);
    return (double)size / 1048576.0 / ((double)(now_ns() - start) / 1e9);
}

int main(int argc, char **argv) {
    const char *path = argc > 1 ? argv[1] : "/data";
    const int file = open(path, O_RDONLY);
    struct stat status;
    if (file < 0 || fstat(file, &status) != 0) fail(path);
    const size_t size = (size_t)status.st_size;
    read_all(file, sizeof buffer, size);
    result("read64k", read_all(file, sizeof buffer, size));
    result("read4k", read_all(file, 4096, size));
    map_all(file, size);
    result("mmap", map_all(file, size));
    finish();
}
