/*
 * Sends every datagram on port 7 back to where it came from (RFC 862). It also listens on that port
 * for TCP, only to show that it is ready.
 */
#include "bench.h"
#include <netinet/in.h>
#include <sys/socket.h>

int main(void) {
    int file = socket(AF_INET, SOCK_DGRAM, 0);
    struct sockaddr_in own = {.sin_family = AF_INET, .sin_port = htons(7)};
    int ready = socket(AF_INET, SOCK_STREAM, 0);
    if (file < 0 || bind(file, (struct sockaddr *)&own, sizeof own) != 0) fail("port 7");
    if (ready < 0 || bind(ready, (struct sockaddr *)&own, sizeof own) != 0 || listen(ready, 8) != 0)
        fail("port 7 for TCP");
    for (;;) {
        static char data[65536];
        struct sockaddr_in from;
        socklen_t length = sizeof from;
        ssize_t bytes = recvfrom(file, data, sizeof data, 0, (struct sockaddr *)&from, &length);
        if (bytes < 0) fail("recvfrom");
        sendto(file, data, bytes, 0, (struct sockaddr *)&from, length);
    }
}
