/*
 * Makes 1,000 processes that execute a program and end, and says whether free memory is back where it
 * was. Not for the host, where others use memory too.
 */
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

static void make_processes(char *program, int count) {
  for (int i = 0; i < count; i++) {
    pid_t pid = i & 1 ? fork() : vfork();
    if (pid == 0) {
      execl(program, program, "child", (char *)0);
      _exit(127);
    }
    int status = -1;
    if (pid < 0 || waitpid(pid, &status, 0) != pid || status != 7 << 8) {
      printf("process %d: pid %d status %x\n", i, (int)pid, status);
      exit(1);
    }
  }
}

int main(int argc, char **argv) {
  if (argc > 1 && !strcmp(argv[1], "child")) return 7;
  make_processes(argv[0], 20); /* what is allocated once */
  long before = free_kilobytes();
  make_processes(argv[0], 1000);
  long lost = before - free_kilobytes();
  if (lost < 256) puts("memory is back");
  else printf("%ld KiB lost\n", lost);
  return 0;
}
