/* Linux's asynchronous I/O: contexts, requests of every kind, what is refused, waiting, eventfds. */
#include "abi.h"

#include <linux/aio_abi.h>
#include <sys/time.h>
#include <sys/wait.h>

static aio_context_t context;
static struct io_event events[8];

static struct iocb request(int command, int fd, void *data, size_t bytes, long long offset) {
  struct iocb made = {0};
  made.aio_data = 100 + command;
  made.aio_lio_opcode = command;
  made.aio_fildes = fd;
  made.aio_buf = (unsigned long)data;
  made.aio_nbytes = bytes;
  made.aio_offset = offset;
  return made;
}

static long submit(struct iocb *one) { return syscall(SYS_io_submit, context, 1, &one); }

/* Takes what has finished. */
static void finished(void) {
  struct timespec none = {0, 0};
  const long count = syscall(SYS_io_getevents, context, 0, 8, events, &none);
  printf("finished %ld\n", count);
  for (long i = 0; i < count; i++) {
    printf("  %llu %lld %lld\n", events[i].data, events[i].res, events[i].res2);
  }
}

static void try(const char *what, struct iocb one) {
  const long taken = submit(&one);
  printf("%s: %ld %s key %u\n", what, taken, taken < 0 ? strerrorname_np(errno) : "", one.aio_key);
  if (taken == 1) R(syscall(SYS_io_getevents, context, 1, 8, events, NULL));
  if (taken == 1) printf("  %llu %lld\n", events[0].data, events[0].res);
}

static void contexts(void) {
  aio_context_t other = 5;
  R(syscall(SYS_io_setup, 4, &other));
  other = 0;
  R(syscall(SYS_io_setup, 0, &other));
  R(syscall(SYS_io_setup, -1, &other));
  R(syscall(SYS_io_setup, 4, BAD));
  R(syscall(SYS_io_setup, 4, &other));
  printf("named %d\n", other != 0);
  R(syscall(SYS_io_getevents, other, 0, 1, events, NULL));
  R(syscall(SYS_io_getevents, other, 2, 1, events, NULL));
  R(syscall(SYS_io_getevents, other, -1, 1, events, NULL));
  R(syscall(SYS_io_submit, other, -1, NULL));
  R(syscall(SYS_io_submit, other, 0, NULL));
  R(syscall(SYS_io_submit, other, 1, BAD));
  R(syscall(SYS_io_destroy, other));
  R(syscall(SYS_io_destroy, other));
  R(syscall(SYS_io_getevents, other, 0, 1, events, NULL));
  R(syscall(SYS_io_submit, other, 0, NULL));
  R(syscall(SYS_io_destroy, 0));
}

static void requests(void) {
  char text[64] = "0123456789", more[64] = "abcdef";
  struct iovec parts[2] = {{text, 3}, {more, 4}};
  const int file = open("file", O_RDWR | O_CREAT, 0644), reader = open("file", O_RDONLY);
  int ends[2];
  R(pipe(ends));
  try("write", request(IOCB_CMD_PWRITE, file, text, 10, 5));
  try("write list", request(IOCB_CMD_PWRITEV, file, parts, 2, 0));
  memset(text, 0, sizeof text);
  try("read", request(IOCB_CMD_PREAD, file, text, 60, 1));
  for (int i = 0; i < 16; i++) printf("%02x", text[i]);
  puts("");
  try("read list", request(IOCB_CMD_PREADV, file, parts, 2, 0));
  try("past the end", request(IOCB_CMD_PREAD, file, text, 10, 1000));
  try("fsync", request(IOCB_CMD_FSYNC, file, NULL, 0, 0));
  try("fdsync", request(IOCB_CMD_FDSYNC, file, NULL, 0, 0));
  try("fsync of a part", request(IOCB_CMD_FSYNC, file, NULL, 1, 0));
  try("no file", request(IOCB_CMD_PREAD, 99, text, 1, 0));
  try("not writable", request(IOCB_CMD_PWRITE, reader, text, 1, 0));
  try("unknown", request(77, file, text, 1, 0));
  try("before the start", request(IOCB_CMD_PREAD, file, text, 1, -1));
  try("too long", request(IOCB_CMD_PREAD, file, text, -1, 0));
  try("bad memory", request(IOCB_CMD_PREAD, file, BAD, 10, 0));
  try("into a pipe", request(IOCB_CMD_PWRITE, ends[1], "pipe", 4, 0));
  try("out of a pipe", request(IOCB_CMD_PREAD, ends[0], text, 10, 0));
  printf("%.4s\n", text);
  struct iocb strange = request(IOCB_CMD_PREAD, file, text, 1, 0);
  strange.aio_reserved2 = 1;
  try("reserved", strange);
  strange.aio_reserved2 = 0;
  strange.aio_rw_flags = 1 << 20;
  try("flags", strange);
  strange.aio_rw_flags = 2;
  try("durable", strange);
  strange.aio_rw_flags = 0;
  R(syscall(SYS_io_cancel, context, &strange, events));
  R(syscall(SYS_io_cancel, context, BAD, events));
}

