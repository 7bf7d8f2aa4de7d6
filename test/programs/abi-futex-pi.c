/* Raw futex(2) calls for PI futexes: results, the word after each, owners that end, requeueing. */
#include "abi.h"
#include <linux/futex.h>
#include <sys/wait.h>

typedef _Atomic unsigned word_t;

static word_t *words; /* shared with children */
static int ids[8];    /* thread ids by role: 0 main, then the threads of a test */
static word_t condition;
static int done;
static pid_t stranger; /* a process that owns nothing */

static long futex(word_t *word, int operation, unsigned value, void *timeout, word_t *word2,
                  unsigned value3) {
  return syscall(SYS_futex, word, operation, value, timeout, word2, value3);
}

#define LOCK(w) futex(w, FUTEX_LOCK_PI, 0, 0, 0, 0)
#define TRY(w) futex(w, FUTEX_TRYLOCK_PI, 0, 0, 0, 0)
#define UNLOCK(w) futex(w, FUTEX_UNLOCK_PI, 0, 0, 0, 0)

/* A word, with roles for thread ids. */
static void show(int line, word_t *w) {
  unsigned id = *w & FUTEX_TID_MASK;
  printf("%d word%s%s ", line, *w & FUTEX_WAITERS ? " waiters" : "",
         *w & FUTEX_OWNER_DIED ? " died" : "");
  if (!id) puts("free");
  for (int i = 0; id && i < 8; i++)
    if (ids[i] == id) {
      printf("owner %d\n", i);
      return;
    }
  if (id) puts("owner ?");
}
#define W(w) show(__LINE__, w)

static struct timespec in_ms(clockid_t clock, long ms) {
  struct timespec t;
  clock_gettime(clock, &t);
  t.tv_sec += ms / 1000;
  t.tv_nsec += ms % 1000 * 1000000;
  if (t.tv_nsec >= 1000000000) t.tv_sec++, t.tv_nsec -= 1000000000;
  return t;
}

/* Until somebody waits for the word in the kernel. */
static void await_waiter(word_t *w) {
  while (!(*w & FUTEX_WAITERS)) sched_yield();
}

static void await_task(int tid) {
  char path[64];
  snprintf(path, sizeof path, "/proc/self/task/%d/stat", tid);
  await_sleep_of(path);
}

/* Starts a thread with role `n` and waits until it has said who it is. */
static pthread_t start(int n, void *(*run)(void *)) {
  pthread_t thread;
  ids[n] = 0;
  pthread_create(&thread, 0, run, (void *)(long)n);
  while (!__atomic_load_n(&ids[n], __ATOMIC_SEQ_CST)) sched_yield();
  return thread;
}
#define ENTER(n) __atomic_store_n(&ids[n], gettid(), __ATOMIC_SEQ_CST)

