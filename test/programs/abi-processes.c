/* Processes: fork, vfork, wait4, waitid, groups, sessions, pidfds, stop and continue, exec. */
#include "abi.h"
#include <sched.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

extern char **environ;
static volatile sig_atomic_t arrived, code, value, sender;

static void on_child(int number, siginfo_t *info, void *context) {
  (void)number, (void)context;
  arrived++;
  code = info->si_code;
  value = info->si_status;
  sender = info->si_pid;
}

static void status(const char *what, int word) {
  if (WIFEXITED(word)) printf("%s: exited %d\n", what, WEXITSTATUS(word));
  else if (WIFSIGNALED(word)) printf("%s: signal %d\n", what, WTERMSIG(word));
  else if (WIFSTOPPED(word)) printf("%s: stopped %d\n", what, WSTOPSIG(word));
  else if (WIFCONTINUED(word)) printf("%s: continued\n", what);
}

static pid_t child(void (*body)(void)) {
  fflush(stdout);
  pid_t pid = fork();
  if (pid == 0) {
    body();
    fflush(stdout);
    _exit(0);
  }
  return pid;
}

static int word;
static void nothing(void) {}
static void leave(void) { _exit(42); }
static void crash(void) { *(volatile int *)16 = 1; }
static void abort_now(void) { raise(SIGTERM); }
static void sleeping(void) { for (;;) pause(); }

/* Memory: private is copied, shared is shared. */
static int number = 1;
static int *shared, *private_map;
static void change(void) {
  number = 2;
  *shared = 2;
  *private_map = 2;
  printf("child %d %d %d\n", number, *shared, *private_map);
}

