/* Takes kernel objects until there are no more; every kind must fail cleanly and be given back. */
#include "abi.h"

int main(void) {
  begin("/tmp/abi-kernel-memory");
  struct rlimit rl;
  getrlimit(RLIMIT_NOFILE, &rl);
  rl.rlim_cur = rl.rlim_max;
  setrlimit(RLIMIT_NOFILE, &rl);
  int n = 0;
  while (eventfd(0, 0) >= 0) n++;
  int e = errno;
  printf("eventfds %s %d\n", strerrorname_np(e), n > 1000);
  for (int i = 3; i < n+3; i++) close(i);
  n = 0;
  int p[2];
  while (pipe(p) == 0) n++;
  printf("pipes %s %d\n", strerrorname_np(errno), n > 100);
  for (int i = 3; i < 2*n+3; i++) close(i);
  n = 0;
  while (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, p) == 0) {
    char b[4096];
    while (write(p[0], b, 4096) > 0) n++;
  }
  printf("sockets %s %d\n", strerrorname_np(errno), n > 100);
  for (int i = 3; i < 100000; i++) close(i);
  int ep = epoll_create1(0);
  n = 0;
  for (; ; ) {
    int d = dup(1);
    int e = eventfd(0, 0);
    struct epoll_event ev = {.events = EPOLLIN};
    if (e < 0 || epoll_ctl(ep, EPOLL_CTL_ADD, e, &ev) < 0) break;
    n++;
  }
  printf("epoll %s %d\n", strerrorname_np(errno), n > 1000);
  for (int i = 3; i < 1000000; i++) close(i);
  int f = eventfd(0, 0);
  for (n = 0; n < 1000000; n++) if (dup(f) < 0) break;
  printf("dup %s\n", strerrorname_np(errno));
  for (int i = 3; i < 1048576; i++) close(i);
  f = open("big", O_RDWR | O_CREAT, 0600);
  char b[65536];
  memset(b, 1, 65536);
  while (write(f, b, 65536) > 0);
  printf("tmpfs %s\n", strerrorname_np(errno));
  ftruncate(f, 0);
  return end("/tmp/abi-kernel-memory");
}
