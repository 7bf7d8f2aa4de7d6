/* Mapped files that change size, and futexes in them: between mappings, processes and programs. */
#include "abi.h"
#include <linux/futex.h>
#include <semaphore.h>
#include <setjmp.h>
#include <sys/wait.h>

#define PAGE 4096

static sigjmp_buf escape;

static void on_bus(int signal, siginfo_t *info, void *context) {
  siglongjmp(escape, signal);
}

/* The byte at an address, or the signal that reading it raises. */
static void look(const char *name, volatile char *at) {
  int signal = sigsetjmp(escape, 1);
  if (signal) printf("%s: %s\n", name, sigabbrev_np(signal));
  else printf("%s: %d\n", name, *at);
}

static void sizes(void) {
  int fd = open("f", O_RDWR | O_CREAT, 0600);
  char page[PAGE];
  for (int i = 0; i < 4; i++) {
    memset(page, 'a' + i, PAGE);
    write(fd, page, PAGE);
  }
  char *shared = mmap(0, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  char *private = mmap(0, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
  char *tail = mmap(0, 2 * PAGE, PROT_READ, MAP_SHARED, fd, 2 * PAGE);
  private[3 * PAGE] = 'P';
  private[0] = 'Q';
  look("shared 3", shared + 3 * PAGE);
  look("private 3", private + 3 * PAGE);
  look("tail 1", tail + PAGE);
  pid_t child = fork();
  if (child == 0) {
    shared[3 * PAGE] = 'c';
    raise(SIGSTOP);
    look("child shared 3", shared + 3 * PAGE);
    look("child private 3", private + 3 * PAGE);
    fflush(stdout);
    _exit(0);
  }
  int status;
  waitpid(child, &status, WUNTRACED);
  look("shared 3 after the child", shared + 3 * PAGE);
  R(ftruncate(fd, PAGE + 10));
  look("shared 1", shared + PAGE);
  look("shared 1 behind the end", shared + PAGE + 10);
  look("shared 2", shared + 2 * PAGE);
  look("shared 3", shared + 3 * PAGE);
  look("private 0", private);
  look("private 3", private + 3 * PAGE);
  look("tail 0", tail);
  fflush(stdout);
  kill(child, SIGCONT);
  waitpid(child, &status, 0);
  R(ftruncate(fd, 4 * PAGE));
  look("shared 3 grown", shared + 3 * PAGE);
  look("private 3 grown", private + 3 * PAGE);
  look("tail 1 grown", tail + PAGE);
  shared[2 * PAGE] = 'z';
  look("tail 0 grown", tail);
  R(ftruncate(fd, 0));
  R(write(1, shared, 1));
  munmap(shared, 4 * PAGE);
  munmap(private, 4 * PAGE);
  munmap(tail, 2 * PAGE);
  close(fd);
}

static void holes(void) {
  int fd = open("h", O_RDWR | O_CREAT, 0600);
  char page[PAGE];
  for (int i = 0; i < 3; i++) {
    memset(page, 'a' + i, PAGE);
    write(fd, page, PAGE);
  }
  char *shared = mmap(0, 3 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  char *private = mmap(0, 3 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
  look("shared", shared + PAGE);
  look("private", private + PAGE);
  private[PAGE + 1] = 'p';
  R(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, PAGE, PAGE));
  look("shared in the hole", shared + PAGE);
  look("private copy in the hole", private + PAGE);
  look("private copy in the hole", private + PAGE + 1);
  shared[PAGE] = 'n';
  R(pread(fd, page, 1, PAGE));
  printf("%c\n", page[0]);
  R(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 100, PAGE));
  look("before", shared + 99);
  look("after", shared + 100);
  close(fd);
}

/* Work on holes takes time for the data, not for the hole. */
static void sparse(void) {
  int fd = open("s", O_RDWR | O_CREAT, 0600);
  R(ftruncate(fd, 1L << 40));
  R(pwrite(fd, "x", 1, 1L << 39));
  R(lseek(fd, 0, SEEK_DATA) == 1L << 39);
  R(lseek(fd, (1L << 39) + PAGE, SEEK_DATA));
  R(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 10, 1L << 40));
  R(lseek(fd, 0, SEEK_DATA));
  close(fd);
}

static long futex(void *at, int operation, int value) {
  return syscall(SYS_futex, at, operation, value, NULL, NULL, 0);
}

/* The same word through two mappings of two opens, in two processes. */
static void words(void) {
  int fd = open("w", O_RDWR | O_CREAT, 0600);
  ftruncate(fd, 2 * PAGE);
  atomic_int *word = mmap(0, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, PAGE);
  pid_t child = fork();
  if (child == 0) {
    int again = open("w", O_RDWR);
    atomic_int *other = mmap(0, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, again, 0);
    atomic_int *mine = other + PAGE / sizeof(int);
    atomic_store(mine, 1);
    while (futex(mine, FUTEX_WAKE, 1) == 0) sched_yield();
    _exit(7);
  }
  while (atomic_load(word) == 0) sched_yield();
  R(futex(word, FUTEX_WAIT, 0));
  R(futex(word, FUTEX_WAIT, 1));
  int status;
  waitpid(child, &status, 0);
  printf("child %d\n", WEXITSTATUS(status));
  close(fd);
}

/* Named semaphores are files that are mapped; the other side is another program. */
static void semaphores(char *self) {
  sem_unlink("/abi-mapped-a");
  sem_unlink("/abi-mapped-b");
  sem_t *a = sem_open("/abi-mapped-a", O_CREAT | O_EXCL, 0600, 0);
  sem_t *b = sem_open("/abi-mapped-b", O_CREAT | O_EXCL, 0600, 0);
  fflush(stdout);
  pid_t child = fork();
  if (child == 0) {
    execl(self, self, "semaphores", NULL);
    _exit(1);
  }
  for (int i = 0; i < 20; i++) {
    sem_post(a);
    sem_wait(b);
  }
  int status;
  waitpid(child, &status, 0);
  printf("other program %d\n", WEXITSTATUS(status));
  sem_unlink("/abi-mapped-a");
  sem_unlink("/abi-mapped-b");
}

static int other_program(void) {
  sem_t *a = sem_open("/abi-mapped-a", 0);
  sem_t *b = sem_open("/abi-mapped-b", 0);
  for (int i = 0; i < 20; i++) {
    sem_wait(a);
    sem_post(b);
  }
  return 9;
}

int main(int argc, char **argv) {
  if (argc > 1) return other_program();
  char self[200];
  ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);
  self[length] = 0;
  begin("/tmp/abi-mapped-files");
  struct sigaction action = {.sa_sigaction = on_bus, .sa_flags = SA_SIGINFO};
  sigaction(SIGBUS, &action, NULL);
  sigaction(SIGSEGV, &action, NULL);
  sizes();
  holes();
  sparse();
  words();
  semaphores(self);
  return end("/tmp/abi-mapped-files");
}