static void memory(void) {
  size_t large = 6 << 20;
  shared = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  private_map = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  *shared = *private_map = 1;
  waitpid(child(change), &word, 0);
  printf("parent %d %d %d\n", number, *shared, *private_map);
  /* 2 MiB pages, changed on both sides, and divided in the child. */
  unsigned char *block = mmap(0, large, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  for (size_t i = 0; i < large; i++) block[i] = (unsigned char)(i >> 12);
  fflush(stdout);
  for (int round = 0; round < 3; round++) {
    pid_t pid = fork();
    if (pid == 0) {
      if (round == 1) mprotect(block + (3 << 20), 4096, PROT_READ);
      if (round == 2) munmap(block + (1 << 20), 8192);
      for (size_t i = 0; i < large; i += 8192)
        if ((round != 2 || i >> 13 != 128) && i != 3 << 20) block[i] ^= 0xff;
      size_t wrong = 0;
      for (size_t i = 0; i < large; i++) {
        if (round == 2 && i >> 13 == 128) continue;
        unsigned char mask = i % 8192 == 0 && i != 3 << 20 ? 0xff : 0;
        if (block[i] != (unsigned char)((i >> 12) ^ mask)) wrong++;
      }
      _exit(wrong ? 1 : 0);
    }
    for (size_t i = 4096; i < large; i += 16384) block[i] = (unsigned char)(i >> 12);
    waitpid(pid, &word, 0);
    status("large pages", word);
    size_t wrong = 0;
    for (size_t i = 0; i < large; i++) wrong += block[i] != (unsigned char)(i >> 12);
    printf("wrong %zu\n", wrong);
  }
  /* Advice: not inherited; inherited empty. */
  char *kept = mmap(0, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  memset(kept, 7, 8192);
  R(madvise(kept, 4096, MADV_WIPEONFORK));
  R(madvise(kept + 4096, 4096, MADV_DONTFORK));
  fflush(stdout);
  pid_t pid = fork();
  if (pid == 0) {
    printf("wiped %d\n", kept[0]);
    fflush(stdout);
    kept[4096] = 1;
    _exit(0);
  }
  waitpid(pid, &word, 0);
  status("not inherited", word);
}

static void waiting(void) {
  R(wait4(-1, 0, 0, 0));
  R(waitpid(-1, 0, WNOHANG));
  waitpid(child(nothing), &word, 0), status("nothing", word);
  waitpid(child(leave), &word, 0), status("leave", word);
  waitpid(child(crash), &word, 0), status("crash", word & 0x7f);
  waitpid(child(abort_now), &word, 0), status("term", word);
  pid_t pid = child(sleeping);
  R(waitpid(pid, &word, WNOHANG));
  R(waitpid(-getpgrp(), &word, WNOHANG));
  R(waitpid(pid + 1000, &word, 0));
  R(waitpid(pid, &word, 0x10));
  R(kill(pid, 0));
  R(kill(pid, SIGKILL));
  OK(waitpid(pid, &word, 0));
  status("killed", word);
  R(kill(pid, 0));
  pid = child(leave);
  siginfo_t info;
  memset(&info, 0, sizeof info);
  R(waitid(P_PID, pid, &info, WEXITED | WNOWAIT));
  printf("waitid %d %d %d %d\n", info.si_signo, info.si_code, info.si_status, info.si_pid == pid);
  R(waitid(P_ALL, 0, &info, WEXITED));
  printf("waitid %d %d %d %d\n", info.si_signo, info.si_code, info.si_status, info.si_pid == pid);
  R(waitid(P_ALL, 0, &info, WEXITED));
  R(waitid(P_ALL, 0, &info, 0));
  struct rusage usage;
  pid = child(leave);
  OK(wait4(pid, &word, 0, &usage));
  printf("usage %d\n", usage.ru_maxrss > 0);
}

static void signals(void) {
  struct sigaction action = {.sa_sigaction = on_child, .sa_flags = SA_SIGINFO | SA_RESTART};
  sigset_t set, old;
  sigaction(SIGCHLD, &action, 0);
  sigemptyset(&set);
  sigaddset(&set, SIGCHLD);
  pid_t pid = child(leave);
  OK(waitpid(pid, &word, 0));
  printf("SIGCHLD %d %d %d %d\n", arrived, code, value, sender == pid);
  sigprocmask(SIG_BLOCK, &set, &old);
  arrived = 0;
  pid = child(sleeping);
  R(kill(pid, SIGSTOP));
  OK(waitpid(pid, &word, WUNTRACED));
  status("stop", word);
  R(waitpid(pid, &word, WUNTRACED | WNOHANG));
  sigsuspend(&old);
  printf("SIGCHLD %d %d %d\n", arrived, code, value);
  R(kill(pid, SIGCONT));
  OK(waitpid(pid, &word, WCONTINUED));
  status("continue", word);
  sigsuspend(&old);
  printf("SIGCHLD %d %d %d\n", arrived, code, value);
  R(kill(pid, SIGSTOP));
  OK(waitpid(pid, &word, WUNTRACED));
  status("stop", word);
  R(kill(pid, SIGKILL));
  OK(waitpid(pid, &word, 0));
  status("kill", word);
  sigprocmask(SIG_SETMASK, &old, 0);
  signal(SIGCHLD, SIG_IGN);
  child(leave);
  R(waitpid(-1, &word, 0));
  signal(SIGCHLD, SIG_DFL);
}

static int report[2];
static void tell(int what) { write(report[1], &what, sizeof what); }
static int hear(void) {
  int what = -1;
  read(report[0], &what, sizeof what);
  return what;
}

static void new_session(void) {
  tell(setsid() == getpid());
  tell(getsid(0) == getpid() && getpgrp() == getpid());
  tell(setsid() == -1 && errno == EPERM);
  tell(setpgid(0, 0) == -1 && errno == EPERM);
}
static void waits_for_group(void) {
  setpgid(0, 0);
  tell(getpgrp() == getpid());
  for (;;) pause();
}

static void families(void) {
  pipe(report);
  waitpid(child(new_session), &word, 0);
  printf("session %d %d %d %d\n", hear(), hear(), hear(), hear());
  prctl(PR_SET_CHILD_SUBREAPER, 0);
  pid_t pid = child(waits_for_group);
  printf("group %d\n", hear());
  printf("getpgid %d getsid %d\n", getpgid(pid) == pid, getsid(pid) == getsid(0));
  R(kill(-pid, SIGUSR1));
  OK(waitpid(pid, &word, 0));
  status("group", word);
  R(kill(-pid, SIGUSR1));
  R(setpgid(pid, 0));
  R(getpgid(999999));
  R(setpgid(0, 999999));
  /* A grandchild finds a new parent that asked for it. */
  R(prctl(PR_SET_CHILD_SUBREAPER, 1));
  fflush(stdout);
  pid = fork();
  if (pid == 0) {
    pid_t middle = getpid();
    if (fork() == 0) {
      while (getppid() == middle) sched_yield();
      _exit(9);
    }
    _exit(8);
  }
  OK(waitpid(pid, &word, 0));
  status("child", word);
  OK(waitpid(-1, &word, 0));
  status("grandchild", word);
  R(prctl(PR_SET_CHILD_SUBREAPER, 0));
}

static void *thread_exec(void *path) {
  char *arguments[] = {path, "thread", 0};
  execv(path, arguments);
  return 0;
}

static void programs(char *self) {
  pid_t pid = vfork();
  if (pid == 0) {
    execl(self, self, "argument", (char *)0);
    _exit(127);
  }
  OK(waitpid(pid, &word, 0));
  status("vfork", word);
  pid = vfork();
  if (pid == 0) {
    number = 77;
    _exit(3);
  }
  OK(waitpid(pid, &word, 0));
  status("vfork", word);
  printf("number %d\n", number);
  char *arguments[] = {self, "argument", 0};
  R(posix_spawn(&pid, self, 0, 0, arguments, environ));
  OK(waitpid(pid, &word, 0));
  status("spawn", word);
  printf("spawn %s\n", strerrorname_np(posix_spawn(&pid, "/nowhere", 0, 0, arguments, environ)));
  /* A thread that executes a program takes over its process. */
  fflush(stdout);
  pid = fork();
  if (pid == 0) {
    pthread_t thread;
    pthread_create(&thread, 0, thread_exec, self);
    for (;;) pause();
  }
  OK(waitpid(pid, &word, 0));
  status("thread", word);
  /* close-on-exec belongs to the descriptor of the child. */
  int fd = open("/", O_RDONLY | O_CLOEXEC);
  char text[16];
  snprintf(text, sizeof text, "%d", fd);
  pid = vfork();
  if (pid == 0) {
    execl(self, self, "closed", text, (char *)0);
    _exit(127);
  }
  OK(waitpid(pid, &word, 0));
  status("closed", word);
  OK(fcntl(fd, F_GETFD));
  close(fd);
}

static void descriptors(void) {
  pid_t pid = child(sleeping);
  int fd = syscall(SYS_pidfd_open, pid, 0);
  struct pollfd poller = {fd, POLLIN, 0};
  OK(fd);
  R(poll(&poller, 1, 0));
  R(syscall(SYS_pidfd_send_signal, fd, SIGUSR2, 0, 0));
  R(poll(&poller, 1, -1));
  printf("events %x\n", poller.revents);
  siginfo_t info;
  R(waitid(P_PIDFD, fd, &info, WEXITED));
  printf("waitid %d %d\n", info.si_code, info.si_status);
  R(syscall(SYS_pidfd_send_signal, fd, SIGUSR2, 0, 0));
  close(fd);
  R(syscall(SYS_pidfd_open, 999999, 0));
  R(syscall(SYS_pidfd_open, 0, 0));
  R(waitid(P_PIDFD, 999, &info, WEXITED));
  int pair[2];
  pipe(pair);
  if ((pid = fork()) == 0) {
    close(pair[0]);
    write(pair[1], "hello", 5);
    _exit(0);
  }
  close(pair[1]);
  R(read(pair[0], buf, sizeof buf));
  R(read(pair[0], buf, sizeof buf));
  waitpid(pid, &word, 0);
  R(syscall(SYS_clone, CLONE_THREAD, 0, 0, 0, 0));
  R(syscall(SYS_clone, CLONE_SIGHAND, 0, 0, 0, 0));
  R(syscall(SYS_clone3, buf, 10));
}

int main(int argc, char **argv) {
  if (argc > 1) {
    if (!strcmp(argv[1], "closed")) return fcntl(atoi(argv[2]), F_GETFD) < 0 ? 5 : 6;
    return argv[1][0] == 'a' ? 11 : 12;
  }
  syscall(SYS_close_range, 3, ~0U, 0);
  memory();
  waiting();
  signals();
  families();
  programs(argv[0]);
  descriptors();
  puts("end");
  return 0;
}
