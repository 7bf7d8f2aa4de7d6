/* Mutexes with PTHREAD_PRIO_INHERIT: contention, errors, time-outs, dead owners, condition variables. */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define THREADS 8
#define ROUNDS 3000

static void say(const char *what, int result) {
  printf("%s: %s\n", what, result ? strerrorname_np(result) : "0");
}
#define SAY(call) say(#call, call)

static void make(pthread_mutex_t *mutex, int type, int robust, int shared) {
  pthread_mutexattr_t attributes;
  pthread_mutexattr_init(&attributes);
  pthread_mutexattr_setprotocol(&attributes, PTHREAD_PRIO_INHERIT);
  pthread_mutexattr_settype(&attributes, type);
  pthread_mutexattr_setrobust(&attributes, robust);
  pthread_mutexattr_setpshared(&attributes, shared);
  int error = pthread_mutex_init(mutex, &attributes);
  if (error) say("init", error);
}

static struct timespec after_ms(clockid_t clock, long ms) {
  struct timespec time;
  clock_gettime(clock, &time);
  time.tv_nsec += ms * 1000000;
  time.tv_sec += time.tv_nsec / 1000000000;
  time.tv_nsec %= 1000000000;
  return time;
}

static pthread_mutex_t mutex, others[5];
static pthread_cond_t filled = PTHREAD_COND_INITIALIZER, drained = PTHREAD_COND_INITIALIZER;
static long counter;

static void run_threads(void *(*run)(void *)) {
  pthread_t threads[THREADS];
  for (long i = 0; i < THREADS; i++) pthread_create(&threads[i], 0, run, (void *)i);
  for (int i = 0; i < THREADS; i++) pthread_join(threads[i], 0);
}

static void *count(void *index) {
  for (int i = 0; i < ROUNDS; i++) {
    switch ((i + (long)index) % 4) {
    case 0:
      while (pthread_mutex_trylock(&mutex)) sched_yield();
      break;
    case 1: {
      struct timespec time = after_ms(CLOCK_REALTIME, 100000);
      if (pthread_mutex_timedlock(&mutex, &time)) abort();
      break;
    }
    default:
      if (pthread_mutex_lock(&mutex)) abort();
    }
    long seen = counter;
    if (i % 16 == 0) sched_yield(); /* gives others time to meet a held mutex */
    counter = seen + 1;
    if (pthread_mutex_unlock(&mutex)) abort();
  }
  return 0;
}

static void contention(void) {
  static const int types[] = {PTHREAD_MUTEX_NORMAL, PTHREAD_MUTEX_ERRORCHECK,
                              PTHREAD_MUTEX_RECURSIVE};
  for (int robust = 0; robust < 2; robust++)
    for (int i = 0; i < 3; i++) {
      make(&mutex, types[i], robust, PTHREAD_PROCESS_PRIVATE);
      counter = 0;
      run_threads(count);
      printf("counted %ld\n", counter);
      SAY(pthread_mutex_destroy(&mutex));
    }
}

static void *try_other(void *unused) {
  SAY(pthread_mutex_trylock(&mutex));
  SAY(pthread_mutex_unlock(&mutex));
  struct timespec past = {1, 0}, soon = after_ms(CLOCK_REALTIME, 20),
                  mono = after_ms(CLOCK_MONOTONIC, 20);
  SAY(pthread_mutex_timedlock(&mutex, &past));
  SAY(pthread_mutex_timedlock(&mutex, &soon));
  SAY(pthread_mutex_clocklock(&mutex, CLOCK_MONOTONIC, &mono));
  return 0;
}

static void errors(void) {
  pthread_t thread;
  make(&mutex, PTHREAD_MUTEX_ERRORCHECK, 0, 0);
  SAY(pthread_mutex_unlock(&mutex));
  SAY(pthread_mutex_lock(&mutex));
  SAY(pthread_mutex_lock(&mutex));
  SAY(pthread_mutex_trylock(&mutex));
  pthread_create(&thread, 0, try_other, 0);
  pthread_join(thread, 0);
  SAY(pthread_mutex_unlock(&mutex));
  make(&mutex, PTHREAD_MUTEX_RECURSIVE, 0, 0);
  SAY(pthread_mutex_lock(&mutex));
  SAY(pthread_mutex_trylock(&mutex));
  SAY(pthread_mutex_unlock(&mutex));
  SAY(pthread_mutex_unlock(&mutex));
}

/* Philosophers: each holds one mutex while it waits for the next. */
static void *dine(void *index) {
  long seat = (long)index % 5, left = seat < 4 ? seat : 0, right = seat < 4 ? seat + 1 : 4;
  for (int i = 0; i < ROUNDS / 4; i++) {
    pthread_mutex_lock(&others[left]);
    if (i % 8 == 0) sched_yield();
    pthread_mutex_lock(&others[right]);
    counter++; /* guarded only for neighbours: not printed */
    pthread_mutex_unlock(&others[right]);
    pthread_mutex_unlock(&others[left]);
  }
  return 0;
}

