/* Prints the addresses of all interfaces, as getifaddrs(3) tells them, and their flags. */
#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netdb.h>
#include <stdio.h>
#include <sys/socket.h>

int main(void) {
    struct ifaddrs *list;
    if (getifaddrs(&list) != 0) {
        perror("getifaddrs");
        return 1;
    }
    for (struct ifaddrs *at = list; at; at = at->ifa_next) {
        if (!at->ifa_addr) continue;
        int family = at->ifa_addr->sa_family;
        if (family == AF_PACKET) {
            printf("%s index %u\n", at->ifa_name, if_nametoindex(at->ifa_name));
            continue;
        }
        char address[NI_MAXHOST], mask[NI_MAXHOST];
        socklen_t length = family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);
        if (getnameinfo(at->ifa_addr, length, address, sizeof address, NULL, 0, NI_NUMERICHOST) != 0 ||
            getnameinfo(at->ifa_netmask, length, mask, sizeof mask, NULL, 0, NI_NUMERICHOST) != 0) {
            return 1;
        }
        printf("%s %s mask %s%s\n", at->ifa_name, address, mask,
               (at->ifa_flags & IFF_UP) && (at->ifa_flags & IFF_RUNNING) ? " up" : "");
    }
    freeifaddrs(list);
    return 0;
}
