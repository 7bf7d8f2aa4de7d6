/*
 * `main` of a program under test: reads calls (function, count, arguments; 64 bits each) from
 * standard input, writes one line a result and finally the memory. A fault ends a call, not the
 * program.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

extern const unsigned char data_image[];
extern const u64 data_address, data_size;
static sigjmp_buf recovery;

static void dispatch(u32 function, const u64 *args);
static void report(u64 bits) { printf("%lx\n", bits); }
static void report_nan(void) { puts("nan"); }
static void report_void(void) { puts("void"); }
static void on_fault(int number) { siglongjmp(recovery, number); }

int main(void) {
  int faults[] = {SIGFPE, SIGILL, SIGSEGV, SIGBUS, SIGTRAP};
  struct sigaction action = {.sa_handler = on_fault, .sa_flags = SA_NODEFER};
  for (unsigned i = 0; i < sizeof faults / sizeof *faults; i++) sigaction(faults[i], &action, 0);
  void *memory = mmap((void *)MEMORY_START, MEMORY_BYTES, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
  if (memory != (void *)MEMORY_START) {
    perror("cannot map the test's memory");
    return 1;
  }
  for (u64 i = 0; i < data_size; i++) ((volatile unsigned char *)data_address)[i] = data_image[i];
  u64 head[2], args[16];
  while (fread(head, 8, 2, stdin) == 2) {
    if (head[1] > 16 || fread(args, 8, head[1], stdin) != head[1]) return 2;
    int fault = sigsetjmp(recovery, 1);
    if (fault == 0) dispatch((u32)head[0], args);
    else if (fault == SIGSEGV || fault == SIGBUS) puts("fault");
    else puts("trap");
  }
  fflush(stdout);
  fwrite((void *)MEMORY_START, 1, MEMORY_BYTES, stdout);
  return 0;
}
