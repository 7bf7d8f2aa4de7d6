/*
 * What only several processors get wrong: translations that outlive mprotect, munmap and madvise,
 * two faults on one page, copies on write while others write, vector registers of threads that are
 * preempted, moved and signalled. Each part prints how many wrong things it saw.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <immintrin.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define WORKERS 4
#define PAGE 4096
#define HUGE_PAGE (2 << 20)

static atomic_long wrong;
static atomic_int stop, ready;
static long processors;

static void report(const char *what) {
  printf("%s: %ld wrong\n", what, atomic_exchange(&wrong, 0));
}

static void start(pthread_t *threads, int count, void *(*run)(void *)) {
  stop = ready = 0;
  for (long i = 0; i < count; i++) pthread_create(&threads[i], 0, run, (void *)i);
}

static void finish(pthread_t *threads, int count) {
  stop = 1;
  for (int i = 0; i < count; i++) pthread_join(threads[i], 0);
}

static void *pages(size_t bytes) {
  char *room = mmap(0, bytes + HUGE_PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  char *start = (char *)(((uintptr_t)room + HUGE_PAGE - 1) & ~(uintptr_t)(HUGE_PAGE - 1));
  mprotect(start, bytes, PROT_READ | PROT_WRITE);
  return start;
}

static void pin(unsigned long mask) {
  syscall(SYS_sched_setaffinity, 0, sizeof mask, &mask);
}

/* Vector and general registers keep a thread's own values through everything. */

static int has_avx;

static void clobber(int number) {
  if (has_avx) {
    uint64_t junk[4] = {~0ul, number, ~0ul, number};
    asm volatile("vmovdqu %0, %%ymm0; vmovdqu %0, %%ymm7; vmovdqu %0, %%ymm15" ::"m"(junk)
                 : "xmm0", "xmm7", "xmm15");
  } else asm volatile("pcmpeqd %%xmm0, %%xmm0; pcmpeqd %%xmm15, %%xmm15" ::: "xmm0", "xmm15");
}

/* Loads registers, makes system call `nr` (or spins), and counts the registers that changed. */
static int keep_avx(uint64_t pattern, long nr, long spins) {
  uint64_t in[4] = {pattern, ~pattern, pattern * 3, pattern ^ 0x5555}, out[4] = {0}, out2[4] = {0};
  uint64_t r12, r13, seen_rbx;
  asm volatile("vmovdqu (%[in]), %%ymm1; vmovdqu (%[in]), %%ymm6; vmovdqu (%[in]), %%ymm15\n"
               "mov %[pattern], %%r12; mov %[pattern], %%r13; mov %[pattern], %%rbx\n"
               "1: test %[nr], %[nr]; js 2f\n"
               "mov %[nr], %%rax; syscall\n"
               "2: dec %[spins]; jnz 1b\n"
               "vpxor %%ymm6, %%ymm1, %%ymm6; vmovdqu %%ymm6, (%[out2])\n"
               "vmovdqu %%ymm15, (%[out])\n"
               "mov %%r12, %[r12]; mov %%r13, %[r13]; mov %%rbx, %[seen]\n"
               : [spins] "+r"(spins), [r12] "=m"(r12), [r13] "=m"(r13), [seen] "=m"(seen_rbx)
               : [in] "r"(in), [out] "r"(out), [out2] "r"(out2), [pattern] "r"(pattern), [nr] "r"(nr)
               : "rax", "rcx", "r11", "r12", "r13", "rbx", "xmm1", "xmm6", "xmm15", "memory");
  int bad = (r12 != pattern) + (r13 != pattern) + (seen_rbx != pattern);
  for (int i = 0; i < 4; i++) bad += (out[i] != in[i]) + (out2[i] != 0);
  return bad;
}

static int keep_sse(uint64_t pattern, long nr, long spins) {
  uint64_t in[2] = {pattern, ~pattern}, out[2] = {0};
  asm volatile("movdqu (%[in]), %%xmm1; movdqu (%[in]), %%xmm15\n"
               "1: test %[nr], %[nr]; js 2f\n"
               "mov %[nr], %%rax; syscall\n"
               "2: dec %[spins]; jnz 1b\n"
               "pxor %%xmm1, %%xmm15; movdqu %%xmm15, (%[out])\n"
               : [spins] "+r"(spins)
               : [in] "r"(in), [out] "r"(out), [nr] "r"(nr)
               : "rax", "rcx", "r11", "xmm1", "xmm15", "memory");
  return (out[0] != 0) + (out[1] != 0);
}

