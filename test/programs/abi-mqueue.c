/* POSIX message queues. */
#include "abi.h"
#include <mqueue.h>
#include <sys/wait.h>

#define NAME "/abi-mqueue"

static volatile int seen;

static void on_signal(int signal, siginfo_t *info, void *context) {
  seen = info->si_value.sival_int;
  printf("signal %d code %d value %d\n", signal == SIGUSR1, info->si_code, seen);
}

int main() {
  begin("/tmp/abi-mqueue");
  struct mq_attr attributes = {.mq_maxmsg = 3, .mq_msgsize = 20}, got;
  char text[8192];
  unsigned priority;
  mq_unlink(NAME);
  R(mq_open(NAME, O_RDWR));
  R(mq_unlink(NAME));
  attributes.mq_maxmsg = 0;
  R(mq_open(NAME, O_RDWR | O_CREAT, 0600, &attributes));
  attributes.mq_maxmsg = 3;
  mqd_t q = mq_open(NAME, O_RDWR | O_CREAT, 0640, &attributes);
  OK(q);
  R(mq_open(NAME, O_RDWR | O_CREAT | O_EXCL, 0600, &attributes));
  R(syscall(SYS_mq_open, "a/b", O_RDWR | O_CREAT, 0600, 0));
  R(syscall(SYS_mq_open, "", O_RDWR | O_CREAT, 0600, 0));
  R(fcntl(q, F_GETFD));
  R(fstat(q, &st));
  printf("%o\n", st.st_mode);
  R(mq_getattr(q, &got));
  printf("%ld %ld %ld %ld\n", got.mq_flags, got.mq_maxmsg, got.mq_msgsize, got.mq_curmsgs);
  R(mq_send(q, "low", 3, 1));
  R(mq_send(q, "high", 4, 9));
  R(mq_send(q, "low2", 4, 1));
  struct timespec past = {1, 0}, bad = {0, -1};
  R(mq_timedsend(q, "full", 4, 1, &past));
  R(mq_timedsend(q, "full", 4, 1, &bad));
  R(mq_send(q, text, 21, 0));
  R(mq_send(q, "x", 1, 32768));
  R(mq_send(q, (char *)BAD, 1, 0));
  got.mq_flags = O_NONBLOCK;
  R(mq_setattr(q, &got, &attributes));
  R(mq_send(q, "full", 4, 0));
  struct pollfd p = {q, POLLIN | POLLOUT};
  R(poll(&p, 1, 0));
  printf("%x\n", p.revents);
  R(mq_receive(q, text, 19, 0));
  for (int i = 0; i < 3; i++) {
    memset(text, 0, 20);
    R(mq_receive(q, text, sizeof text, &priority));
    printf("%s %u\n", text, priority);
  }
  R(mq_receive(q, text, sizeof text, &priority));
  R(poll(&p, 1, 0));
  printf("%x\n", p.revents);
  mqd_t reader = mq_open(NAME, O_RDONLY);
  R(mq_send(reader, "x", 1, 0));
  struct sigaction action = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO};
  sigaction(SIGUSR1, &action, NULL);
  struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1, .sigev_value.sival_int = 42};
  R(mq_notify(q, &event));
  R(mq_notify(q, &event));
  R(mq_send(q, "one", 3, 0));
  R(mq_send(q, "two", 3, 0));
  R(mq_notify(q, &event));
  R(mq_notify(q, NULL));
  R(mq_unlink(NAME));
  R(mq_open(NAME, O_RDWR));
  R(mq_receive(q, text, sizeof text, 0));
  R(mq_receive(q, text, sizeof text, 0));
  got.mq_flags = 0;
  mq_setattr(q, &got, NULL);
  fflush(stdout);
  if (fork() == 0) {
    for (int i = 0; i < 10; i++) mq_send(q, (char[]) {'a' + i}, 1, i % 3);
    _exit(0);
  }
  int sum = 0;
  for (int i = 0; i < 10; i++) {
    mq_receive(reader, text, sizeof text, 0);
    sum += text[0];
  }
  printf("%d\n", sum);
  wait(NULL);
  R(mq_timedreceive(reader, text, sizeof text, 0, &past));
  int epoll = epoll_create1(0);
  struct epoll_event wanted = {EPOLLIN}, ready;
  R(epoll_ctl(epoll, EPOLL_CTL_ADD, reader, &wanted));
  mq_send(q, "x", 1, 0);
  R(epoll_wait(epoll, &ready, 1, 1000));
  R(mq_close(q));
  R(mq_close(reader));
  R(mq_getattr(0, &got));
  return end("/tmp/abi-mqueue");
}
