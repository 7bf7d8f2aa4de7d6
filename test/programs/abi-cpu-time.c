/* Timers that count CPU time: setitimer, timer_create, clock_nanosleep, RLIMIT_CPU. */
#include "abi.h"
#include <sys/time.h>
#include <sys/wait.h>

#define MS 1000000L
#define THREAD CLOCK_THREAD_CPUTIME_ID
#define PROCESS CLOCK_PROCESS_CPUTIME_ID

/*
 * Times differ from run to run; what they must lie between does not. The limits are far away: a machine
 * whose processors are busy takes time from its guests while their threads "run", and Linux counts
 * the time of setitimer in ticks, of which such a thread may get more or fewer than it deserves.
 */
#define IS(condition) printf("%d %s: %s\n", __LINE__, #condition, (condition) ? "yes" : "no")

static atomic_int caught, caught_by;
static atomic_long caught_value, caught_overrun;

static void handler(int signal, siginfo_t *info, void *context) {
  caught++;
  caught_by = gettid();
  caught_value = info->si_int;
  caught_overrun = info->si_overrun;
}

static long now(clockid_t clock) {
  struct timespec t;
  return clock_gettime(clock, &t) < 0 ? -1 : t.tv_sec * 1000 * MS + t.tv_nsec;
}

/* Uses CPU time, nearly all of it in user mode. */
static void burn(long ns) {
  long end = now(THREAD) + ns;
  do {
    for (volatile int i = 0; i < 100000; i++) {}
  } while (now(THREAD) < end);
}

/* Uses CPU time until a signal has been caught `count` times, but not for ever. */
static void burn_until(int count) {
  for (int i = 0; i < 3000 && caught < count; i++) burn(MS);
}

static void rest(long ns) {
  struct timespec left = {0, ns};
  while (nanosleep(&left, &left) < 0) {}
}

static struct itimerspec spec(long first, long interval) {
  return (struct itimerspec){{interval / (1000 * MS), interval % (1000 * MS)},
                             {first / (1000 * MS), first % (1000 * MS)}};
}

static timer_t timer_on(clockid_t clock, int notify, int signal, int tid) {
  struct sigevent event = {.sigev_notify = notify, .sigev_signo = signal};
  timer_t timer = 0;
  event.sigev_value.sival_int = 4711;
  event._sigev_un._tid = tid;
  if (timer_create(clock, &event, &timer) < 0) puts(strerrorname_np(errno));
  return timer;
}

static long left_of(timer_t timer) {
  struct itimerspec value;
  if (timer_gettime(timer, &value) < 0) return -1;
  return value.it_value.tv_sec * 1000 * MS + value.it_value.tv_nsec;
}

static void interval_timers(int which, int signal) {
  struct itimerval tick = {{0, 10000}, {0, 10000}}, off = {}, value;
  puts(which == ITIMER_PROF ? "ITIMER_PROF" : "ITIMER_VIRTUAL");
  sigaction(signal, &(struct sigaction){.sa_sigaction = handler, .sa_flags = SA_SIGINFO | SA_RESTART}, 0);
  caught = 0;
  R(setitimer(which, &tick, 0));
  rest(300 * MS);
  IS(caught < 10); /* asleep; in real time it would be 30 */
  caught = 0;
  long begin = now(PROCESS);
  burn_until(10);
  R(getitimer(which, &value));
  IS(value.it_interval.tv_usec == 10000);
  IS(value.it_value.tv_sec == 0 && value.it_value.tv_usec > 0);
  R(setitimer(which, &off, &value));
  long most = (now(PROCESS) - begin) / (10 * MS) + 1;
  IS(caught >= 10 && caught <= most * 3);
  caught = 0;
  burn(30 * MS);
  IS(caught == 0); /* off */
  off.it_value.tv_usec = 20000;
  R(setitimer(which, &off, 0));
  burn_until(1);
  burn(30 * MS);
  IS(caught == 1);
  R(getitimer(which, &value));
  IS(value.it_value.tv_usec == 0);
}

static pthread_barrier_t meeting;
static atomic_int worker_tid, done;

static void *burn_until_done(void *argument) {
  worker_tid = gettid();
  pthread_barrier_wait(&meeting);
  while (!done) burn(MS);
  return argument;
}

