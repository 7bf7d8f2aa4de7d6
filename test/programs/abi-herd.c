/*
 * Thundering herds: several processes, each with an epoll set of its own, wait for the same file.
 * Things to take come one after another; printed is whether, for each, about one process was woken
 * (EPOLLEXCLUSIVE, epoll_ctl(2)) or all. Whoever is woken says so and takes the thing when told, so
 * that all who were woken see it.
 */
#include "abi.h"
#include <netinet/in.h>
#include <sys/wait.h>

enum { WAITERS = 6, THINGS = 40 };

/* What waiters say: (r)eady, (w)oken, (t)aken, (n)othing there; and permissions to take. */
static int reports[2], permissions[2];

static void say(int to, char what) {
  if (write(to, &what, 1) != 1) _exit(1);
}

/* Each kind of file has one to wait for, a way to make a thing come, and one to take it. */
static int source, writer;
static struct sockaddr_storage address;
static socklen_t address_bytes;

static void come_connection(void) {
  int client = socket(address.ss_family, SOCK_STREAM, 0);
  if (connect(client, (struct sockaddr *)&address, address_bytes) != 0) perror("connect");
  close(client);
}

static int take_connection(void) {
  int taken = accept4(source, 0, 0, SOCK_NONBLOCK);
  if (taken >= 0) close(taken);
  return taken >= 0;
}

static void come_byte(void) {
  if (write(writer, "x", 1) != 1) perror("write");
}

static int take_byte(void) {
  char byte;
  return read(source, &byte, 1) == 1;
}

static void come_count(void) {
  eventfd_write(writer, 1);
}

static int take_count(void) {
  eventfd_t value;
  return eventfd_read(source, &value) == 0;
}

static void wait_for_things(uint32_t flags, int (*take)(void)) {
  int set = epoll_create1(0);
  struct epoll_event event = {.events = EPOLLIN | flags};
  if (epoll_ctl(set, EPOLL_CTL_ADD, source, &event) != 0) _exit(2);
  say(reports[1], 'r');
  while (epoll_wait(set, &event, 1, -1) == 1) {
    char permission;
    say(reports[1], 'w');
    if (read(permissions[0], &permission, 1) != 1) _exit(4);
    say(reports[1], take() ? 't' : 'n');
  }
  _exit(3);
}

static char next_report(void) {
  char what = 0;
  if (read(reports[0], &what, 1) != 1) perror("report");
  return what;
}

/*
 * Lets one thing be taken once so many have been woken; returns how many were. Ends when all of them
 * have done what they did.
 */
static int let_take(int expected) {
  int woken = 0, permitted = 0, done = 0, taken = 0;
  while (taken == 0 || done < woken) {
    char what = next_report();
    if (what == 'w')
      woken++;
    else
      done++;
    if (what == 't') taken++;
    for (; woken >= expected && permitted < woken; permitted++) say(permissions[1], 'g');
  }
  return woken;
}

static void herd(const char *name, uint32_t flags, void (*come)(void), int (*take)(void)) {
  pid_t waiters[WAITERS];
  if (pipe(reports) != 0 || pipe(permissions) != 0) perror("pipe");
  int wakeups = 0;
  for (int i = 0; i < WAITERS; i++) {
    waiters[i] = fork();
    if (waiters[i] == 0) wait_for_things(flags, take);
  }
  for (int i = 0; i < WAITERS; i++) next_report();
  for (int i = 0; i < THINGS; i++) {
    come();
    wakeups += let_take(flags ? 1 : WAITERS);
  }
  for (int i = 0; i < WAITERS; i++) {
    kill(waiters[i], SIGKILL);
    waitpid(waiters[i], 0, 0);
  }
  close(reports[0]);
  close(reports[1]);
  close(permissions[0]);
  close(permissions[1]);
  /* Now and then one finds what another was woken for while it went back to wait. */
  if (wakeups >= THINGS && wakeups < 2 * THINGS)
    printf("%s, %s: about one is woken\n", name, flags ? "exclusive" : "shared");
  else if (wakeups == THINGS * WAITERS)
    printf("%s, %s: all are woken\n", name, flags ? "exclusive" : "shared");
  else
    printf("%s: %d wake-ups for %d\n", name, wakeups, THINGS);
}

static void both(const char *name, void (*come)(void), int (*take)(void)) {
  herd(name, EPOLLEXCLUSIVE, come, take);
  herd(name, 0, come, take);
  close(source);
  if (writer != source) close(writer);
}

static void listen_at(int family) {
  source = socket(family, SOCK_STREAM | SOCK_NONBLOCK, 0);
  address_bytes = sizeof address;
  memset(&address, 0, sizeof address);
  address.ss_family = family;
  if (family == AF_INET) {
    ((struct sockaddr_in *)&address)->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address_bytes = sizeof(struct sockaddr_in);
  } else
    address_bytes = sizeof(sa_family_t); /* a name of the kernel's choice (unix(7), autobind) */
  if (bind(source, (struct sockaddr *)&address, address_bytes) != 0) perror("bind");
  address_bytes = sizeof address;
  getsockname(source, (struct sockaddr *)&address, &address_bytes);
  listen(source, 64);
  writer = source;
}

static void datagrams(void) {
  source = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
  struct sockaddr_in own = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t bytes = sizeof own;
  if (bind(source, (struct sockaddr *)&own, sizeof own) != 0) perror("bind");
  getsockname(source, (struct sockaddr *)&own, &bytes);
  writer = socket(AF_INET, SOCK_DGRAM, 0);
  if (connect(writer, (struct sockaddr *)&own, sizeof own) != 0) perror("connect");
}

int main(void) {
  setvbuf(stdout, 0, _IONBF, 0);
  listen_at(AF_INET);
  both("TCP", come_connection, take_connection);
  listen_at(AF_UNIX);
  both("UNIX", come_connection, take_connection);
  datagrams();
  both("UDP", come_byte, take_byte);
  int ends[2];
  if (pipe2(ends, O_NONBLOCK) != 0) perror("pipe2");
  source = ends[0];
  writer = ends[1];
  both("pipe", come_byte, take_byte);
  source = writer = eventfd(0, EFD_NONBLOCK);
  both("eventfd", come_count, take_count);
  return 0;
}
