/*
 * Cross-modifying code as Java does it: one thread replaces an instruction by a jump and back, with
 * single aligned stores of 8 bytes, while another executes it. A processor sees the one or the other;
 * QEMU's translator also sees the first bytes of the one with the rest of the other, which here is a
 * store to an address that does not exist (docs/hypervisors.md), unless it emulates all processors in
 * one thread. Prints how often within 6 seconds.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

static const unsigned char store[8] = {0x89, 0x84, 0x24, 0x00, 0xf0, 0xff, 0xff, /* mov %eax, -4096(%rsp) */
                                       0xc3};
static const unsigned char jump[8] = {0xeb, 0x05, /* jmp to the ret */
                                      0x3a, 0x53, 0x07, 0xfe, 0xff, 0xc3};
static volatile uint64_t *code;
static volatile int stop;
static volatile long torn;
static sigjmp_buf again;

static void handler(int number) {
  torn++;
  siglongjmp(again, 1);
}

static void *replace(void *unused) {
  uint64_t one, other;
  memcpy(&one, store, 8);
  memcpy(&other, jump, 8);
  while (!stop) {
    __atomic_store_n(code, one, __ATOMIC_SEQ_CST);
    __atomic_store_n(code, other, __ATOMIC_SEQ_CST);
  }
  return 0;
}

int main(void) {
  code = mmap(0, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  memcpy((void *)code, store, 8);
  struct sigaction action = {.sa_handler = handler, .sa_flags = SA_NODEFER};
  sigaction(SIGSEGV, &action, 0);
  sigaction(SIGILL, &action, 0);
  pthread_t thread;
  pthread_create(&thread, 0, replace, 0);
  time_t end = time(0) + 6;
  sigsetjmp(again, 1);
  while (time(0) < end)
    for (int i = 0; i < 100; i++) ((void (*)(long, long, long))code)(0, 0, 0);
  stop = 1;
  pthread_join(thread, 0);
  printf("torn instructions: %ld\n", torn);
  return 0;
}
