/* seccomp: strict mode and filters, what they answer, who inherits them. */
#include "abi.h"
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#define FIELD(name) offsetof(struct seccomp_data, name)
#define CALL(nr, action)                                  \
  BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (nr), 0, 1),        \
      BPF_STMT(BPF_RET | BPF_K, (action))

static long filter(struct sock_filter *program, int count, int flags) {
  struct sock_fprog p = {count, program};
  return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &p);
}

/* Answers: getppid ENOTTY, getpgrp success, getuid a trap, getgid as told by `last`. */
static long restrict_calls(unsigned last) {
  struct sock_filter program[] = {
    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, FIELD(arch)),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_X86_64, 1, 0),
    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, FIELD(nr)),
    CALL(SYS_getppid, SECCOMP_RET_ERRNO | ENOTTY),
    CALL(SYS_getpgrp, SECCOMP_RET_ERRNO),
    CALL(SYS_getuid, SECCOMP_RET_TRAP | 77),
    CALL(SYS_getgid, last),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_umask, 0, 3),
    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, FIELD(args[0])),
    BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, 07, 0, 1),
    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EBADE),
    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  return filter(program, sizeof program / sizeof *program, 0);
}

static void on_sys(int signal, siginfo_t *info, void *context) {
  printf("trap: signal %d code %d errno %d call %d arch %x\n", signal, info->si_code, info->si_errno,
         info->si_syscall, info->si_arch);
}

static void *count_thread(void *argument) {
  R(syscall(SYS_getppid));
  return 0;
}

static void restricted(void) {
  struct sigaction action = {.sa_sigaction = on_sys, .sa_flags = SA_SIGINFO};
  sigaction(SIGSYS, &action, NULL);
  R(prctl(PR_GET_SECCOMP));
  R(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
  R(restrict_calls(SECCOMP_RET_TRACE));
  R(prctl(PR_GET_SECCOMP));
  R(syscall(SYS_getppid));
  R(syscall(SYS_getpgrp));
  R(syscall(SYS_getuid));
  R(syscall(SYS_getgid));
  R(syscall(SYS_umask, 022));
  R(syscall(SYS_umask, 020));
  R(syscall(SYS_geteuid) >= 0);
  R(syscall(SYS_seccomp, SECCOMP_SET_MODE_STRICT, 0, 0));
  pthread_t thread;
  pthread_create(&thread, 0, count_thread, 0);
  pthread_join(thread, 0);
  fflush(stdout);
  if (fork() == 0) {
    R(syscall(SYS_getppid));
    fflush(stdout);
    _exit(0);
  }
  wait(NULL);
  struct sock_filter lenient[] = {BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
  R(filter(lenient, 1, 0));
  R(syscall(SYS_getppid));
  struct sock_filter stricter[] = {
    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, FIELD(nr)),
    CALL(SYS_getppid, SECCOMP_RET_ERRNO | EPERM),
    CALL(SYS_geteuid, SECCOMP_RET_ERRNO | EDOM),
    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  R(filter(stricter, 6, 0));
  R(syscall(SYS_getppid) < 0);
  R(syscall(SYS_geteuid));
}

static void strict(void) {
  R(prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT));
  syscall(SYS_write, 1, "still writing\n", 14);
  syscall(SYS_getpid);
  syscall(SYS_write, 1, "never\n", 6);
}

static void gentle_end(void) {
  R(prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT));
  syscall(SYS_exit, 5);
}

static void killed(void) {
  prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  restrict_calls(SECCOMP_RET_KILL_PROCESS);
  syscall(SYS_getgid);
  puts("never");
}

static void killed_thread(void) {
  prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  restrict_calls(SECCOMP_RET_KILL_THREAD);
  syscall(SYS_getgid);
  puts("never");
}

static void *idle(void *argument) {
  while (syscall(SYS_getppid) >= 0) sched_yield();
  return (void *)(long)errno;
}

static void together(void) {
  prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  pthread_t thread;
  pthread_create(&thread, 0, idle, 0);
  struct sock_filter program[] = {
    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, FIELD(nr)),
    CALL(SYS_getppid, SECCOMP_RET_ERRNO | EDOM),
    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  R(filter(program, 4, SECCOMP_FILTER_FLAG_TSYNC));
  void *error;
  pthread_join(thread, &error);
  printf("thread: %s\n", strerrorname_np((long)error));
}

static void in_child(const char *what, void (*body)(void)) {
  int status;
  printf("%s\n", what);
  fflush(stdout);
  if (fork() == 0) {
    body();
    fflush(stdout);
    _exit(0);
  }
  wait(&status);
  printf("status %x\n", status & ~0x80);
}

int main() {
  begin("/tmp/abi-seccomp");
  unsigned action = SECCOMP_RET_TRAP, unknown = 0x12340000;
  R(syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action));
  R(syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &unknown));
  R(syscall(SYS_seccomp, 99, 0, 0));
  R(syscall(SYS_seccomp, SECCOMP_SET_MODE_STRICT, 1, 0));
  R(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, BAD));
  struct sock_filter bad[] = {BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 64), BPF_STMT(BPF_RET | BPF_K, 0)};
  R(filter(bad, 2, 0));
  R(filter(bad + 1, 0, 0));
  R(filter(bad, 1, 0));
  R(filter((void *)BAD, 1, 0));
  R(filter(bad + 1, 1, 0x1000));
  in_child("filters", restricted);
  in_child("strict", strict);
  in_child("strict, exit", gentle_end);
  in_child("kill", killed);
  in_child("kill thread", killed_thread);
  in_child("all threads", together);
  return end("/tmp/abi-seccomp");
}
