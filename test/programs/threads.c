/* Threads with mutexes, condition variables, thread-local storage and cancellation. */
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { workers = 16, rounds = 2000 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t turn_changed = PTHREAD_COND_INITIALIZER;
static int turn;
static uint64_t total;
static __thread uint64_t own;

static void *work(void *argument) {
    const int number = (int)(intptr_t)argument;
    for (int round = 0; round < rounds / workers; round++) {
        pthread_mutex_lock(&lock);
        while (turn != number) pthread_cond_wait(&turn_changed, &lock);
        total = total * 31 + (uint64_t)number;
        own += total & 0xff;
        turn = (turn + 1) % workers;
        pthread_cond_broadcast(&turn_changed);
        pthread_mutex_unlock(&lock);
    }
    return (void *)(intptr_t)own;
}

static void *sleep_for_ever(void *argument) {
    for (;;) pause();
    return argument;
}

int main(void) {
    pthread_t threads[workers];
    for (intptr_t i = 0; i < workers; i++) {
        if (pthread_create(&threads[i], NULL, work, (void *)i) != 0) return 1;
    }
    uint64_t sum = 0;
    for (int i = 0; i < workers; i++) {
        void *result;
        pthread_join(threads[i], &result);
        sum += (uint64_t)(intptr_t)result;
    }
    pthread_t sleeper;
    void *result;
    pthread_create(&sleeper, NULL, sleep_for_ever, NULL);
    pthread_cancel(sleeper);
    pthread_join(sleeper, &result);
    printf("total %llx, sum %llu, cancelled %d\n", (unsigned long long)total,
           (unsigned long long)sum, result == PTHREAD_CANCELED);
    return 0;
}
