/*
 * What /proc says of memory in use: smaps of one mapping before and after fork(2) and of a file's
 * mapping, and that status, statm and smaps_rollup agree with each other.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PAGE = 4096, PAGES = 1024 };

/* The number behind `name` in a file of /proc/self, after the line that begins with `head`. */
static long figure(const char *path, const char *head, const char *name) {
  FILE *file = fopen(path, "r");
  char line[512];
  int inside = head == NULL;
  long value = -1;
  while (value < 0 && fgets(line, sizeof line, file)) {
    if (!inside) inside = strncmp(line, head, strlen(head)) == 0;
    else if (strncmp(line, name, strlen(name)) == 0) value = atol(line + strlen(name));
  }
  fclose(file);
  return value;
}

static void tell(const char *when, const void *mapping) {
  static const char *const names[] = {"Size:",          "Rss:",           "Pss:",
                                      "Shared_Clean:",  "Shared_Dirty:",  "Private_Clean:",
                                      "Private_Dirty:", "Anonymous:",     "AnonHugePages:"};
  char head[32];
  snprintf(head, sizeof head, "%lx-", (unsigned long)mapping);
  printf("%s:", when);
  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    printf(" %s%ld", names[i], figure("/proc/self/smaps", head, names[i]));
  puts("");
  fflush(stdout);
}

int main(void) {
  /* Guards keep the mapping from growing together with its neighbours. */
  char *guarded = mmap(NULL, (PAGES + 2) * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  char *mapping = guarded + PAGE;
  mprotect(mapping, PAGES * PAGE, PROT_READ | PROT_WRITE);
  madvise(mapping, PAGES * PAGE, MADV_NOHUGEPAGE);
  tell("untouched", mapping);
  /* Upwards, a kernel might have some more pages ready. */
  for (int i = 99; i >= 0; i--) mapping[i * PAGE] = 1;
  for (int i = 500; i < 520; i++)
    if (mapping[i * PAGE]) return 1;
  tell("touched", mapping);
  if (fork() == 0) {
    tell("after fork", mapping);
    for (int i = 9; i >= 0; i--) mapping[i * PAGE] = 2;
    tell("ten copied", mapping);
    return 0;
  }
  wait(NULL);
  tell("alone again", mapping);

  char name[] = "/tmp/abi-memory-usageXXXXXX";
  int file = mkstemp(name);
  unlink(name);
  char page[PAGE];
  memset(page, 7, PAGE);
  for (int i = 0; i < 8; i++) write(file, page, PAGE);
  char *mapped = mmap(NULL, 8 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, file, 0);
  for (int i = 0; i < 8; i++)
    if (mapped[i * PAGE] != 7) return 1;
  mapped[0] = 8;
  char head[32];
  snprintf(head, sizeof head, "%lx-", (unsigned long)mapped);
  printf("private mapping of a file: rss %ld, anonymous %ld\n",
         figure("/proc/self/smaps", head, "Rss:"), figure("/proc/self/smaps", head, "Anonymous:"));

  long resident = figure("/proc/self/status", NULL, "VmRSS:");
  long parts = figure("/proc/self/status", NULL, "RssAnon:") +
               figure("/proc/self/status", NULL, "RssFile:") +
               figure("/proc/self/status", NULL, "RssShmem:");
  long rollup = figure("/proc/self/smaps_rollup", NULL, "Rss:");
  printf("parts are the whole: %d\n", resident == parts);
  /* Linux counts in batches for each processor. */
  printf("rollup agrees: %d\n", labs(rollup - resident) < 1024);
  printf("more than this mapping is resident: %d\n", rollup > 400);
  FILE *statm = fopen("/proc/self/statm", "r");
  long size, all, shared;
  if (fscanf(statm, "%ld %ld %ld", &size, &all, &shared) != 3) return 1;
  printf("some pages are of files, some not: %d\n", shared > 0 && shared < all);
  return 0;
}