static void *keep_registers(void *index) {
  uint64_t pattern = ((uint64_t)(long)index + 1) * 0x0123456789abcdef;
  for (int i = 0; i < 300; i++) {
    if (i % 8 == 0) pin(1ul << ((i / 8 + (long)index) % processors));
    if (i % 64 == 0) pin(~0ul);
    long nr = i % 3 == 0 ? SYS_sched_yield : -1;
    long spins = nr < 0 ? 20000 : 20;
    wrong += has_avx ? keep_avx(pattern + i, nr, spins) : keep_sse(pattern + i, nr, spins);
  }
  return 0;
}

static void registers(void) {
  pthread_t threads[WORKERS * 2];
  struct sigaction action = {.sa_handler = clobber};
  sigaction(SIGUSR1, &action, 0);
  start(threads, WORKERS * 2, keep_registers);
  for (int i = 0; i < 2000; i++) {
    pthread_kill(threads[i % (WORKERS * 2)], SIGUSR1);
    if (i % 16 == 0) sched_yield();
  }
  finish(threads, WORKERS * 2);
  report("registers");
}

/* A new thread starts with its maker's control word, not with that of a thread that has ended. */

static void *change_rounding(void *unused) {
  pin(1);
  _mm_setcsr(_mm_getcsr() | _MM_ROUND_TOWARD_ZERO);
  pin(2);
  return 0;
}

static void *look_at_rounding(void *unused) {
  if (_mm_getcsr() & _MM_ROUND_MASK) wrong++;
  return 0;
}

static void control_words(void) {
  for (int i = 0; i < 50 && processors > 1; i++) {
    pthread_t thread;
    pin(2);
    pthread_create(&thread, 0, change_rounding, 0);
    pthread_join(thread, 0);
    pin(3);
    pthread_create(&thread, 0, look_at_rounding, 0);
    pthread_join(thread, 0);
  }
  pin(~0ul);
  report("control words");
}

/* After mprotect to read-only has returned, nobody's write arrives. */

static volatile atomic_long *cells;
static size_t cell_stride;

static void retry(int number, siginfo_t *info, void *context) {
  if (info->si_code != SEGV_ACCERR) abort();
  sched_yield();
}

static void *write_cells(void *index) {
  volatile atomic_long *cell = (void *)((char *)cells + (long)index * cell_stride);
  ready++;
  while (!stop) (*cell)++;
  return 0;
}

static void protection(const char *what, char *area, size_t from, size_t bytes, size_t stride) {
  pthread_t threads[WORKERS];
  cells = (void *)(area + from);
  cell_stride = stride;
  memset(area + from, 0, bytes);
  start(threads, WORKERS, write_cells);
  while (ready < WORKERS) sched_yield();
  for (int round = 0; round < 60; round++) {
    mprotect(area + from, bytes, PROT_READ);
    long before[WORKERS];
    for (int i = 0; i < WORKERS; i++) before[i] = *(long *)(area + from + i * stride);
    for (int spin = 0; spin < 200; spin++) asm volatile("pause");
    for (int i = 0; i < WORKERS; i++) wrong += before[i] != *(long *)(area + from + i * stride);
    mprotect(area + from, bytes, PROT_READ | PROT_WRITE);
    if (round % 4 == 0) sched_yield();
  }
  finish(threads, WORKERS);
  report(what);
}

/* Memory given back is not seen through old translations: nobody sees what its next owner writes. */

#define POISON 0x5a5a5a5a5a5a5a5a

