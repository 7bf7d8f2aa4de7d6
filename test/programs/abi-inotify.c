/* inotify: which events come for what, in which order, with which names. */
#include "abi.h"
#include <sys/inotify.h>

static int fd;

static const char *names[32] = {
  "ACCESS", "MODIFY", "ATTRIB", "CLOSE_WRITE", "CLOSE_NOWRITE", "OPEN", "MOVED_FROM", "MOVED_TO",
  "CREATE", "DELETE", "DELETE_SELF", "MOVE_SELF", "?12", "UNMOUNT", "Q_OVERFLOW", "IGNORED",
  [30] = "ISDIR", [31] = "ONESHOT",
};

/* Prints and removes all events. */
static void show(const char *what) {
  char buffer[8192] __attribute__((aligned(8)));
  uint32_t cookies[64], known = 0;
  printf("%s:\n", what);
  ssize_t length;
  while ((length = read(fd, buffer, sizeof buffer)) > 0) {
    for (char *at = buffer; at < buffer + length;) {
      struct inotify_event *event = (void *)at;
      printf("  %d", event->wd);
      for (int bit = 0; bit < 32; bit++)
        if (event->mask >> bit & 1) printf(" %s", names[bit]);
      if (event->cookie) {
        uint32_t i = 0;
        while (i < known && cookies[i] != event->cookie) i++;
        if (i == known) cookies[known++] = event->cookie;
        printf(" cookie %d", i);
      }
      printf(" %d %s\n", event->len, event->len ? event->name : "");
      at += sizeof *event + event->len;
    }
  }
}

static void directories(void) {
  mkdir("d", 0755);
  mkdir("e", 0755);
  R(inotify_add_watch(fd, "d", IN_ALL_EVENTS));
  R(inotify_add_watch(fd, "e", IN_ALL_EVENTS));
  int file = open("d/file", O_RDWR | O_CREAT, 0600);
  show("create");
  write(file, "hello", 5);
  write(file, "hello", 5);
  pread(file, buf, 3, 0);
  show("write and read");
  ftruncate(file, 3);
  fchmod(file, 0644);
  fchown(file, 0, 0);
  show("truncate, chmod, chown");
  struct timespec times[2] = {{1, 0}, {0, UTIME_OMIT}};
  futimens(file, times);
  times[0].tv_nsec = UTIME_OMIT;
  times[1].tv_nsec = 0;
  futimens(file, times);
  futimens(file, NULL);
  show("times");
  fallocate(file, 0, 0, 100);
  show("allocate");
  close(file);
  show("close");
  file = open("d/file", O_RDONLY);
  close(file);
  close(open("d/file", O_PATH));
  show("read only");
  truncate("d/file", 1);
  chmod("d/file", 0600);
  setxattr("d/file", "user.a", "b", 1, 0);
  show("by path");
  symlink("file", "d/link");
  link("d/file", "d/hard");
  mkdir("d/sub", 0755);
  mknod("d/fifo", S_IFIFO | 0600, 0);
  show("other names");
  DIR *directory = opendir("d");
  while (readdir(directory)) continue;
  closedir(directory);
  show("list");
  rename("d/link", "d/renamed-link");
  rename("d/renamed-link", "e/a-name-that-is-longer-than-the-header");
  rename("d/sub", "e/sub");
  show("rename");
  rename("d/hard", "e/hard");
  rename("d/fifo", "e/hard");
  show("rename onto");
  syscall(SYS_renameat2, AT_FDCWD, "e/hard", AT_FDCWD, "e/sub", 2);
  show("exchange");
  unlink("e/sub");
  unlink("e/a-name-that-is-longer-than-the-header");
  rmdir("e/hard");
  unlink("d/file");
  show("remove");
  file = open("d/open", O_RDWR | O_CREAT, 0600);
  unlink("d/open");
  write(file, "x", 1);
  close(file);
  show("removed while open");
  rmdir("e");
  show("remove a watched directory");
  rename("d", "d2");
  chmod("d2", 0700);
  show("move a watched directory");
  R(inotify_rm_watch(fd, 1));
  show("no more");
  R(inotify_rm_watch(fd, 1));
  R(inotify_rm_watch(fd, 2));
}

