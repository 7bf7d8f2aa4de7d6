/* What one process does with another: its memory, its files, its futexes; tee and vmsplice. */
#include "abi.h"
#include <linux/futex.h>
#include <linux/kcmp.h>
#include <sys/wait.h>

#define PAGE 4096

static long pidfd_of(pid_t pid) { return syscall(SYS_pidfd_open, pid, 0); }

static void memory(void) {
  char *area = mmap(0, 3 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  munmap(area + 2 * PAGE, PAGE);
  strcpy(area, "the child's words");
  strcpy(area + PAGE - 3, "across pages");
  int go[2];
  pipe(go);
  pid_t child = fork();
  if (child == 0) {
    strcpy(area, "changed by the child");
    write(go[1], "x", 1);
    while (area[1] != '!') usleep(1000);
    _exit(area[PAGE + 5]);
  }
  char c, copy[3 * PAGE];
  read(go[0], &c, 1);
  struct iovec local[2] = {{copy, 10}, {copy + 10, 90}}, remote[2] = {{area, 21}, {area + PAGE - 3, 13}};
  R(process_vm_readv(child, local, 2, remote, 2, 0));
  printf("%s|%s\n", copy, copy + 21);
  R(process_vm_readv(child, local, 2, remote, 2, 1));
  R(process_vm_readv(999999, local, 2, remote, 2, 0));
  R(process_vm_readv(child, local, 0, remote, 2, 0));
  R(process_vm_readv(child, local, 2, remote, 0, 0));
  R(process_vm_readv(child, local, -1, remote, 2, 0));
  local[1].iov_base = copy;
  local[1].iov_len = sizeof copy;
  remote[0] = (struct iovec) {area + PAGE, 2 * PAGE};
  R(process_vm_readv(child, local + 1, 1, remote, 1, 0));
  remote[0] = (struct iovec) {area + 2 * PAGE, 10};
  R(process_vm_readv(child, local + 1, 1, remote, 1, 0));
  local[1].iov_base = BAD;
  remote[0] = (struct iovec) {area, 10};
  R(process_vm_readv(child, local + 1, 1, remote, 1, 0));
  copy[0] = 42;
  local[0] = (struct iovec) {copy, 1};
  remote[0] = (struct iovec) {area + PAGE + 5, 1};
  R(process_vm_writev(child, local, 1, remote, 1, 0));
  copy[0] = '!';
  remote[0].iov_base = area + 1;
  R(process_vm_writev(child, local, 1, remote, 1, 0));
  int status;
  waitpid(child, &status, 0);
  printf("child %d, here %c\n", WEXITSTATUS(status), area[1]);
  R(process_vm_readv(getpid(), local, 1, remote, 1, 0));
}

static void resources(void) {
  int fd = open("f", O_RDWR | O_CREAT, 0600), other = open("f", O_RDONLY), twin = dup(fd);
  pid_t self = getpid();
#define KCMP(...) syscall(SYS_kcmp, __VA_ARGS__)
  R(KCMP(self, self, KCMP_VM, 0, 0));
  R(KCMP(self, self, KCMP_FILE, fd, twin));
  R(KCMP(self, self, KCMP_FILE, fd, other) > 0);
  R(KCMP(self, self, KCMP_FILE, fd, 99));
  R(KCMP(self, self, 99, 0, 0));
  R(KCMP(self, 999999, KCMP_VM, 0, 0));
  int hold[2];
  pipe(hold);
  pid_t child = fork();
  if (child == 0) {
    char c;
    close(hold[1]);
    read(hold[0], &c, 1);
    _exit(0);
  }
  R(KCMP(self, child, KCMP_FILE, fd, twin));
  R(KCMP(self, child, KCMP_VM, 0, 0) > 0);
  R(KCMP(self, child, KCMP_FILES, 0, 0) > 0);
  R(KCMP(self, child, KCMP_IO, 0, 0));
  int pidfd = pidfd_of(child);
  int got = syscall(SYS_pidfd_getfd, pidfd, fd, 0);
  OK(got);
  R(KCMP(self, self, KCMP_FILE, fd, got));
  R(fcntl(got, F_GETFD));
  R(syscall(SYS_pidfd_getfd, pidfd, 99, 0));
  R(syscall(SYS_pidfd_getfd, fd, 0, 0));
  R(syscall(SYS_pidfd_getfd, pidfd, 0, 1));
  char *area = mmap(0, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  struct iovec range = {area, 0};
  R(syscall(SYS_process_madvise, pidfd, &range, 1, MADV_COLD, 0));
  R(syscall(SYS_process_madvise, pidfd, &range, 1, MADV_COLD, 1));
  R(syscall(SYS_process_madvise, fd, &range, 1, MADV_COLD, 0));
  close(hold[1]);
  waitpid(child, 0, 0);
  R(syscall(SYS_pidfd_getfd, pidfd, 0, 0));
  R(unshare(CLONE_FILES | CLONE_FS));
  R(unshare(1));
  R(setns(-1, 0));
  R(setns(fd, 0));
}

static void pipes(void) {
  int a[2], b[2];
  pipe(a);
  pipe(b);
  write(a[1], "hello world", 11);
  R(tee(a[0], b[1], 5, 0));
  R(tee(a[0], b[1], 100, SPLICE_F_NONBLOCK));
  R(read(b[0], buf, 100));
  printf("%.16s\n", buf);
  R(read(a[0], buf, 100));
  R(tee(a[0], b[1], 100, SPLICE_F_NONBLOCK));
  R(tee(a[0], a[1], 100, 0));
  R(tee(a[1], b[1], 100, 0));
  R(tee(a[0], 99, 100, 0));
  R(tee(a[0], 1, 0, 0));
  R(tee(a[0], b[1], 1, 0x100));
  char one[] = "one", two[] = "two!";
  struct iovec vectors[2] = {{one, 3}, {two, 4}};
  R(vmsplice(a[1], vectors, 2, 0));
  R(read(a[0], buf, 100));
  printf("%.7s\n", buf);
  R(vmsplice(1, vectors, 1, 0x100));
  write(a[1], "abcdef", 6);
  R(vmsplice(a[0], vectors, 2, 0));
  printf("%.3s %.4s\n", one, two);
  R(vmsplice(a[0], vectors, 2, SPLICE_F_NONBLOCK));
  static char big[100000] __attribute__((aligned(PAGE)));
  vectors[0] = (struct iovec) {big, sizeof big};
  R(vmsplice(a[1], vectors, 1, SPLICE_F_NONBLOCK));
  R(vmsplice(a[1], vectors, 1, SPLICE_F_NONBLOCK));
  close(a[1]);
  R(ioctl(a[0], FIONREAD, buf));
  printf("%d\n", *(int *)buf);
  close(b[1]);
  R(tee(b[0], b[1], 1, 0));
}

struct word { uint64_t value, address; uint32_t flags, reserved; };
#define WAITV(...) syscall(449, __VA_ARGS__)
#define WAKE(...) syscall(454, __VA_ARGS__)
#define WAIT(...) syscall(455, __VA_ARGS__)
#define REQUEUE(...) syscall(456, __VA_ARGS__)

static atomic_int first, second, third;

static void *waker(void *argument) {
  long which = (long)argument;
  atomic_int *word = which ? &second : &first;
  while (WAKE(word, ~0U, 1, 2 | 128) == 0) sched_yield();
  return 0;
}

static void *waiter(void *argument) {
  return (void *)WAIT(&first, 0, 4, 2 | 128, NULL, CLOCK_MONOTONIC);
}

static void words(void) {
  struct word list[3] = {{0, (uint64_t)&first, 2 | 128}, {0, (uint64_t)&second, 2 | 128}, {0, (uint64_t)&third, 2}};
  struct timespec past = {1, 0}, bad = {0, -1};
  R(WAITV(list, 0, 0, 0, 0));
  R(WAITV(list, 129, 0, 0, 0));
  R(WAITV(list, 3, 1, 0, 0));
  R(WAITV(0, 3, 0, 0, 0));
  R(WAITV(BAD, 3, 0, 0, 0));
  R(WAITV(list, 3, 0, &past, 0));
  R(WAITV(list, 3, 0, &past, CLOCK_MONOTONIC));
  R(WAITV(list, 3, 0, &bad, CLOCK_MONOTONIC));
  R(WAITV(list, 3, 0, &past, 99));
  list[2].value = 1;
  R(WAITV(list, 3, 0, 0, 0));
  list[2].value = 0;
  list[2].reserved = 1;
  R(WAITV(list, 3, 0, 0, 0));
  list[2].reserved = 0;
  list[2].flags = 1;
  R(WAITV(list, 3, 0, 0, 0));
  list[2].flags = 2;
  list[2].address++;
  R(WAITV(list, 3, 0, 0, 0));
  list[2].address--;
  for (long which = 0; which < 2; which++) {
    pthread_t thread;
    pthread_create(&thread, 0, waker, (void *)which);
    R(WAITV(list, 3, 0, 0, 0));
    pthread_join(thread, 0);
  }
  R(WAKE(&first, 0, 1, 2));
  R(WAKE(&first, 1, 1, 1));
  R(WAKE(&first, 1UL << 32, 1, 2));
  R(WAKE(&first, 1, 1, 2));
  R(WAIT(&first, 1, 1, 2, NULL, 0));
  R(WAIT(&first, 0, 0, 2, NULL, 0));
  R(WAIT(&first, 0, 1, 2, &past, CLOCK_MONOTONIC));
  R(WAIT(&first, 0, 1, 2, &past, 77));
  pthread_t thread;
  void *result;
  pthread_create(&thread, 0, waiter, 0);
  struct word from_to[2] = {{0, (uint64_t)&first, 2 | 128}, {0, (uint64_t)&second, 2 | 128}};
  while (REQUEUE(from_to, 0, 0, 1) == 0) sched_yield();
  R(WAKE(&first, 4, 1, 2 | 128));
  R(WAKE(&second, 3, 1, 2 | 128));
  R(WAKE(&second, 4, 1, 2 | 128));
  pthread_join(thread, &result);
  R((long)result);
  R(REQUEUE(from_to, 1, 0, 1));
  R(REQUEUE(0, 0, 0, 1));
  from_to[0].value = 7;
  R(REQUEUE(from_to, 0, 0, 1));
  from_to[0].value = 0;
  R(REQUEUE(from_to, 0, -1, 1));
}

int main() {
  begin("/tmp/abi-other-process");
  setvbuf(stdout, 0, _IONBF, 0);
  memory();
  resources();
  pipes();
  words();
  return end("/tmp/abi-other-process");
}