static void errors(void) {
  word_t *w = words;
  struct timespec past = {1, 0}, bad = {0, 1000000000}, minus = {-1, 0};
  ids[0] = gettid();
  R(LOCK(w)); W(w);
  R(LOCK(w)); W(w);
  R(TRY(w)); W(w);
  R(UNLOCK(w)); W(w);
  R(UNLOCK(w));
  R(TRY(w)); W(w);
  R(futex(w, FUTEX_UNLOCK_PI_PRIVATE, 0, 0, 0, 0)); W(w);
  R(futex(w, FUTEX_LOCK_PI2_PRIVATE, 0, 0, 0, 0)); W(w);
  R(futex(w, FUTEX_LOCK_PI2 | FUTEX_CLOCK_REALTIME, 0, 0, 0, 0));
  R(futex(w, FUTEX_LOCK_PI | FUTEX_CLOCK_REALTIME, 0, 0, 0, 0));
  R(futex(w, FUTEX_UNLOCK_PI | FUTEX_CLOCK_REALTIME, 0, 0, 0, 0));
  *w = FUTEX_OWNER_DIED;
  R(LOCK(w)); W(w);
  R(UNLOCK(w)); W(w);
  *w = FUTEX_WAITERS;
  R(LOCK(w)); W(w);
  *w = FUTEX_WAITERS | FUTEX_OWNER_DIED;
  R(TRY(w)); W(w);
  *w = 0x3ffffff0; /* nobody has this number */
  R(LOCK(w)); W(w);
  R(TRY(w));
  *w = stranger;
  R(futex(w, FUTEX_LOCK_PI, 0, &past, 0, 0)); W(w);
  R(futex(w, FUTEX_LOCK_PI2, 0, &past, 0, 0));
  R(futex(w, FUTEX_LOCK_PI, 0, &bad, 0, 0));
  R(futex(w, FUTEX_LOCK_PI, 0, &minus, 0, 0));
  R(futex(w, FUTEX_LOCK_PI, 0, BAD, 0, 0));
  R(futex(w, FUTEX_TRYLOCK_PI, 0, BAD, 0, 0));
  *w = 0;
  R(LOCK((word_t *)((char *)w + 1)));
  R(LOCK((word_t *)BAD));
  R(LOCK(0));
  R(LOCK((word_t *)0xffffffffffff0000));
  R(UNLOCK((word_t *)BAD));
  R(UNLOCK((word_t *)((char *)w + 1)));
  w[0] = w[1] = ids[0] << 8;
  R(UNLOCK((word_t *)((char *)w + 1)));
  void *read_only = mmap(0, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  R(LOCK(read_only));
  munmap(read_only, 4096);
  w[0] = w[1] = 0;
  R(futex(w, FUTEX_WAIT_REQUEUE_PI, 0, 0, w, 0));
  R(futex(w, FUTEX_WAIT_REQUEUE_PI, 1, 0, w + 1, 0));
  R(futex(w, FUTEX_WAIT_REQUEUE_PI, 0, &past, w + 1, 0));
  R(futex(w, FUTEX_WAIT_REQUEUE_PI | FUTEX_CLOCK_REALTIME, 0, &past, w + 1, 0));
  R(futex(w, FUTEX_WAIT_REQUEUE_PI, 0, &bad, w + 1, 0));
  R(futex(w, FUTEX_WAIT_REQUEUE_PI, 0, 0, BAD, 0));
  R(futex(w, FUTEX_WAIT_REQUEUE_PI, 0, 0, 0, 0));
  R(futex(BAD, FUTEX_WAIT_REQUEUE_PI, 0, 0, w, 0));
  R(futex(w, FUTEX_CMP_REQUEUE_PI, 1, 0, w, 0));
  R(futex(w, FUTEX_CMP_REQUEUE_PI, 2, 0, w + 1, 0));
  R(futex(w, FUTEX_CMP_REQUEUE_PI, 1, (void *)-1, w + 1, 0));
  R(futex(w, FUTEX_CMP_REQUEUE_PI, 1, 0, w + 1, 7));
  R(futex(w, FUTEX_CMP_REQUEUE_PI, 1, 0, w + 1, 0));
  R(futex(BAD, FUTEX_CMP_REQUEUE_PI, 1, 0, w + 1, 0));
  R(futex(w, FUTEX_CMP_REQUEUE_PI, 1, 0, BAD, 0));
  R(futex(w, FUTEX_CMP_REQUEUE_PI | FUTEX_CLOCK_REALTIME, 1, 0, w + 1, 0));
  R(futex(BAD, FUTEX_WAKE, 1, 0, 0, 0));
  R(futex(BAD, FUTEX_WAKE_PRIVATE, 1, 0, 0, 0));
  R(futex(BAD, FUTEX_LOCK_PI_PRIVATE, 0, 0, 0, 0));
}

/* What threads do while others print: kept for `said`. */
static long results[8];
#define NOTE(n, call) results[n] = (call) < 0 ? -errno : 0
static void said(int line, int n) {
  printf("%d thread %d: %s\n", line, n, results[n] ? strerrorname_np(-results[n]) : "0");
}
#define SAID(n) said(__LINE__, n)

/* Two mappings of the same file are the same word only to shared operations. */
static void same_word_twice(void) {
  int fd = memfd_create("words", 0);
  ftruncate(fd, 4096);
  word_t *one = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  word_t *other = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  R(futex(one, FUTEX_WAIT_REQUEUE_PI, 0, 0, other, 0));
  R(futex(one, FUTEX_CMP_REQUEUE_PI, 1, 0, other, 0));
  close(fd);
}

static void *take_and_give(void *n) {
  ENTER((long)n);
  NOTE((long)n, LOCK(words));
  __atomic_store_n(&done, done * 10 + (long)n, __ATOMIC_SEQ_CST);
  UNLOCK(words);
  return 0;
}

/* Who waits longest gets it. */
static void order(void) {
  pthread_t threads[5];
  *words = 0, done = 0;
  LOCK(words);
  for (int n = 1; n < 5; n++) {
    threads[n] = start(n, take_and_give);
    await_task(ids[n]);
  }
  W(words);
  R(TRY(words));
  R(futex(words, FUTEX_WAKE, 1, 0, 0, 0));
  R(futex(words, FUTEX_REQUEUE, 0, (void *)1, words + 1, 0));
  R(futex(words, FUTEX_CMP_REQUEUE_PI, 1, 0, words + 1, *words));
  R(UNLOCK(words));
  for (int n = 1; n < 5; n++) pthread_join(threads[n], 0);
  printf("order %d\n", done);
  W(words);
}

static void *take_late(void *n) {
  ENTER((long)n);
  struct timespec soon = in_ms(CLOCK_REALTIME, 30), mono = in_ms(CLOCK_MONOTONIC, 30);
  R(futex(words, FUTEX_LOCK_PI, 0, &soon, 0, 0));
  W(words);
  R(futex(words, FUTEX_LOCK_PI2, 0, &mono, 0, 0));
  R(TRY(words));
  R(UNLOCK(words));
  return 0;
}

static atomic_int handled;
static void handler(int number) { handled++; }

static void *take_interrupted(void *n) {
  ENTER((long)n);
  NOTE((long)n, LOCK(words)); /* a handler ran without SA_RESTART: it goes on waiting */
  UNLOCK(words);
  return 0;
}

static void waiting(void) {
  *words = 0;
  LOCK(words);
  pthread_join(start(1, take_late), 0);
  W(words);
  R(UNLOCK(words)); W(words);
  LOCK(words);
  struct sigaction action = {.sa_handler = handler};
  sigaction(SIGUSR1, &action, 0);
  pthread_t thread = start(1, take_interrupted);
  for (int i = 0; i < 3; i++) {
    int before = handled;
    await_task(ids[1]);
    pthread_kill(thread, SIGUSR1);
    while (handled == before) sched_yield();
  }
  await_task(ids[1]);
  R(UNLOCK(words));
  pthread_join(thread, 0);
  SAID(1);
  W(words);
}

/* 1 has A and wants B, 2 has B and wants C, main has C and wants A. */
static void *circle(void *n) {
  int i = (long)n;
  LOCK(words + i);
  ENTER(i);
  NOTE(i, LOCK(words + i + 1));
  UNLOCK(words + i + 1);
  UNLOCK(words + i);
  return 0;
}

static void deadlock(void) {
  words[1] = words[2] = words[3] = 0;
  LOCK(words + 3);
  pthread_t two = start(2, circle);
  await_task(ids[2]);
  pthread_t one = start(1, circle);
  await_task(ids[1]);
  R(LOCK(words + 1));
  W(words + 1);
  R(UNLOCK(words + 3));
  pthread_join(two, 0);
  pthread_join(one, 0);
  SAID(1);
  SAID(2);
}

/* The word says something else than the kernel knows. */
static void wrong_words(void) {
  *words = 0, done = 0;
  LOCK(words);
  pthread_t thread = start(1, take_and_give);
  await_task(ids[1]);
  unsigned was = *words;
  *words = stranger;
  R(LOCK(words));
  *words = 0;
  R(LOCK(words));
  *words = FUTEX_OWNER_DIED | stranger;
  R(TRY(words));
  *words = was;
  R(LOCK(words));
  R(UNLOCK(words));
  pthread_join(thread, 0);
  W(words);
}

static void *wait_plainly(void *n) {
  ENTER((long)n);
  NOTE((long)n, futex(words, FUTEX_WAIT, *words, 0, 0, 0));
  return 0;
}

static void plain_waiter(void) {
  *words = gettid();
  pthread_t thread = start(1, wait_plainly);
  await_task(ids[1]);
  R(UNLOCK(words));
  *words = 0;
  R(LOCK(words));
  R(futex(words, FUTEX_CMP_REQUEUE_PI, 1, (void *)1, words + 1, *words));
  R(futex(words, FUTEX_WAKE, 1, 0, 0, 0));
  pthread_join(thread, 0);
  SAID(1);
}

static void *end_as_owner(void *n) {
  LOCK(words);
  ENTER((long)n);
  await_waiter(words);
  await_task(ids[0]);
  syscall(SYS_exit, 0);
}

static void *take_after_death(void *n) {
  ENTER((long)n);
  NOTE((long)n, LOCK(words));
  return 0;
}

/* A thread with no robust list ends as the owner: the waiter inherits. */
static void owner_ends(void) {
  *words = 0;
  start(1, end_as_owner);
  R(LOCK(words)); W(words);
  pthread_t thread = start(2, take_after_death);
  await_task(ids[2]);
  R(UNLOCK(words));
  pthread_join(thread, 0);
  SAID(2);
  W(words);
}

/* The entry of a robust list as futex(2) has it. */
static struct {
  struct robust_list_head head;
  struct robust_list entry;
  word_t *word;
} *robust;

/* A child with a robust list ends as owner, or executes, or is killed. */
static void robust_child(const char *how, int is_pi, int is_listed) {
  pid_t child;
  words[0] = words[1] = 0;
  if (!(child = fork())) {
    robust = (void *)(words + 64);
    robust->head.futex_offset = (char *)words - (char *)&robust->entry;
    robust->entry.next = &robust->head.list;
    struct robust_list *entry = (void *)((char *)&robust->entry + is_pi);
    robust->head.list.next = is_listed ? entry : &robust->head.list;
    robust->head.list_op_pending = is_listed ? 0 : entry;
    syscall(SYS_set_robust_list, &robust->head, sizeof robust->head);
    *words = gettid();
    words[1] = 1;
    if (is_pi) await_waiter(words);
    else while (!(*words & FUTEX_WAITERS)) sched_yield();
    if (!strcmp(how, "exec")) execl("/proc/self/exe", "abi-futex-pi", "nothing", NULL);
    if (!strcmp(how, "kill")) raise(SIGKILL);
    _exit(0);
  }
  ids[1] = child;
  while (!words[1]) sched_yield();
  printf("%s %d %d\n", how, is_pi, is_listed);
  if (is_pi) R(LOCK(words));
  else {
    unsigned word = *words |= FUTEX_WAITERS;
    while (*words == word) futex(words, FUTEX_WAIT, word, 0, 0, 0);
  }
  W(words);
  if (is_pi) {
    R(UNLOCK(words)); W(words);
  }
  waitpid(child, 0, 0);
}

static void robust_owners(void) {
  robust_child("exit", 1, 1);
  robust_child("exit", 0, 1);
  robust_child("exit", 1, 0);
  robust_child("exit", 0, 0);
  robust_child("exec", 1, 1);
  robust_child("exec", 0, 1);
  robust_child("kill", 1, 1);
}

static void *wait_to_be_moved(void *n) {
  ENTER((long)n);
  NOTE((long)n, futex(&condition, FUTEX_WAIT_REQUEUE_PI, 0, 0, words, 0));
  __atomic_store_n(&done, done * 10 + (long)n, __ATOMIC_SEQ_CST);
  UNLOCK(words);
  return 0;
}

static void *wait_a_while(void *n) {
  ENTER((long)n);
  struct timespec later = in_ms(CLOCK_MONOTONIC, 2000);
  NOTE((long)n, futex(&condition, FUTEX_WAIT_REQUEUE_PI, 0, &later, words, 0));
  return 0;
}

static void *wait_interrupted(void *n) {
  ENTER((long)n);
  NOTE((long)n, futex(&condition, FUTEX_WAIT_REQUEUE_PI, 0, 0, words, 0));
  return 0;
}

static void requeueing(void) {
  pthread_t threads[5];
  for (int owned = 0; owned < 2; owned++) {
    *words = 0, done = 0, condition = 0;
    if (owned) LOCK(words);
    for (int n = 1; n < 5; n++) {
      threads[n] = start(n, wait_to_be_moved);
      await_task(ids[n]);
    }
    R(futex(&condition, FUTEX_WAKE, 1, 0, 0, 0));
    R(futex(&condition, FUTEX_REQUEUE, 0, (void *)1, words + 1, 0));
    R(futex(&condition, FUTEX_CMP_REQUEUE_PI, 1, (void *)1, words + 1, 0));
    R(futex(&condition, FUTEX_CMP_REQUEUE_PI, 1, 0, words, 1));
    printf("moved %ld\n", futex(&condition, FUTEX_CMP_REQUEUE_PI, 1, (void *)1, words, 0));
    printf("moved %ld\n", futex(&condition, FUTEX_CMP_REQUEUE_PI, 1, (void *)9, words, 0));
    if (owned) {
      W(words);
      R(UNLOCK(words));
    }
    for (int n = 1; n < 5; n++) {
      pthread_join(threads[n], 0);
      SAID(n);
    }
    if (owned) printf("order %d\n", done);
    W(words);
  }
  /* A time-out before and after the move. */
  *words = 0;
  LOCK(words);
  pthread_join(start(1, wait_a_while), 0);
  SAID(1);
  pthread_t thread = start(1, wait_a_while);
  await_task(ids[1]);
  R(futex(&condition, FUTEX_CMP_REQUEUE_PI, 1, 0, words, 0));
  W(words);
  pthread_join(thread, 0);
  SAID(1);
  /* The same with a signal, whose handler changes the word. */
  thread = start(1, wait_interrupted);
  await_task(ids[1]);
  condition = 1;
  pthread_kill(thread, SIGUSR1);
  pthread_join(thread, 0);
  SAID(1);
  condition = 0;
  thread = start(1, wait_interrupted);
  await_task(ids[1]);
  R(futex(&condition, FUTEX_CMP_REQUEUE_PI, 1, 0, words, 0));
  pthread_kill(thread, SIGUSR1);
  pthread_join(thread, 0);
  SAID(1);
  /* The owner ends after the move. */
  *words = 0;
  thread = start(2, wait_to_be_moved);
  await_task(ids[2]);
  start(1, end_as_owner);
  R(futex(&condition, FUTEX_CMP_REQUEUE_PI, 1, 0, words, 0));
  pthread_join(thread, 0);
  SAID(2);
  W(words);
}

int main(int argc, char **argv) {
  if (argc > 1) return 0;
  setvbuf(stdout, 0, _IONBF, 0);
  words = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (!(stranger = fork())) {
    pause();
    _exit(0);
  }
  errors();
  same_word_twice();
  order();
  waiting();
  deadlock();
  wrong_words();
  plain_waiter();
  owner_ends();
  robust_owners();
  requeueing();
  kill(stranger, SIGKILL);
  puts("end");
  return 0;
}
