/* Calls about the machine: memory nodes, priorities of I/O, the clock, accounting, swap, quotas. */
#include "abi.h"
#include <linux/mempolicy.h>
#include <sys/timex.h>

#define PAGE 4096
#define C(name, ...) R(syscall(SYS_##name, __VA_ARGS__))

static void nodes(void) {
  unsigned long m = 1;
  int mode;
  C(set_mempolicy, 2, &m, 8);
  C(get_mempolicy, &mode, &m, 1024, 0, 0);
  printf("%d %lx\n", mode, m);
  C(set_mempolicy, 2, 0, 0);
  m = 2;
  C(set_mempolicy, 2, &m, 8);
  m = 3;
  C(set_mempolicy, 2, &m, 8);
  C(set_mempolicy, 1, 0, 0);
  C(get_mempolicy, &mode, &m, 1024, 0, 0);
  printf("%d %lx\n", mode, m);
  m = 1;
  C(set_mempolicy, 0, &m, 8);
  C(set_mempolicy, 4, 0, 0);
  C(get_mempolicy, &mode, &m, 1024, 0, 0);
  printf("%d %lx\n", mode, m);
  C(set_mempolicy, 0, 0, 0);
  C(set_mempolicy, 7, 0, 0);
  C(set_mempolicy, 2, BAD, 8);
  C(get_mempolicy, &mode, &m, 1024, 0, 4);
  printf("%lx\n", m & 1);
  C(get_mempolicy, &mode, 0, 0, buf, 3);
  printf("%d\n", mode);
  C(get_mempolicy, &mode, 0, 0, BAD, 3);
  C(get_mempolicy, &mode, 0, 0, 0, 1);
  C(get_mempolicy, &mode, 0, 0, buf, 0);
  C(get_mempolicy, &mode, 0, 0, 0, 99);
  char *p = mmap(0, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  p[0] = 1;
  m = 1;
  C(mbind, p, 2 * PAGE, 2, &m, 8, 0);
  C(mbind, p + 1, 2 * PAGE, 2, &m, 8, 0);
  C(mbind, p, 2 * PAGE, 2, &m, 8, 8);
  C(mbind, p, 0, 2, &m, 8, 0);
  C(mbind, p, 2 * PAGE, 0, 0, 0, 0);
  void *pages[3] = {p, p + PAGE, BAD};
  int status[3] = {9, 9, 9}, wanted[3] = {0, 0, 0};
  C(move_pages, 0, 3, pages, 0, status, 0);
  printf("%d %d %d\n", status[0], status[1], status[2]);
  C(move_pages, 0, 1, pages, wanted, status, 2);
  printf("%d\n", status[0]);
  wanted[0] = 1;
  C(move_pages, 0, 1, pages, wanted, status, 2);
  C(move_pages, 999999, 1, pages, 0, status, 0);
  C(move_pages, 0, 1, pages, 0, status, 99);
  C(migrate_pages, 0, 8, &m, &m);
  C(migrate_pages, 999999, 8, &m, &m);
  munmap(p + PAGE, PAGE);
  C(mbind, p, 2 * PAGE, 2, &m, 8, 0);
}

static void priorities(void) {
  C(ioprio_get, 1, 0);
  C(ioprio_set, 1, 0, 2 << 13 | 6);
  C(ioprio_get, 1, 0);
  C(ioprio_get, 1, getpid());
  C(ioprio_set, 1, 0, 3 << 13 | 1);
  C(ioprio_get, 1, 0);
  C(ioprio_set, 1, 0, 3);
  C(ioprio_set, 1, 0, 4 << 13);
  C(ioprio_set, 1, 999999, 2 << 13);
  C(ioprio_set, 1, 0, 0);
  C(ioprio_get, 1, 999999);
  C(ioprio_get, 9, 0);
}

static void clocks(void) {
  struct timex t = {.modes = 0};
  struct timeval now;
  R(adjtimex(BAD));
  R(adjtimex(&t) >= 0);
  gettimeofday(&now, 0);
  printf("%ld %d\n", t.tick, labs(now.tv_sec - t.time.tv_sec) < 5);
  t.modes = 0;
  R(clock_adjtime(CLOCK_REALTIME, &t) >= 0);
  R(clock_adjtime(CLOCK_MONOTONIC, &t));
  R(clock_adjtime(99, &t));
}

static void files(void) {
  struct stat here;
  char facts[64];
  stat("/tmp", &here);
  C(ustat, here.st_dev, facts);
  C(ustat, 0xffff, facts);
  C(acct, "/nowhere");
  C(swapon, "/nowhere", 0);
  C(swapoff, "/nowhere");
  C(quotactl, 0x800001, 0, 0, 0);
  int fd = open("f", O_RDWR | O_CREAT, 0600);
  static char page[PAGE];
  for (int i = 0; i < 4; i++) write(fd, page, PAGE);
  struct { uint64_t offset, length; } range = {PAGE, 2 * PAGE};
  uint64_t cached[5] = {9};
  R(syscall(451, fd, &range, cached, 0));
  printf("%ld\n", (long)cached[0]);
  range.length = 0;
  R(syscall(451, fd, &range, cached, 0));
  printf("%ld\n", (long)cached[0]);
  R(syscall(451, fd, &range, cached, 1));
  R(syscall(451, 99, &range, cached, 0));
  R(syscall(451, fd, BAD, cached, 0));
  for (int i = 0; i < 4; i++) pwrite(fd, (char[]) {'a' + i}, 1, i * PAGE);
  char *p = mmap(0, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  R(remap_file_pages(p, PAGE, 0, 2, 0));
  R(remap_file_pages(p + 2 * PAGE, PAGE, 0, 0, 0));
  printf("%c%c%c%c\n", p[0], p[PAGE], p[2 * PAGE], p[3 * PAGE]);
  R(remap_file_pages(p, PAGE, 1, 2, 0));
  R(remap_file_pages(p, 0, 0, 2, 0));
  p = mmap(0, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
  R(remap_file_pages(p, PAGE, 0, 2, 0));
}

static void logs(void) {
  static char text[1 << 18];
  R(syscall(SYS_syslog, 10, 0, 0) > 1000);
  R(syscall(SYS_syslog, 3, text, sizeof text) > 100);
  R(syscall(SYS_syslog, 3, text, -1));
  R(syscall(SYS_syslog, 3, 0, 10));
  R(syscall(SYS_syslog, 99, text, 10));
}

int main() {
  begin("/tmp/abi-system");
  nodes();
  priorities();
  clocks();
  files();
  logs();
  return end("/tmp/abi-system");
}