static void files(void) {
  int file = open("f", O_RDWR | O_CREAT, 0600);
  int watch = inotify_add_watch(fd, "f", IN_ALL_EVENTS);
  R(watch);
  link("f", "g");
  write(file, "x", 1);
  rename("f", "h");
  show("a file");
  unlink("h");
  show("one of two names");
  unlink("g");
  show("the other");
  close(file);
  show("closed");
  close(open("f", O_RDWR | O_CREAT, 0600));
  R(inotify_add_watch(fd, "f", IN_MODIFY) - watch);
  R(inotify_add_watch(fd, "f", IN_OPEN | IN_MASK_ADD) - watch);
  R(inotify_add_watch(fd, "f", IN_OPEN | IN_MASK_CREATE));
  R(inotify_add_watch(fd, "f", IN_OPEN | IN_MASK_CREATE | IN_MASK_ADD));
  file = open("f", O_WRONLY);
  write(file, "x", 1);
  write(file, "x", 1);
  write(file, "x", 1);
  close(file);
  show("the same again");
  R(inotify_add_watch(fd, "f", IN_OPEN | IN_ONESHOT) - watch);
  close(open("f", O_RDONLY));
  close(open("f", O_RDONLY));
  show("once");
  close(open("o", O_RDWR | O_CREAT, 0600));
  inotify_add_watch(fd, "o", IN_DELETE_SELF);
  close(open("p", O_RDWR | O_CREAT, 0600));
  rename("p", "o");
  show("replaced");
  mkdir("x", 0755);
  inotify_add_watch(fd, "x", IN_ALL_EVENTS | IN_EXCL_UNLINK);
  file = open("x/y", O_RDWR | O_CREAT, 0600);
  unlink("x/y");
  write(file, "x", 1);
  close(file);
  show("without what was removed");
}

static void descriptors(void) {
  int p[2];
  pipe(p);
  R(inotify_init1(99));
  R(inotify_add_watch(fd, "/nowhere", IN_OPEN));
  R(inotify_add_watch(99, ".", IN_OPEN));
  R(inotify_add_watch(p[0], ".", IN_OPEN));
  R(inotify_add_watch(fd, ".", 0));
  R(inotify_add_watch(fd, BAD, IN_OPEN));
  R(inotify_add_watch(fd, "f", IN_OPEN | IN_ONLYDIR));
  R(inotify_rm_watch(fd, 999));
  R(inotify_rm_watch(p[0], 1));
  symlink("nowhere", "dangling");
  R(inotify_add_watch(fd, "dangling", IN_OPEN));
  OK(inotify_add_watch(fd, "dangling", IN_OPEN | IN_DONT_FOLLOW));
  OK(inotify_add_watch(fd, "f", IN_OPEN));
  struct pollfd pfd = {fd, POLLIN};
  R(poll(&pfd, 1, 0));
  R(read(fd, buf, 100));
  close(open("f", O_RDONLY));
  R(poll(&pfd, 1, 0));
  printf("%x\n", pfd.revents);
  R(read(fd, buf, 15));
  R(read(fd, BAD, 100));
  R(ioctl(fd, FIONREAD, buf));
  printf("%d\n", *(int *)buf);
  close(open("f", O_RDONLY));
  int epoll = epoll_create1(0);
  struct epoll_event event = {EPOLLIN}, got;
  R(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event));
  R(epoll_wait(epoll, &got, 1, 1000));
  R(write(fd, "x", 1));
  R(lseek(fd, 0, SEEK_SET));
  char link[64] = "";
  snprintf(buf, sizeof buf, "/proc/self/fd/%d", fd);
  readlink(buf, link, sizeof link - 1);
  puts(link);
  R(fcntl(fd, F_GETFL));
  close(fd);
}

static void *later(void *path) {
  usleep(20000);
  close(open(path, O_RDWR | O_CREAT, 0600));
  return 0;
}

static void overflow(void) {
  fd = inotify_init1(IN_CLOEXEC);
  inotify_add_watch(fd, ".", IN_CREATE);
  pthread_t thread;
  pthread_create(&thread, 0, later, "late");
  R(read(fd, buf, sizeof buf));
  printf("%s\n", ((struct inotify_event *)buf)->name);
  pthread_join(thread, 0);
  close(fd);
  fd = inotify_init1(IN_NONBLOCK);
  close(open("q", O_RDWR | O_CREAT, 0600));
  inotify_add_watch(fd, "q", IN_OPEN | IN_CLOSE);
  for (int i = 0; i < 9000; i++) close(open("q", O_RDONLY));
  int events = 0, overflows = 0;
  char buffer[16000] __attribute__((aligned(8)));
  ssize_t length;
  while ((length = read(fd, buffer, sizeof buffer)) > 0) {
    for (char *at = buffer; at < buffer + length; at += sizeof(struct inotify_event)) {
      struct inotify_event *event = (void *)at;
      if (event->mask & IN_Q_OVERFLOW) overflows += event->wd == -1;
      else events++;
    }
  }
  printf("%d events, %d overflows\n", events, overflows);
  close(open("q", O_RDONLY));
  show("after the overflow");
}

int main() {
  begin("/tmp/abi-inotify");
  fd = inotify_init1(IN_NONBLOCK);
  directories();
  files();
  descriptors();
  overflow();
  return end("/tmp/abi-inotify");
}
