/*
 * Asks a server on the network for the same thing again and again, as one client on one connection
 * or as many, and prints answers a second and the median time of an answer. Runs on the host.
 *
 *     load wait HOST PORT
 *         returns when a TCP connection is accepted; whoever runs it sets a limit
 *     load tcp|udp HOST PORT REQUEST DEPTH SECONDS [BEFORE]
 *         sends DEPTH requests at a time; BEFORE is sent once, its answer does not count
 *     load many HOST PORT REQUEST CONNECTIONS SECONDS [BEFORE]
 *         each connection sends its next request when it has the answer; over TCP
 *
 * What comes until nothing comes for a fifth of a second is taken as the first answer; all others
 * must have its length.
 */
#include "bench.h"
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>

enum { PATIENCE_MS = 30000, SILENCE_MS = 200, RETRY_MS = 50, TIMES_MAX = 1 << 22, EVENTS_MAX = 64 };

static char answer[1 << 22];
/* How long each answer took, in nanoseconds. */
static uint32_t times[TIMES_MAX];

/* A connected socket, or -1. */
static int open_socket(int type, const char *host, const char *port) {
    struct sockaddr_in peer = {.sin_family = AF_INET, .sin_port = htons(atoi(port))};
    peer.sin_addr.s_addr = inet_addr(host);
    int file = socket(AF_INET, type | SOCK_NONBLOCK, 0);
    if (file < 0) fail("socket");
    int one = 1;
    if (type == SOCK_STREAM) setsockopt(file, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (connect(file, (struct sockaddr *)&peer, sizeof peer) != 0 && errno != EINPROGRESS) goto no;
    struct pollfd event = {file, POLLOUT, 0};
    int error = 0;
    socklen_t length = sizeof error;
    if (poll(&event, 1, 500) == 1 &&
        getsockopt(file, SOL_SOCKET, SO_ERROR, &error, &length) == 0 && error == 0)
        return file;
no:
    close(file);
    return -1;
}

static int connect_until(uint64_t end_ns, int type, const char *host, const char *port) {
    while (now_ns() < end_ns) {
        int file = open_socket(type, host, port);
        if (file >= 0) return file;
        poll(NULL, 0, RETRY_MS);
    }
    fprintf(stderr, "nobody answers at %s port %s\n", host, port);
    exit(1);
}

static int connect_patiently(int type, const char *host, const char *port) {
    return connect_until(now_ns() + PATIENCE_MS * 1000000ull, type, host, port);
}

static void wait_for(int file, int event) {
    struct pollfd one = {file, event, 0};
    if (poll(&one, 1, PATIENCE_MS) == 1) return;
    fprintf(stderr, "no answer for %d ms\n", PATIENCE_MS);
    exit(1);
}

static void send_all(int file, const char *bytes, size_t length) {
    while (length > 0) {
        ssize_t sent = send(file, bytes, length, 0);
        if (sent < 0 && errno == EAGAIN) wait_for(file, POLLOUT);
        else if (sent < 0) perror("send"), exit(1);
        else bytes += sent, length -= sent;
    }
}

static size_t receive(int file) {
    for (;;) {
        ssize_t bytes = recv(file, answer, sizeof answer, 0);
        if (bytes > 0) return bytes;
        if (bytes == 0) fprintf(stderr, "the server closed the connection\n"), exit(1);
        if (errno != EAGAIN) perror("recv"), exit(1);
        wait_for(file, POLLIN);
    }
}

/* The length of the answer to a request. */
static size_t ask(int file, const char *request) {
    send_all(file, request, strlen(request));
    size_t length = receive(file);
    struct pollfd event = {file, POLLIN, 0};
    while (poll(&event, 1, SILENCE_MS) == 1) length += receive(file);
    return length;
}

static int compare(const void *a, const void *b) {
    uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;
    return left < right ? -1 : left > right;
}

static void report(size_t rounds, size_t depth, uint64_t duration_ns) {
    qsort(times, rounds, sizeof *times, compare);
    result("rate", rounds * depth * 1e9 / duration_ns);
    result("median-us", times[rounds / 2] / 1e3);
}

/* One client: the next requests go when all answers are there. */
static void ask_in_turn(int file, const char *request, size_t depth, uint64_t duration_ns) {
    size_t length = strlen(request), expected = ask(file, request) * depth, rounds = 0;
    char *batch = malloc(length * depth);
    for (size_t i = 0; i < depth; i++) memcpy(batch + i * length, request, length);
    uint64_t start = now_ns(), last = start;
    while (last < start + duration_ns && rounds < TIMES_MAX) {
        send_all(file, batch, length * depth);
        for (size_t got = 0; got < expected;) got += receive(file);
        uint64_t now = now_ns();
        times[rounds++] = now - last;
        last = now;
    }
    report(rounds, depth, last - start);
}

struct client {
    int file;
    size_t got;
    uint64_t asked_ns;
};

/* Many clients, served as their answers come. */
static void ask_together(char **words, const char *request, size_t count, uint64_t duration_ns) {
    struct client clients[count];
    size_t length = strlen(request), expected = 0, rounds = 0;
    int set = epoll_create1(0);
    for (size_t i = 0; i < count; i++) {
        clients[i] = (struct client){.file = connect_patiently(SOCK_STREAM, words[2], words[3])};
        struct epoll_event event = {EPOLLIN, {.ptr = &clients[i]}};
        epoll_ctl(set, EPOLL_CTL_ADD, clients[i].file, &event);
        if (i == 0) expected = ask(clients[i].file, request);
    }
    uint64_t start = now_ns(), now = start;
    for (size_t i = 0; i < count; i++) {
        clients[i].asked_ns = now_ns();
        send_all(clients[i].file, request, length);
    }
    while (now < start + duration_ns && rounds < TIMES_MAX) {
        struct epoll_event events[EVENTS_MAX];
        int ready = epoll_wait(set, events, EVENTS_MAX, PATIENCE_MS);
        if (ready <= 0) fprintf(stderr, "no answer for %d ms\n", PATIENCE_MS), exit(1);
        for (int i = 0; i < ready && rounds < TIMES_MAX; i++) {
            struct client *client = events[i].data.ptr;
            client->got += receive(client->file);
            if (client->got < expected) continue;
            now = now_ns();
            times[rounds++] = now - client->asked_ns;
            client->got = 0;
            client->asked_ns = now;
            send_all(client->file, request, length);
        }
    }
    report(rounds, 1, now - start);
}

int main(int count, char **words) {
    if (count == 4 && strcmp(words[1], "wait") == 0) {
        connect_until(UINT64_MAX, SOCK_STREAM, words[2], words[3]);
        return 0;
    }
    if (count < 7) return fputs("load wait|tcp|udp|many HOST PORT [REQUEST DEPTH SECONDS [BEFORE]]\n", stderr), 2;
    int type = strcmp(words[1], "udp") == 0 ? SOCK_DGRAM : SOCK_STREAM;
    int file = connect_patiently(type, words[2], words[3]);
    if (count > 7) ask(file, words[7]);
    uint64_t duration_ns = atoi(words[6]) * 1000000000ull;
    if (strcmp(words[1], "many") == 0) ask_together(words, words[4], atoi(words[5]), duration_ns);
    else ask_in_turn(file, words[4], atoi(words[5]), duration_ns);
}