static pthread_t start_worker(void) {
  pthread_t thread;
  done = 0;
  pthread_barrier_init(&meeting, 0, 2);
  pthread_create(&thread, 0, burn_until_done, 0);
  pthread_barrier_wait(&meeting);
  return thread;
}

static void join_worker(pthread_t thread) {
  done = 1;
  pthread_join(thread, 0);
}

static void thread_timers(void) {
  struct itimerspec value;
  clockid_t clock;
  puts("timers of threads");
  sigaction(SIGUSR1, &(struct sigaction){.sa_sigaction = handler, .sa_flags = SA_SIGINFO}, 0);
  timer_t own = timer_on(THREAD, SIGEV_THREAD_ID, SIGUSR1, gettid());
  caught = 0;
  value = spec(150 * MS, 0);
  long begin = now(THREAD);
  R(timer_settime(own, 0, &value, 0));
  IS(left_of(own) > 0 && left_of(own) <= 150 * MS);
  rest(300 * MS);
  IS(caught == 0);
  burn_until(1);
  IS(now(THREAD) - begin >= 150 * MS && now(THREAD) - begin < 1000 * MS);
  IS(caught == 1 && caught_by == gettid() && caught_value == 4711);
  IS(left_of(own) == 0);
  /* Absolute, and one that is past. */
  caught = 0;
  long at = now(THREAD) + 20 * MS;
  value = spec(at, 0);
  R(timer_settime(own, TIMER_ABSTIME, &value, 0));
  burn_until(1);
  IS(caught == 1 && now(THREAD) >= at);
  value = spec(1, 0);
  R(timer_settime(own, TIMER_ABSTIME, &value, 0));
  burn_until(2);
  IS(caught == 2);
  R(timer_delete(own));
  R(timer_delete(own));

  /* The clock of a thread that runs while this one sleeps. */
  pthread_t thread = start_worker();
  R(pthread_getcpuclockid(thread, &clock));
  timer_t other = timer_on(clock, SIGEV_SIGNAL, SIGUSR1, 0);
  caught = 0;
  begin = now(clock);
  value = spec(30 * MS, 0);
  R(timer_settime(other, 0, &value, 0));
  while (!caught) rest(MS);
  IS(caught == 1 && now(clock) - begin >= 30 * MS);
  timer_t never = timer_on(clock, SIGEV_NONE, 0, 0);
  value = spec(20 * MS, 0);
  R(timer_settime(never, 0, &value, 0));
  while (left_of(never) > 0) rest(MS);
  IS(left_of(never) == 0);
  timer_t late = timer_on(clock, SIGEV_NONE, 0, 0);
  value = spec(100000 * MS, 0);
  R(timer_settime(late, 0, &value, 0));
  IS(left_of(late) > 90000 * MS);
  join_worker(thread);
  /* pthread_join returns a little before the thread has ended. */
  while (now(clock) != -1) rest(MS);
  R(clock_gettime(clock, &(struct timespec){}));
  IS(left_of(late) == 0);
  R(timer_settime(other, 0, &value, 0));
  R(timer_gettime(other, &value));
  IS(left_of(other) == 0);
  R(timer_create(clock, 0, &never));
  R(timer_delete(other));
}

static void process_timers(void) {
  struct itimerspec value = spec(100 * MS, 0);
  puts("timers of processes");
  pthread_t thread = start_worker();
  timer_t timer = timer_on(PROCESS, SIGEV_SIGNAL, SIGUSR1, 0);
  caught = 0;
  long begin = now(PROCESS);
  R(timer_settime(timer, 0, &value, 0));
  burn_until(1);
  long used = now(PROCESS) - begin;
  IS(used >= 100 * MS && used < 1000 * MS);
  join_worker(thread);

  /* Expirations while the signal is blocked come as one, which says how many. */
  sigset_t set;
  siginfo_t info;
  struct timespec soon = {1, 0};
  sigemptyset(&set);
  sigaddset(&set, SIGUSR1);
  sigprocmask(SIG_BLOCK, &set, 0);
  value = spec(10 * MS, 10 * MS);
  R(timer_settime(timer, 0, &value, 0));
  burn(150 * MS);
  value = spec(0, 0);
  struct itimerspec old;
  R(sigtimedwait(&set, &info, &soon) == SIGUSR1);
  IS(info.si_code == SI_TIMER && info.si_int == 4711);
  IS(info.si_overrun >= 5 && info.si_overrun < 100);
  IS(timer_getoverrun(timer) == info.si_overrun);
  R(timer_settime(timer, 0, &value, &old));
  IS(old.it_interval.tv_nsec == 10 * MS && old.it_value.tv_nsec <= 10 * MS);
  sigprocmask(SIG_UNBLOCK, &set, 0);
  R(timer_delete(timer));
}

