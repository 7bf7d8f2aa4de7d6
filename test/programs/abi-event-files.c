/* eventfd, timerfd, signalfd. */
#include "abi.h"

static int p[2], q[2];
static pthread_t t;
static struct pollfd f[4];
static struct epoll_event ev, evs[10];
static int ep;

static void counters(void) {
  {
    uint64_t v;
    int e = eventfd(3, EFD_NONBLOCK);
    OK(e);
    R(read(e, &v, 7));
    R(read(e, &v, 8));
    printf("%ld\n", (long)v);
    R(read(e, &v, 8));
    v = -1;
    R(write(e, &v, 8));
    v = -2;
    R(write(e, &v, 8));
    v = 1;
    R(write(e, &v, 8));
    f[0] = (struct pollfd) {e, POLLIN | POLLOUT};
    R(poll(f, 1, 0));
    printf("%x\n", f[0].revents);
    R(read(e, &v, 8));
    printf("%ld\n", (long)v);
    R(poll(f, 1, 0));
    printf("%x\n", f[0].revents);
    R(eventfd(0, 0x100));
    int s = eventfd(2, EFD_SEMAPHORE | EFD_NONBLOCK);
    R(read(s, &v, 8));
    R(read(s, &v, 8));
    R(read(s, &v, 8));
    R(lseek(e, 0, 0));
    R(pread(e, &v, 8, 0));
    R(read(e, BAD, 8));
    v = 5;
    write(e, &v, 8);
    R(read(e, BAD, 8));
    char l[100];
    struct stat st;
    R(fstat(e, &st));
    printf("%o\n", st.st_mode);
    R(ioctl(e, FIONREAD, l));
    close(e);
    close(s);
  }
}

static void timers(void) {
  {
    int tf = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
    OK(tf);
    R(timerfd_create(99, 0));
    R(timerfd_create(CLOCK_MONOTONIC, 99));
    uint64_t v;
    struct itimerspec its = {{0, 5000000}, {0, 5000000}}, old;
    R(read(tf, &v, 8));
    R(timerfd_settime(tf, 0, &its, &old));
    printf("%ld %ld\n", old.it_value.tv_sec, old.it_value.tv_nsec);
    R(timerfd_gettime(tf, &old));
    printf("%d %ld\n", old.it_value.tv_nsec > 0, old.it_interval.tv_nsec);
    f[0] = (struct pollfd) {tf, POLLIN};
    R(poll(f, 1, 1000));
    R(read(tf, &v, 7));
    usleep(22000);
    R(read(tf, &v, 8));
    printf("%d\n", v >= 4);
    its.it_interval.tv_nsec = 0;
    R(timerfd_settime(tf, 0, &its, 0));
    R(poll(f, 1, 1000));
    R(read(tf, &v, 8));
    printf("%ld\n", (long)v);
    R(read(tf, &v, 8));
    its.it_value.tv_nsec = 1000000000;
    R(timerfd_settime(tf, 0, &its, 0));
    R(timerfd_settime(tf, 99, &its, 0));
    R(timerfd_settime(tf, 0, BAD, 0));
    R(timerfd_settime(p[0], 0, &its, 0));
    its.it_value.tv_nsec = 500;
    its.it_value.tv_sec = 0;
    R(timerfd_settime(tf, TFD_TIMER_ABSTIME, &its, 0));
    R(read(tf, &v, 8));
    fcntl(tf, F_SETFL, 0);
    clock_gettime(CLOCK_MONOTONIC, &its.it_value);
    its.it_value.tv_nsec += 20000000;
    if (its.it_value.tv_nsec >= 1000000000) {
      its.it_value.tv_nsec -= 1000000000;
      its.it_value.tv_sec++;
    }
    R(timerfd_settime(tf, TFD_TIMER_ABSTIME, &its, 0));
    R(read(tf, &v, 8));
    ev.events = EPOLLIN;
    its = (struct itimerspec) {{0, 0}, {0, 3000000}};
    epoll_ctl(ep, EPOLL_CTL_ADD, tf, &ev);
    R(timerfd_settime(tf, 0, &its, 0));
    R(epoll_wait(ep, evs, 10, 1000));
    R(read(tf, &v, 8));
    R(epoll_wait(ep, evs, 10, 0));
    R(write(tf, &v, 8));
  }
}

static void signals(void) {
  {
    sigset_t s;
    sigemptyset(&s);
    sigaddset(&s, SIGUSR2);
    sigaddset(&s, SIGRTMIN);
    sigprocmask(SIG_BLOCK, &s, 0);
    int sf = signalfd(-1, &s, SFD_NONBLOCK);
    OK(sf);
    struct signalfd_siginfo si[4];
    R(read(sf, si, sizeof si));
    f[0] = (struct pollfd) {sf, POLLIN};
    R(poll(f, 1, 0));
    kill(getpid(), SIGUSR2);
    R(poll(f, 1, 100));
    union sigval sv = {.sival_int = 77};
    sigqueue(getpid(), SIGRTMIN, sv);
    R(read(sf, si, sizeof si));
    printf("%d %d %d | %d %d\n", si[0].ssi_signo, si[0].ssi_code, si[0].ssi_pid == getpid(), si[1].ssi_signo-SIGRTMIN, si[1].ssi_int);
    R(read(sf, si, 10));
    R(signalfd(99, &s, 0));
    R(signalfd(p[0], &s, 0));
    sigemptyset(&s);
    R(signalfd(sf, &s, 0) == sf);
    raise(SIGUSR2);
    R(poll(f, 1, 0));
    sigaddset(&s, SIGUSR2);
    signalfd(sf, &s, 0);
    R(poll(f, 1, 0));
    R(syscall(SYS_signalfd4, -1, &s, 4, 0));
    R(syscall(SYS_signalfd4, -1, &s, 8, 99));
  }
}

int main(void) {
  begin("/tmp/abi-event-files");
  R(pipe(p));
  ep = epoll_create1(0);
  counters();
  timers();
  signals();
  return end("/tmp/abi-event-files");
}
