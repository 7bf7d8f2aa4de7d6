/* epoll: triggers, one-shot, closed files, sets in sets, masks. */
#include "abi.h"

static int efd;
static volatile int flag;
static void *epwriter(void *a) {
  usleep(20000);
  eventfd_write(efd, 1);
  return 0;
}
static void on(int s) {
  flag++;
}
static pthread_t main_t;
static void *killer(void *a) {
  usleep(30000);
  pthread_kill(main_t, SIGUSR1);
  return 0;
}
static void pevents(struct epoll_event *e, int n) {
  for (int i = 0; i < n; i++) printf(" [%x %d]", e[i].events, e[i].data.fd);
  printf("\n");
}
static int p[2];
static pthread_t t;
static struct pollfd f[4];
static struct epoll_event ev, evs[10];
static struct sigaction sa = {.sa_handler = on};

static void epolling(void) {
  int rf = open("/proc/self/exe", O_RDONLY);
  int ep = epoll_create1(EPOLL_CLOEXEC);
  OK(ep);
  R(epoll_create1(99));
  R(epoll_create(0));
  R(epoll_create(-1));
  ev.events = EPOLLIN;
  ev.data.fd = p[0];
  R(epoll_ctl(ep, EPOLL_CTL_ADD, p[0], &ev));
  R(epoll_ctl(ep, EPOLL_CTL_ADD, p[0], &ev));
  R(epoll_ctl(ep, EPOLL_CTL_ADD, ep, &ev));
  R(epoll_ctl(ep, EPOLL_CTL_ADD, 99, &ev));
  R(epoll_ctl(99, EPOLL_CTL_ADD, p[0], &ev));
  R(epoll_ctl(p[0], EPOLL_CTL_ADD, p[1], &ev));
  R(epoll_ctl(ep, EPOLL_CTL_ADD, rf, &ev));
  R(epoll_ctl(ep, EPOLL_CTL_MOD, p[1], &ev));
  R(epoll_ctl(ep, EPOLL_CTL_DEL, p[1], 0));
  R(epoll_ctl(ep, 9, p[1], &ev));
  R(epoll_ctl(ep, EPOLL_CTL_ADD, p[1], BAD));
  R(epoll_wait(ep, evs, 0, 0));
  R(epoll_wait(ep, evs, -1, 0));
  R(epoll_wait(p[0], evs, 1, 0));
  R(epoll_wait(99, evs, 1, 0));
  R(epoll_wait(ep, BAD, 1, 0));
  R(epoll_wait(ep, evs, 10, 0));
  R(epoll_wait(ep, evs, 10, 10));
  write(p[1], "abc", 3);
  R(epoll_wait(ep, evs, 10, -1));
  pevents(evs, 1);
  R(epoll_wait(ep, evs, 10, 0));
  R(epoll_wait(ep, BAD, 1, 0));
  R(epoll_wait(ep, evs, 10, 0));
  read(p[0], buf, 1);
  R(epoll_wait(ep, evs, 10, 0));
  ev.events = EPOLLIN | EPOLLET;
  R(epoll_ctl(ep, EPOLL_CTL_MOD, p[0], &ev));
  R(epoll_wait(ep, evs, 10, 0));
  R(epoll_wait(ep, evs, 10, 0));
  write(p[1], "d", 1);
  R(epoll_wait(ep, evs, 10, 0));
  R(epoll_wait(ep, evs, 10, 0));
  ev.events = EPOLLIN | EPOLLONESHOT;
  R(epoll_ctl(ep, EPOLL_CTL_MOD, p[0], &ev));
  R(epoll_wait(ep, evs, 10, 0));
  write(p[1], "e", 1);
  R(epoll_wait(ep, evs, 10, 0));
  R(epoll_ctl(ep, EPOLL_CTL_MOD, p[0], &ev));
  R(epoll_wait(ep, evs, 10, 0));
  ev.events = EPOLLIN | EPOLLEXCLUSIVE;
  R(epoll_ctl(ep, EPOLL_CTL_MOD, p[0], &ev));
  R(epoll_ctl(ep, EPOLL_CTL_DEL, p[0], &ev));
  R(epoll_ctl(ep, EPOLL_CTL_ADD, p[0], &ev));
  ev.events = EPOLLIN;
  R(epoll_ctl(ep, EPOLL_CTL_MOD, p[0], &ev));
  R(epoll_ctl(ep, EPOLL_CTL_DEL, p[0], 0));
  ev.events = EPOLLIN | EPOLLEXCLUSIVE | EPOLLONESHOT;
  R(epoll_ctl(ep, EPOLL_CTL_ADD, p[0], &ev));
  ev.events = 0;
  R(epoll_ctl(ep, EPOLL_CTL_ADD, p[0], &ev));
  R(epoll_wait(ep, evs, 10, 0));
  close(p[1]);
  R(epoll_wait(ep, evs, 10, 0));
  pevents(evs, 1);
  close(p[0]);
  R(epoll_wait(ep, evs, 10, 0));
  efd = eventfd(0, EFD_NONBLOCK);
  ev.events = EPOLLIN | EPOLLOUT;
  ev.data.fd = efd;
  R(epoll_ctl(ep, EPOLL_CTL_ADD, efd, &ev));
  R(epoll_wait(ep, evs, 10, 0));
  pevents(evs, 1);
  ev.events = EPOLLIN;
  epoll_ctl(ep, EPOLL_CTL_MOD, efd, &ev);
  pthread_create(&t, 0, epwriter, 0);
  R(epoll_wait(ep, evs, 10, -1));
  pevents(evs, 1);
  pthread_join(t, 0);
  int d = dup(efd);
  close(efd);
  R(epoll_wait(ep, evs, 10, 0));
  R(epoll_ctl(ep, EPOLL_CTL_DEL, efd, 0));
  close(d);
  R(epoll_wait(ep, evs, 10, 0));
  {
    int e2 = epoll_create1(0), e3 = epoll_create1(0);
    efd = eventfd(0, EFD_NONBLOCK);
    ev.data.fd = 1;
    R(epoll_ctl(e2, EPOLL_CTL_ADD, efd, &ev));
    ev.data.fd = 2;
    R(epoll_ctl(e3, EPOLL_CTL_ADD, e2, &ev));
    R(epoll_ctl(e2, EPOLL_CTL_ADD, e3, &ev));
    f[0] = (struct pollfd) {e3, POLLIN};
    R(poll(f, 1, 0));
    pthread_create(&t, 0, epwriter, 0);
    R(poll(f, 1, -1));
    printf("%x\n", f[0].revents);
    pthread_join(t, 0);
    R(epoll_wait(e3, evs, 10, 0));
    pevents(evs, 1);
    eventfd_t v;
    eventfd_read(efd, &v);
    R(epoll_wait(e3, evs, 10, 0));
    R(poll(f, 1, 0));
    pthread_create(&t, 0, epwriter, 0);
    R(epoll_wait(e3, evs, 10, -1));
    pthread_join(t, 0);
    int c[7];
    for (int i = 0; i < 7; i++) c[i] = epoll_create1(0);
    for (int i = 0; i < 6; i++) R(epoll_ctl(c[i], EPOLL_CTL_ADD, c[i+1], &ev));
  }
  sa.sa_flags = SA_RESTART;
  pthread_create(&t, 0, killer, 0);
  R(epoll_wait(ep, evs, 10, -1));
  pthread_join(t, 0);
  {
    sigset_t s;
    sigemptyset(&s);
    struct timespec ts = {0, 1000000};
    R(epoll_pwait(ep, evs, 10, 5, &s));
    R(syscall(SYS_epoll_pwait, ep, evs, 10, 5, &s, 4));
    R(syscall(441, ep, evs, 10, &ts, 0, 8));
  }
}

int main(void) {
  begin("/tmp/abi-epoll");
  main_t = pthread_self();
  sigaction(SIGUSR1, &sa, 0);
  R(pipe(p));
  epolling();
  return end("/tmp/abi-epoll");
}
