/*
 * Makes 1,000 processes that execute a program and end, then runs a program with threads 100 times, and
 * says each time whether free memory is back where it was. Not for the host, where others use memory
 * too.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysinfo.h>
#include <sys/wait.h>
#include <unistd.h>

static long free_kilobytes(void) {
  struct sysinfo info;
  sysinfo(&info);
  return (long)(info.freeram * info.mem_unit / 1024);
}

static void *use_memory(void *argument) {
  for (int i = 0; i < 20; i++) {
    char *block = malloc(50000);
    memset(block, 1, 50000);
    free(block);
  }
  return argument;
}

/* Some threads are still there when the process ends. */
static int run_threads(void) {
  pthread_t made[8];
  for (int i = 0; i < 8; i++) pthread_create(&made[i], 0, use_memory, 0);
  for (int i = 0; i < 4; i++) pthread_join(made[i], 0);
  return 7;
}

static void make_processes(char *program, const char *kind, int count) {
  for (int i = 0; i < count; i++) {
    pid_t pid = i & 1 ? fork() : vfork();
    if (pid == 0) {
      execl(program, program, kind, (char *)0);
      _exit(127);
    }
    int status = -1;
    if (pid < 0 || waitpid(pid, &status, 0) != pid || status != 7 << 8) {
      printf("process %d: pid %d status %x\n", i, (int)pid, status);
      exit(1);
    }
  }
}

static void measure(char *program, const char *kind, int count) {
  make_processes(program, kind, 20); /* what is allocated once */
  long before = free_kilobytes();
  make_processes(program, kind, count);
  long lost = before - free_kilobytes();
  if (lost < 256) printf("%s: memory is back\n", kind);
  else printf("%s: %ld KiB lost\n", kind, lost);
}

int main(int argc, char **argv) {
  if (argc > 1) return strcmp(argv[1], "threads") ? 7 : run_threads();
  measure(argv[0], "plain", 1000);
  measure(argv[0], "threads", 100);
  return 0;
}
