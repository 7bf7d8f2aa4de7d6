/* Descriptors that other threads close and reuse while calls block on them; sums show lost bytes. */
#include "abi.h"

#define T 8
static int pipes[T][2];
static atomic_long sent, got, events;
static atomic_int stop;
static int shared_file;
static int ep;
static unsigned rnd(unsigned *s) {
  *s = *s*1664525+1013904223;
  return *s>>8;
}
static void *writer(void *a) {
  int i = (long)a;
  char b[64];
  memset(b, i, 64);
  for (int n = 0; n < 3000; n++) {
    int k = 1+n%64;
    long w = write(pipes[i][1], b, k);
    if (w > 0) sent += w;
    if (n%97 == 0) sched_yield();
  }
  close(pipes[i][1]);
  return 0;
}
static void *readert(void *a) {
  int i = (long)a;
  char b[100];
  long r;
  int fd = dup(pipes[i][0]);
  while ((r = read(fd, b, sizeof b)) > 0) got += r;
  close(fd);
  return 0;
}
static void *churn(void *a) {
  unsigned s = (long)a;
  while (!stop) {
    int fd = open("/dev/null", O_RDWR);
    int d = dup(fd);
    close(fd);
    struct stat st;
    fstat(d, &st);
    int e = eventfd(0, EFD_NONBLOCK);
    struct epoll_event ev = {.events = EPOLLIN | (rnd(&s)%2?EPOLLET:0)};
    epoll_ctl(ep, EPOLL_CTL_ADD, e, &ev);
    eventfd_write(e, 1);
    if (rnd(&s)%2) epoll_ctl(ep, EPOLL_CTL_DEL, e, 0);
    close(e);
    close(d);
    int p[2];
    pipe(p);
    ev.events = EPOLLIN | EPOLLHUP;
    epoll_ctl(ep, EPOLL_CTL_ADD, p[0], &ev);
    close(p[1]);
    struct pollfd f = {p[0], POLLIN};
    poll(&f, 1, 0);
    close(p[0]);
  }
  return 0;
}
static void *waiter(void *a) {
  struct epoll_event ev[16];
  while (!stop) {
    int n = epoll_wait(ep, ev, 16, 5);
    if (n > 0) events += n;
  }
  return 0;
}
static void *appender(void *a) {
  char b[10];
  for (int i = 0; i < 500; i++) {
    snprintf(b, 10, "%08ld\n", (long)a*1000+i);
    write(shared_file, b, 9);
  }
  return 0;
}
static int race[2];
static void *blocked(void *a) {
  char b[4];
  long r = read(race[0], b, 4);
  printf("blocked read %ld\n", r);
  return 0;
}
int main(void) {
  begin("/tmp/abi-races");
  pthread_t t[40];
  int n = 0;
  ep = epoll_create1(0);
  for (int i = 0; i < T; i++) pipe(pipes[i]);
  for (long i = 0; i < T; i++) {
    pthread_create(&t[n++], 0, writer, (void *)i);
    pthread_create(&t[n++], 0, readert, (void *)i);
  }
  int m = n;
  for (long i = 0; i < 3; i++) pthread_create(&t[n++], 0, churn, (void *)i);
  for (int i = 0; i < 3; i++) pthread_create(&t[n++], 0, waiter, 0);
  for (int i = 0; i < m; i++) pthread_join(t[i], 0);
  usleep(300000);
  stop = 1;
  for (int i = m; i < n; i++) pthread_join(t[i], 0);
  printf("sent %ld got %ld events>0 %d\n", sent, got, events > 0);
  shared_file = open("shared", O_RDWR | O_CREAT | O_TRUNC, 0600);
  for (long i = 0; i < T; i++) pthread_create(&t[i], 0, appender, (void *)i);
  for (int i = 0; i < T; i++) pthread_join(t[i], 0);
  printf("size %ld\n", (long)lseek(shared_file, 0, SEEK_END));
  {
    char *b = malloc(50000);
    pread(shared_file, b, 36000, 0);
    char *seen = calloc(1, 10000);
    int bad = 0;
    for (int i = 0; i < 4000; i++) {
      int v = atoi(b+i*9);
      if (v < 0 || v >= 8000 || seen[v]++) bad++;
    }
    printf("bad %d\n", bad);
  }
  pipe(race);
  pthread_create(&t[0], 0, blocked, 0);
  usleep(50000);
  int w = dup(race[1]);
  int old = race[0];
  close(race[0]);
  int nf = open("/dev/zero", O_RDONLY);
  printf("reused %d\n", nf == old);
  write(w, "abcd", 4);
  pthread_join(t[0], 0);
  int last = 0;
  for (int i = 0; i < 800; i++) last = dup(nf);
  printf("last %d\n", last-nf);
  for (int i = nf+1; i <= last; i++) close(i);
  printf("next %d\n", dup(nf)-nf);
  /* many watched, few ready */
  int e = epoll_create1(0);
  int many[500];
  for (int i = 0; i < 500; i++) {
    many[i] = eventfd(0, EFD_NONBLOCK);
    struct epoll_event ev = {.events = EPOLLIN, .data.fd = i};
    epoll_ctl(e, EPOLL_CTL_ADD, many[i], &ev);
  }
  eventfd_write(many[17], 1);
  eventfd_write(many[400], 1);
  struct epoll_event ev[10];
  int k = epoll_wait(e, ev, 10, 0);
  printf("ready %d %d %d\n", k, ev[0].data.fd, ev[1].data.fd);
  return end("/tmp/abi-races");
}