static void *burn_a_little(void *argument) {
  burn(10 * MS);
  return argument;
}

/* Threads come and go while timers of the process are armed, disarmed and deleted. */
static void many_threads(void) {
  struct itimerval tick = {{0, 10000}, {0, 10000}}, off = {};
  pthread_t threads[8];
  puts("many threads");
  caught = 0;
  long begin = now(PROCESS);
  setitimer(ITIMER_PROF, &tick, 0);
  for (int wave = 0; wave < 4; wave++) {
    timer_t timer = timer_on(PROCESS, SIGEV_NONE, 0, 0);
    struct itimerspec value = spec(MS, MS);
    timer_settime(timer, 0, &value, 0);
    for (int i = 0; i < 8; i++) pthread_create(&threads[i], 0, burn_a_little, 0);
    for (int i = 0; i < 8; i++) {
      timer_settime(timer, 0, &value, 0);
      pthread_join(threads[i], 0);
    }
    timer_delete(timer);
  }
  setitimer(ITIMER_PROF, &off, 0);
  long ticks = (now(PROCESS) - begin) / (10 * MS);
  IS(ticks >= 32 && caught >= 1 && caught <= 3 * ticks);
  /* Again and again from the first timer to none, with threads that run already. */
  pthread_t worker = start_worker();
  for (int i = 0; i < 20; i++) {
    caught = 0;
    off.it_value.tv_usec = 2000;
    setitimer(ITIMER_PROF, &off, 0);
    while (!caught) rest(MS);
  }
  join_worker(worker);
  IS(caught == 1);
}

static void inheritance(char *self) {
  int status;
  struct itimerspec value = spec(10000 * MS, 0);
  struct itimerval tick = {{0, 0}, {1000, 0}};
  puts("fork and exec");
  timer_t timer = timer_on(PROCESS, SIGEV_SIGNAL, SIGUSR1, 0);
  timer_settime(timer, 0, &value, 0);
  setitimer(ITIMER_PROF, &tick, 0);
  fflush(stdout);
  pid_t child = fork();
  if (child == 0) {
    IS(now(PROCESS) < 500 * MS);
    R(timer_gettime(timer, &value));
    R(getitimer(ITIMER_PROF, &tick));
    IS(tick.it_value.tv_sec == 0);
    tick.it_value.tv_sec = 1000;
    setitimer(ITIMER_PROF, &tick, 0);
    timer = timer_on(PROCESS, SIGEV_SIGNAL, SIGUSR1, 0);
    char number[20];
    snprintf(number, sizeof number, "%d", *(int *)&timer);
    fflush(stdout);
    execl(self, self, number, (char *)0);
  }
  waitpid(child, &status, 0);
  R(status);
  tick.it_value.tv_sec = 0;
  setitimer(ITIMER_PROF, &tick, 0);
  R(timer_delete(timer));
}

static int after_exec(int id) {
  struct itimerspec value;
  struct itimerval tick;
  R(syscall(SYS_timer_gettime, id, &value));
  R(getitimer(ITIMER_PROF, &tick));
  IS(tick.it_value.tv_sec >= 900);
  return 0;
}

/* The kernel's number of the clock of a process, or a thread (4). */
static clockid_t clock_of(pid_t id, int kind) { return ~id << 3 | kind; }

