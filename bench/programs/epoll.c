/* An event loop with 1,000 descriptors, of which one, or all, are ready. */
#include "bench.h"
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>

enum { count = 1000 };
static int events[count];
static int set;

/* Somebody writes to one of the descriptors; the loop learns which, and reads it. */
static void one_event(int rounds) {
    struct epoll_event got[64];
    for (int i = 0; i < rounds; i++) {
        eventfd_t value;
        if (eventfd_write(events[i * 7 % count], 1) != 0) fail("eventfd_write");
        if (epoll_wait(set, got, 64, -1) != 1) fail("epoll_wait");
        if (eventfd_read(got[0].data.fd, &value) != 0) fail("eventfd_read");
    }
}

/* All are ready and stay so (level-triggered): the cost of reporting one. */
static void all_events(int rounds) {
    struct epoll_event got[count];
    for (int i = 0; i < rounds; i += count) {
        if (epoll_wait(set, got, count, -1) != count) fail("epoll_wait");
    }
}

int main(void) {
    const struct rlimit files = {count + 64, count + 64};
    if (setrlimit(RLIMIT_NOFILE, &files) != 0) fail("setrlimit");
    set = epoll_create1(0);
    for (int i = 0; i < count; i++) {
        events[i] = eventfd(0, EFD_NONBLOCK);
        struct epoll_event wanted = {.events = EPOLLIN, .data.fd = events[i]};
        if (epoll_ctl(set, EPOLL_CTL_ADD, events[i], &wanted) != 0) fail("epoll_ctl");
    }
    measure("epoll", 10000, one_event);
    for (int i = 0; i < count; i++) eventfd_write(events[i], 1);
    measure("epoll-all", 20 * count, all_events);
    finish();
}