static void *recycle(void *unused) {
  while (!stop) {
    size_t bytes = 64 * PAGE;
    uint64_t *area = mmap(0, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    for (size_t i = 0; i < bytes / 8; i += PAGE / 8) {
      if (area[i]) wrong++;
      area[i] = area[i + 1] = POISON;
    }
    munmap(area, bytes);
  }
  return 0;
}

static char *shared_area;
static size_t shared_bytes;

/* Every page holds 0 or a word that only this area's threads write. */
static void *visit(void *index) {
  unsigned seed = (long)index;
  while (!stop) {
    seed = seed * 1664525 + 1013904223;
    volatile uint64_t *word = (void *)(shared_area + (seed >> 8) % (shared_bytes / PAGE) * PAGE);
    if (word[1] == POISON || word[0] == POISON) wrong++;
    if (seed & 128) *word = (uint64_t)word | 1;
    uint64_t seen = *word;
    if (seen && seen != ((uint64_t)word | 1)) wrong++;
  }
  return 0;
}

static void *visit_or_recycle(void *index) {
  return (long)index % 2 ? visit(index) : recycle(0);
}

static void recycling(void) {
  pthread_t threads[WORKERS];
  shared_bytes = 2 * HUGE_PAGE;
  shared_area = pages(shared_bytes);
  start(threads, WORKERS, visit_or_recycle);
  for (int round = 0; round < 120; round++) {
    size_t at = (size_t)(round * 37 % 512) * PAGE, bytes = (1 + round * 13 % 96) * PAGE;
    switch (round % 3) {
    case 0:
      madvise(shared_area + at, bytes, MADV_DONTNEED);
      break;
    case 1:
      if (mmap(shared_area + at, bytes, PROT_READ | PROT_WRITE,
               MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED)
        wrong++;
      break;
    default:
      madvise(shared_area, shared_bytes, MADV_DONTNEED); /* large pages come back */
    }
    if (round % 4 == 0) sched_yield();
  }
  finish(threads, WORKERS);
  munmap(shared_area, shared_bytes);
  report("recycling");
}

/* Threads that touch a page at the same time all touch the same page. */

static _Atomic(atomic_long *) touched;
static atomic_int arrived;

static void *touch(void *unused) {
  atomic_long *last = 0;
  while (!stop) {
    atomic_long *cell = touched;
    if (cell == last) {
      sched_yield();
      continue;
    }
    last = cell;
    if (cell) {
      (*cell)++;
      arrived++;
    }
  }
  return 0;
}

static void first_touch(const char *what, size_t step, int rounds) {
  pthread_t threads[WORKERS];
  touched = 0;
  start(threads, WORKERS, touch);
  char *area = pages(step * 8);
  for (int round = 0; round < rounds; round++) {
    if (round % 8 == 0) madvise(area, step * 8, MADV_DONTNEED);
    if (round % 3 == 0) (void)*(volatile char *)(area + round % 8 * step); /* the zero page first */
    arrived = 0;
    touched = (void *)(area + round % 8 * step);
    while (arrived < WORKERS) sched_yield();
    if (*touched != WORKERS) wrong++;
    touched = 0;
    sched_yield();
  }
  finish(threads, WORKERS);
  munmap(area, step * 8);
  report(what);
}

/* A child sees each thread's counters as they were at one moment; its writes stay its own. */

static long (*pairs)[PAGE / 8];

static void *count_pairs(void *index) {
  volatile long *one = pairs[2 * (long)index], *two = pairs[2 * (long)index + 1];
  for (long n = 1; !stop; n++) {
    *one = n;
    asm volatile("" ::: "memory");
    *two = n;
    if (*one != n) wrong++;
  }
  return 0;
}

static void copies(void) {
  pthread_t threads[WORKERS];
  pairs = pages(HUGE_PAGE);
  memset(pairs, 0, 2 * WORKERS * PAGE);
  start(threads, WORKERS, count_pairs);
  for (int round = 0; round < 20; round++) {
    pid_t child = fork();
    if (child == 0) {
      int bad = 0;
      for (int i = 0; i < WORKERS; i++) {
        long one = pairs[2 * i][0], two = pairs[2 * i + 1][0];
        bad += one != two && one != two + 1;
        pairs[2 * i][0] = pairs[2 * i + 1][0] = -1;
      }
      _exit(bad);
    }
    int status;
    waitpid(child, &status, 0);
    wrong += status != 0;
  }
  finish(threads, WORKERS);
  report("copies");
}

int main(void) {
  setvbuf(stdout, 0, _IONBF, 0);
  processors = sysconf(_SC_NPROCESSORS_ONLN);
  has_avx = __builtin_cpu_supports("avx2") != 0;
  registers();
  control_words();
  struct sigaction action = {.sa_sigaction = retry, .sa_flags = SA_SIGINFO | SA_NODEFER};
  sigaction(SIGSEGV, &action, 0);
  char *area = pages(2 * HUGE_PAGE);
  protection("protection, a page", area, 0, PAGE, 64);
  protection("protection, pages", area, 0, WORKERS * PAGE, PAGE);
  protection("protection, many pages", area, 0, 80 * PAGE, 17 * PAGE);
  madvise(area, 2 * HUGE_PAGE, MADV_DONTNEED);
  protection("protection, a large page", area, 0, HUGE_PAGE, HUGE_PAGE / WORKERS);
  madvise(area, 2 * HUGE_PAGE, MADV_DONTNEED);
  area[0] = 1;
  protection("protection, part of a large page", area, 8 * PAGE, 8 * PAGE, PAGE);
  munmap(area, 2 * HUGE_PAGE);
  recycling();
  first_touch("first touch", PAGE, 100);
  first_touch("first touch of large pages", HUGE_PAGE, 40);
  copies();
  puts("end");
  return 0;
}
