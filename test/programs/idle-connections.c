/*
 * Many connections that do nothing.
 *
 *     idle-connections serve PORT COUNT          accepts so many, says what they cost, waits for their end
 *     idle-connections connect ADDRESS PORT COUNT   opens so many and keeps them until its input ends
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/sysinfo.h>
#include <unistd.h>

static void fail(const char *what) {
    perror(what);
    exit(1);
}

static long free_kib(void) {
    struct sysinfo facts;
    if (sysinfo(&facts) != 0) fail("sysinfo");
    return (long)(facts.freeram * facts.mem_unit / 1024);
}

static void serve(int port, int count) {
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in own = {.sin_family = AF_INET, .sin_port = htons(port)};
    if (bind(listener, (struct sockaddr *)&own, sizeof own) != 0) fail("bind");
    if (listen(listener, 4096) != 0) fail("listen");
    int poller = epoll_create1(0);
    long before = free_kib();
    printf("listening\n");
    fflush(stdout);
    for (int i = 0; i < count; i++) {
        int connection = accept(listener, NULL, NULL);
        if (connection < 0) fail("accept");
        struct epoll_event event = {.events = EPOLLIN | EPOLLRDHUP, .data.fd = connection};
        if (epoll_ctl(poller, EPOLL_CTL_ADD, connection, &event) != 0) fail("epoll_ctl");
    }
    printf("connections cost %ld KiB\n", before - free_kib());
    fflush(stdout);
    for (int ended = 0; ended < count;) {
        struct epoll_event events[64];
        int ready = epoll_wait(poller, events, 64, -1);
        if (ready < 0) fail("epoll_wait");
        for (int i = 0; i < ready; i++, ended++) close(events[i].data.fd);
    }
    printf("afterwards %ld KiB are missing\n", before - free_kib());
    fflush(stdout);
}

static void hold(const char *address, int port, int count) {
    struct sockaddr_in peer = {.sin_family = AF_INET, .sin_port = htons(port)};
    inet_pton(AF_INET, address, &peer.sin_addr);
    for (int i = 0; i < count; i++) {
        int connection = socket(AF_INET, SOCK_STREAM, 0);
        if (connection < 0) fail("socket");
        if (connect(connection, (struct sockaddr *)&peer, sizeof peer) != 0) fail("connect");
    }
    char byte;
    while (read(0, &byte, 1) > 0) continue;
}

int main(int argc, char **argv) {
    struct rlimit limit = {20000, 20000};
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0) fail("setrlimit");
    if (argc == 4 && strcmp(argv[1], "serve") == 0) serve(atoi(argv[2]), atoi(argv[3]));
    else if (argc == 5) hold(argv[2], atoi(argv[3]), atoi(argv[4]));
    else return 2;
    return 0;
}