static int items;

static void *produce(void *unused) {
  for (int i = 0; i < ROUNDS / 4; i++) {
    pthread_mutex_lock(&mutex);
    while (items == 3) pthread_cond_wait(&drained, &mutex);
    items++;
    pthread_cond_signal(&filled);
    pthread_mutex_unlock(&mutex);
  }
  return 0;
}

static void *consume(void *unused) {
  for (int i = 0; i < ROUNDS / 4; i++) {
    pthread_mutex_lock(&mutex);
    while (items == 0) pthread_cond_wait(&filled, &mutex);
    items--;
    counter++;
    pthread_cond_broadcast(&drained);
    pthread_mutex_unlock(&mutex);
  }
  return 0;
}

static void *produce_or_consume(void *index) {
  return (long)index % 2 ? produce(0) : consume(0);
}

/* The word that the kernel sees. */
static unsigned word_of(pthread_mutex_t *of) {
  return __atomic_load_n((unsigned *)&of->__data.__lock, __ATOMIC_SEQ_CST);
}

static void *die_waited_for(void *unused) {
  pthread_mutex_lock(&mutex);
  while (!(word_of(&mutex) & FUTEX_WAITERS)) sched_yield();
  return 0;
}

static void *die_alone(void *unused) {
  pthread_mutex_lock(&mutex);
  return 0;
}

static void *take_robust(void *unused) {
  int result = pthread_mutex_lock(&mutex);
  if (result == EOWNERDEAD) {
    counter += 1000;
    pthread_mutex_consistent(&mutex);
  } else if (result) say("lock", result);
  counter++;
  pthread_mutex_unlock(&mutex);
  return 0;
}

static void dead_threads(void) {
  pthread_t owner;
  for (int i = 0; i < 10; i++) {
    make(&mutex, PTHREAD_MUTEX_NORMAL, PTHREAD_MUTEX_ROBUST, 0);
    counter = 0;
    pthread_create(&owner, 0, die_waited_for, 0);
    while (!word_of(&mutex)) sched_yield();
    run_threads(take_robust);
    pthread_join(owner, 0);
    if (counter != 1000 + THREADS) printf("robust %ld\n", counter);
  }
  pthread_create(&owner, 0, die_alone, 0);
  pthread_join(owner, 0);
  SAY(pthread_mutex_lock(&mutex));
  SAY(pthread_mutex_unlock(&mutex)); /* not made consistent */
  SAY(pthread_mutex_lock(&mutex));
  SAY(pthread_mutex_trylock(&mutex));
}

static struct shared {
  pthread_mutex_t mutex;
  atomic_int deaths, takers, holding;
  long counter;
} *shared;

/* Children that count under a mutex in shared memory; some are killed while they have it. */
static void dead_processes(void) {
  shared = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  make(&shared->mutex, PTHREAD_MUTEX_NORMAL, PTHREAD_MUTEX_ROBUST, PTHREAD_PROCESS_SHARED);
  pid_t children[12];
  for (int i = 0; i < 12; i++) {
    if ((children[i] = fork())) continue;
    for (int n = 0; n < 200; n++) {
      int result = pthread_mutex_lock(&shared->mutex);
      if (result == EOWNERDEAD) {
        shared->deaths++;
        pthread_mutex_consistent(&shared->mutex);
      } else if (result) _exit(result);
      shared->counter++;
      if (n == 100 && i % 3 == 0) raise(SIGKILL);
      if (n == 100 && i % 3 == 1) _exit(0);
      pthread_mutex_unlock(&shared->mutex);
    }
    _exit(0);
  }
  for (int i = 0; i < 12; i++) {
    int status;
    waitpid(children[i], &status, 0);
    if (status && status != SIGKILL) printf("child %d: status %x\n", i, status);
  }
  int result = pthread_mutex_lock(&shared->mutex);
  if (result == EOWNERDEAD) shared->deaths++;
  printf("deaths %d counter %ld\n", shared->deaths, shared->counter);
}

int main(void) {
  setvbuf(stdout, 0, _IONBF, 0);
  contention();
  errors();
  for (int i = 0; i < 5; i++) make(&others[i], PTHREAD_MUTEX_NORMAL, 0, 0);
  run_threads(dine);
  puts("dined");
  make(&mutex, PTHREAD_MUTEX_NORMAL, 0, 0);
  counter = 0;
  run_threads(produce_or_consume);
  printf("consumed %ld left %d\n", counter, items);
  dead_threads();
  dead_processes();
  puts("end");
  return 0;
}