static void several(void) {
  char text[4] = "abc";
  const int file = open("file", O_RDWR);
  struct iocb first = request(IOCB_CMD_PREAD, file, text, 1, 0), second = first, third = first;
  second.aio_data = 200;
  third.aio_lio_opcode = 77;
  struct iocb *list[4] = {&first, &second, &third, &first};
  R(syscall(SYS_io_submit, context, 4, list));
  finished();
  list[1] = BAD;
  R(syscall(SYS_io_submit, context, 2, list));
  R(syscall(SYS_io_getevents, context, 1, 8, BAD, NULL));
}

static void told(void) {
  char text[4];
  unsigned long long counter = 0;
  const int file = open("file", O_RDWR), teller = eventfd(0, EFD_NONBLOCK);
  struct iocb one = request(IOCB_CMD_PREAD, file, text, 1, 0);
  one.aio_flags = IOCB_FLAG_RESFD;
  one.aio_resfd = teller;
  R(submit(&one));
  R(submit(&one));
  R(read(teller, &counter, 8));
  printf("told %llu\n", counter);
  one.aio_resfd = file;
  R(submit(&one));
  one.aio_resfd = 99;
  R(submit(&one));
  finished();
}

static void *submit_late(void *argument) {
  usleep(30000);
  submit(argument);
  return NULL;
}

static void stop(int signal) { (void)signal; }

static void waiting(void) {
  char text[4];
  const int file = open("file", O_RDWR);
  struct iocb one = request(IOCB_CMD_PREAD, file, text, 2, 0);
  pthread_t thread;
  pthread_create(&thread, NULL, submit_late, &one);
  R(syscall(SYS_io_getevents, context, 1, 8, events, NULL));
  pthread_join(thread, NULL);
  struct timespec soon = {0, 20000000};
  R(syscall(SYS_io_getevents, context, 1, 8, events, &soon));
  R(submit(&one));
  R(syscall(SYS_io_getevents, context, 2, 8, events, &soon));
  struct sigaction action = {.sa_handler = stop};
  sigaction(SIGALRM, &action, NULL);
  struct itimerval timer = {{0, 0}, {0, 20000}};
  setitimer(ITIMER_REAL, &timer, NULL);
  R(syscall(SYS_io_getevents, context, 1, 8, events, NULL));
  sigset_t mask;
  sigemptyset(&mask);
  sigaddset(&mask, SIGALRM);
  struct {
    sigset_t *mask;
    size_t bytes;
  } masked = {&mask, 8};
  setitimer(ITIMER_REAL, &timer, NULL);
  soon.tv_nsec = 60000000;
  R(syscall(SYS_io_pgetevents, context, 1, 8, events, &soon, &masked));
}

static void after_fork(void) {
  fflush(stdout);
  const pid_t child = fork();
  if (child == 0) {
    struct timespec none = {0, 0};
    R(syscall(SYS_io_getevents, context, 0, 8, events, &none));
    fflush(stdout);
    _exit(0);
  }
  int status;
  waitpid(child, &status, 0);
  printf("child %d\n", status);
  finished();
}

int main(void) {
  begin("/tmp/abi-aio");
  contexts();
  R(syscall(SYS_io_setup, 64, &context));
  requests();
  several();
  told();
  waiting();
  after_fork();
  R(syscall(SYS_io_destroy, context));
  return end("/tmp/abi-aio");
}
