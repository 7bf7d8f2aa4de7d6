/* poll, ppoll, select, pselect: readiness, time-outs, signals, masks. */
#include "abi.h"

static int shared[2];
static volatile int flag;
static void *writer(void *a) {
  usleep(20000);
  write(shared[1], "x", 1);
  return 0;
}
static void *closer(void *a) {
  usleep(20000);
  close(shared[1]);
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
static int p[2], q[2];
static pthread_t t;
static struct pollfd f[4];

static void polling(void) {
  f[0] = (struct pollfd) {p[0], POLLIN};
  f[1] = (struct pollfd) {p[1], POLLOUT | POLLIN};
  f[2] = (struct pollfd) {-1, POLLIN};
  f[3] = (struct pollfd) {99, POLLIN};
  R(poll(f, 4, 0));
  for (int i = 0; i < 4; i++) printf("%x ", f[i].revents);
  puts("");
  R(poll(f, 3, -1));
  R(poll(f, 1, 10));
  printf("%x\n", f[0].revents);
  R(poll(0, 0, 5));
  R(poll(BAD, 1, 0));
  R(poll(BAD, 0, 0));
  R(poll(f, 5000000, 0));
  write(p[1], "a", 1);
  R(poll(f, 1, -1));
  printf("%x\n", f[0].revents);
  f[0].events = 0;
  R(poll(f, 1, 0));
  f[0].events = POLLIN | POLLRDNORM | POLLPRI;
  R(poll(f, 1, 0));
  printf("%x\n", f[0].revents);
  read(p[0], buf, 1);
  shared[0] = p[0];
  shared[1] = p[1];
  pthread_create(&t, 0, writer, 0);
  f[0].events = POLLIN;
  R(poll(f, 1, -1));
  printf("%x\n", f[0].revents);
  pthread_join(t, 0);
  R(read(p[0], buf, 10));
  pthread_create(&t, 0, closer, 0);
  R(poll(f, 1, 5000));
  printf("%x\n", f[0].revents);
  pthread_join(t, 0);
  R(read(p[0], buf, 1));
  close(p[0]);
  int rf = open("/proc/self/exe", O_RDONLY);
  f[0] = (struct pollfd) {rf, POLLIN | POLLOUT | POLLPRI};
  R(poll(f, 1, 0));
  printf("%x\n", f[0].revents);
}

static void interruptions(void) {
  struct sigaction sa = {.sa_handler = on};
  sigaction(SIGUSR1, &sa, 0);
  pipe(p);
  f[0] = (struct pollfd) {p[0], POLLIN};
  pthread_create(&t, 0, killer, 0);
  R(poll(f, 1, -1));
  pthread_join(t, 0);
  pthread_create(&t, 0, killer, 0);
  R(read(p[0], buf, 1));
  pthread_join(t, 0);
  sa.sa_flags = SA_RESTART;
  sigaction(SIGUSR1, &sa, 0);
  shared[0] = p[0];
  shared[1] = p[1];
  pthread_t t2;
  pthread_create(&t, 0, killer, 0);
  pthread_create(&t2, 0, writer, 0);
  R(read(p[0], buf, 1));
  pthread_join(t, 0);
  pthread_join(t2, 0);
  pthread_create(&t, 0, killer, 0);
  R(poll(f, 1, -1));
  pthread_join(t, 0);
  printf("flag %d\n", flag);
  {
    sigset_t s;
    sigemptyset(&s);
    sigaddset(&s, SIGUSR1);
    sigprocmask(SIG_BLOCK, &s, 0);
    raise(SIGUSR1);
    struct timespec ts = {0, 10000000};
    R(ppoll(f, 1, &ts, 0));
    printf("flag %d\n", flag);
    sigemptyset(&s);
    R(ppoll(f, 1, 0, &s));
    printf("flag %d\n", flag);
    sigprocmask(SIG_SETMASK, 0, &s);
    printf("blocked %d\n", sigismember(&s, SIGUSR1));
    ts.tv_nsec = -1;
    R(ppoll(f, 1, &ts, 0));
    R(syscall(SYS_ppoll, f, 1, 0, &s, 4));
    R(syscall(SYS_ppoll, f, 1, BAD, 0, 8));
    fd_set r;
    FD_ZERO(&r);
    FD_SET(p[0], &r);
    raise(SIGUSR1);
    sigemptyset(&s);
    R(pselect(p[0]+1, &r, 0, 0, 0, &s));
    printf("flag %d %d\n", flag, FD_ISSET(p[0], &r));
    sigaddset(&s, SIGUSR1);
    sigprocmask(SIG_UNBLOCK, &s, 0);
  }
}

static void selecting(void) {
  {
    fd_set r, w, e;
    struct timeval tv = {0, 10000};
    FD_ZERO(&r);
    FD_ZERO(&w);
    FD_ZERO(&e);
    FD_SET(p[0], &r);
    FD_SET(p[1], &w);
    FD_SET(p[0], &e);
    R(select(10, &r, &w, &e, 0));
    printf("%d %d %d\n", FD_ISSET(p[0], &r), FD_ISSET(p[1], &w), FD_ISSET(p[0], &e));
    FD_SET(p[0], &r);
    R(select(p[0]+1, &r, 0, 0, &tv));
    printf("%d %ld\n", FD_ISSET(p[0], &r), (long)tv.tv_usec);
    FD_SET(60, &r);
    tv.tv_usec = 0;
    R(select(64, &r, 0, 0, &tv));
    R(select(-1, 0, 0, 0, &tv));
    R(select(0, 0, 0, 0, &tv));
    tv.tv_sec = -1;
    R(select(0, 0, 0, 0, &tv));
    R(select(10, BAD, 0, 0, 0));
    write(p[1], "a", 1);
    FD_ZERO(&r);
    FD_SET(p[0], &r);
    tv.tv_sec = 1;
    R(select(p[0]+1, &r, 0, 0, &tv));
    read(p[0], buf, 1);
  }
}

int main(void) {
  begin("/tmp/abi-poll");
  main_t = pthread_self();
  R(pipe(p));
  polling();
  interruptions();
  selecting();
  return end("/tmp/abi-poll");
}
