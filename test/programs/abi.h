/*
 * What the abi-*.c programs share. Each of them makes system calls and prints what they returned,
 * by the name of the error where they failed; the output on Linux is the expected output.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/sendfile.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

/* Prints what a call returned. */
#define R(call)                                                          \
  do {                                                                   \
    errno = 0;                                                           \
    long result_ = (long)(call);                                         \
    if (result_ < 0)                                                     \
      printf("%d %s = -%s\n", __LINE__, #call, strerrorname_np(errno));  \
    else                                                                 \
      printf("%d %s = %ld\n", __LINE__, #call, result_);                 \
  } while (0)

/* Prints only whether a call succeeded. */
#define OK(call)                                                              \
  do {                                                                        \
    errno = 0;                                                                \
    printf("%d %s: %s\n", __LINE__, #call,                                    \
           (long)(call) < 0 ? strerrorname_np(errno) : "ok");                 \
  } while (0)

/* An address that is never mapped. */
#define BAD ((void *)0x10)

static char buf[256];
static struct stat st;

/* Removes what is in a directory, down to two levels. */
static void empty_directory(const char *path) {
  DIR *directory = opendir(path);
  struct dirent *entry;
  while (directory && (entry = readdir(directory))) {
    char name[600];
    snprintf(name, sizeof name, "%s/%s", path, entry->d_name);
    if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, "..")) continue;
    if (unlink(name) < 0 && rmdir(name) < 0) {
      empty_directory(name);
      rmdir(name);
    }
  }
  if (directory) closedir(directory);
}

/* Starts with descriptors 0 to 2 only, in an empty directory of its own. */
static void begin(const char *directory) {
  syscall(SYS_close_range, 3, ~0U, 0);
  umask(022);
  signal(SIGPIPE, SIG_IGN);
  mkdir(directory, 0755);
  empty_directory(directory);
  if (chdir(directory) < 0) perror(directory);
}

/* Waits until the task of a `stat` file of /proc sleeps. */
static void await_sleep_of(const char *path) {
  char text[300];
  do {
    int fd = open(path, O_RDONLY);
    ssize_t length = read(fd, text, sizeof text - 1);
    close(fd);
    text[length > 0 ? length : 0] = 0;
    sched_yield();
  } while (!strstr(text, ") S "));
}

/* Waits until a process sleeps, in the call that it has told it is about to make. */
static void await_sleep(pid_t pid) {
  char path[40];
  snprintf(path, sizeof path, "/proc/%d/stat", pid);
  await_sleep_of(path);
}

/* The last line of every program. */
static int end(const char *directory) {
  if (chdir("/") == 0) empty_directory(directory);
  rmdir(directory);
  puts("end");
  return 0;
}