static void errors(void) {
  timer_t timer;
  clockid_t clock;
  struct timespec t = {0, 1};
  puts("clocks");
  pid_t child = fork();
  if (child == 0) {
    burn(30 * MS);
    pause();
    _exit(0);
  }
  await_sleep(child);
  R(clock_getcpuclockid(child, &clock));
  IS(now(clock) >= 30 * MS && now(clock) < 1000 * MS);
  R(timer_create(clock, 0, &timer));
  R(timer_delete(timer));
  R(timer_create(clock_of(child, 6), 0, &timer)); /* a thread of another process */
  R(clock_gettime(clock_of(child, 6), &t));
  kill(child, SIGKILL);
  waitpid(child, 0, 0);
  R(clock_gettime(clock, &t));
  R(timer_create(clock, 0, &timer));
  R(clock_getcpuclockid(child, &clock));
  R(timer_create(clock_of(0, 3), 0, &timer)); /* a descriptor */
  R(clock_gettime(clock_of(0, 7), &t));
  for (int kind = 0; kind < 7; kind++) {
    if (kind == 3) continue;
    OK(clock_gettime(clock_of(0, kind), &t));
    OK(timer_create(clock_of(getpid(), kind), 0, &timer));
    timer_delete(timer);
  }
  R(syscall(SYS_clock_nanosleep, THREAD, 0, &t, 0));
  R(syscall(SYS_clock_nanosleep, clock_of(0, 6), 0, &t, 0));
  R(syscall(SYS_clock_nanosleep, clock_of(gettid(), 6), 0, &t, 0));
  R(syscall(SYS_clock_nanosleep, clock_of(child, 6), 0, &t, 0));
  R(syscall(SYS_clock_nanosleep, PROCESS, 0, BAD, 0));
  R(syscall(SYS_clock_nanosleep, PROCESS, TIMER_ABSTIME, &t, 0));
  t.tv_nsec = 1000000000;
  R(syscall(SYS_clock_nanosleep, PROCESS, 0, &t, 0));
}

static void sleeping(void) {
  struct timespec t = {0, 50 * MS}, left = {};
  struct itimerval soon = {{0, 0}, {0, 30000}};
  puts("sleeping");
  pthread_t thread = start_worker();
  long begin = now(PROCESS);
  R(clock_nanosleep(PROCESS, 0, &t, 0));
  long used = now(PROCESS) - begin;
  IS(used >= 50 * MS && used < 1000 * MS);
  begin = now(PROCESS) + 40 * MS;
  t.tv_sec = begin / (1000 * MS);
  t.tv_nsec = begin % (1000 * MS);
  R(clock_nanosleep(PROCESS, TIMER_ABSTIME, &t, 0));
  IS(now(PROCESS) >= begin);
  join_worker(thread);
  /* Nobody runs: only the signal ends it. */
  t = (struct timespec){1, 0};
  sigaction(SIGALRM, &(struct sigaction){.sa_sigaction = handler, .sa_flags = SA_SIGINFO}, 0);
  setitimer(ITIMER_REAL, &soon, 0);
  R(syscall(SYS_clock_nanosleep, PROCESS, 0, &t, &left));
  IS(left.tv_sec == 0 && left.tv_nsec > 900 * MS);
  setitimer(ITIMER_REAL, &soon, 0);
  R(syscall(SYS_clock_nanosleep, PROCESS, TIMER_ABSTIME, &(struct timespec){1000, 0}, &left));
}

static int *exceeded; /* shared with children */

static void count_exceeded(int signal) {
  struct rlimit limit;
  getrlimit(RLIMIT_CPU, &limit);
  exceeded[0]++;
  exceeded[1] = limit.rlim_cur;
}

static int run_limited(rlim_t soft, rlim_t hard, int catches) {
  int status;
  memset(exceeded, 0, 2 * sizeof *exceeded);
  pid_t child = fork();
  if (child == 0) {
    if (catches) signal(SIGXCPU, count_exceeded);
    burn(50 * MS);
    setrlimit(RLIMIT_CPU, &(struct rlimit){soft, hard});
    /* A limit is inherited, the time used is not. */
    pid_t grandchild = soft > 0 ? fork() : 0;
    if (grandchild == 0)
      for (;;) burn(100 * MS);
    waitpid(grandchild, &status, 0);
    _exit(WIFSIGNALED(status) ? WTERMSIG(status) : 0);
  }
  waitpid(child, &status, 0);
  return WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status);
}

static void limits(void) {
  puts("RLIMIT_CPU");
  exceeded = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  IS(run_limited(1, 2, 1) == SIGKILL);
  IS(exceeded[0] == 1 && exceeded[1] == 2);
  IS(run_limited(1, 5, 0) == SIGXCPU);
  IS(run_limited(0, 5, 0) == SIGXCPU);
}

int main(int argc, char **argv) {
  if (argc > 1) return after_exec(atoi(argv[1]));
  interval_timers(ITIMER_PROF, SIGPROF);
  interval_timers(ITIMER_VIRTUAL, SIGVTALRM);
  thread_timers();
  process_timers();
  many_threads();
  inheritance(argv[0]);
  errors();
  sleeping();
  limits();
  puts("end");
}
