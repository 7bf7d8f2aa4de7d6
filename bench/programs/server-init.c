/*
 * The first process of a Linux guest that serves the network: loads the drivers, gives eth0 its
 * address, and executes the server.
 *
 *     server-init ADDRESS PROGRAM ARGUMENTS...      (a /24; modules: /modules/0, /modules/1, ...)
 *
 * Linux starts it as /init; the words after "--" on the kernel's command line are its arguments.
 */
#include "bench.h"
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>

static void load_modules(void) {
    for (int index = 0;; index++) {
        char path[32];
        snprintf(path, sizeof path, "/modules/%d", index);
        int file = open(path, O_RDONLY | O_CLOEXEC);
        if (file < 0) return;
        if (syscall(SYS_finit_module, file, "", 0) != 0) fail(path);
        close(file);
    }
}

static void set_address(int socket, struct ifreq *request, unsigned long call, uint32_t address) {
    struct sockaddr_in *field = (struct sockaddr_in *)&request->ifr_addr;
    memset(field, 0, sizeof *field);
    field->sin_family = AF_INET;
    field->sin_addr.s_addr = address;
    if (ioctl(socket, call, request) != 0) fail("eth0");
}

static void bring_up(int socket, const char *name, const char *address) {
    struct ifreq request = {0};
    strcpy(request.ifr_name, name);
    if (address) {
        set_address(socket, &request, SIOCSIFADDR, inet_addr(address));
        set_address(socket, &request, SIOCSIFNETMASK, htonl(0xffffff00));
    }
    request.ifr_flags = IFF_UP | IFF_RUNNING;
    if (ioctl(socket, SIOCSIFFLAGS, &request) != 0) fail(name);
}

int main(int count, char **words) {
    if (count < 3) return 1;
    mount("proc", "/proc", "proc", 0, "");
    mount("sysfs", "/sys", "sysfs", 0, "");
    mount("devtmpfs", "/dev", "devtmpfs", 0, "");
    load_modules();
    int socket_file = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (socket_file < 0) fail("socket");
    bring_up(socket_file, "lo", NULL);
    bring_up(socket_file, "eth0", words[1]);
    struct rlimit files = {65536, 65536};
    setrlimit(RLIMIT_NOFILE, &files);
    execv(words[2], words + 2);
    fail(words[2]);
}
