/* Local sockets with names: streams, datagrams, packets; what is passed along; how they end. */
#include "abi.h"
#include <stddef.h>

static int accepted = -1;
static socklen_t named(struct sockaddr_un *a, const char *name) {
  memset(a, 0, sizeof *a);
  a->sun_family = AF_UNIX;
  strcpy(a->sun_path, name);
  return offsetof(struct sockaddr_un, sun_path) + strlen(name) + 1;
}
static void show(const char *what, struct sockaddr_un *a, socklen_t length) {
  printf("%s %d", what, (int)length);
  if (length > 2) printf(" %d %.*s", a->sun_path[0] != 0, 20, a->sun_path[0] ? a->sun_path : a->sun_path + 1);
  puts("");
}
static void events(int fd) {
  struct pollfd f = {fd, POLLIN | POLLOUT | POLLRDHUP};
  int n = poll(&f, 1, 0);
  printf("poll %d %x\n", n, f.revents);
}
static void *accept_one(void *fd) {
  usleep(20000);
  accepted = accept(*(int *)fd, 0, 0);
  return 0;
}
static void *connect_later(void *fd) {
  struct sockaddr_un a;
  usleep(20000);
  socklen_t l = named(&a, "listener");
  R(connect(*(int *)fd, (void *)&a, l));
  return 0;
}
static void *shut_later(void *fd) {
  usleep(20000);
  shutdown(*(int *)fd, SHUT_RDWR);
  return 0;
}
static void *drain_later(void *fd) {
  usleep(20000);
  while (recv(*(int *)fd, buf, sizeof buf, MSG_DONTWAIT) > 0);
  return 0;
}

/* Sends descriptors with some bytes. */
static long send_fds(int s, const char *bytes, int *fds, int count) {
  char control[CMSG_SPACE(4 * 300)] = {0};
  struct iovec v = {(void *)bytes, strlen(bytes)};
  struct msghdr m = {.msg_iov = &v, .msg_iovlen = 1, .msg_control = control};
  m.msg_controllen = CMSG_SPACE(4 * count);
  struct cmsghdr *c = CMSG_FIRSTHDR(&m);
  c->cmsg_level = SOL_SOCKET;
  c->cmsg_type = SCM_RIGHTS;
  c->cmsg_len = CMSG_LEN(4 * count);
  memcpy(CMSG_DATA(c), fds, 4 * count);
  return sendmsg(s, &m, 0);
}
/* Receives and tells about control data; returns the first descriptor. */
static int receive_all(int s, size_t bytes, size_t controlBytes, int flags) {
  char data[64] = {0}, control[512] = {0};
  int fd = -1;
  struct iovec v = {data, bytes};
  struct msghdr m = {.msg_iov = &v, .msg_iovlen = 1, .msg_control = control, .msg_controllen = controlBytes};
  errno = 0;
  long n = recvmsg(s, &m, flags);
  printf("recvmsg %ld %s '%s' control %ld flags %x\n", n, n < 0 ? strerrorname_np(errno) : "", data,
         n < 0 ? 0L : (long)m.msg_controllen, n < 0 ? 0 : m.msg_flags);
  if (n < 0) return -1;
  for (struct cmsghdr *c = CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(&m, c)) {
    printf(" cmsg %d %d %ld", c->cmsg_level, c->cmsg_type, (long)c->cmsg_len);
    if (c->cmsg_type == SCM_RIGHTS) {
      int count = (c->cmsg_len - CMSG_LEN(0)) / 4;
      memcpy(&fd, CMSG_DATA(c), 4);
      printf(" fds %d cloexec %d", count, fcntl(fd, F_GETFD));
      for (int i = 1; i < count; i++) close(((int *)CMSG_DATA(c))[i]);
    } else {
      struct ucred u;
      memcpy(&u, CMSG_DATA(c), sizeof u);
      printf(" self %d uid %d gid %d", u.pid == getpid(), u.uid == getuid(), u.gid == getgid());
    }
    puts("");
  }
  return fd;
}

static void streams(void) {
  struct sockaddr_un a, b;
  socklen_t l = named(&a, "listener"), k;
  pthread_t t;
  int s = socket(AF_UNIX, SOCK_STREAM, 0), c = socket(AF_UNIX, SOCK_STREAM, 0), n;
  events(s);
  R(read(s, buf, 1));
  R(write(s, "x", 1));
  R(sendto(s, "x", 1, 0, (void *)&a, l));
  R(listen(s, 3));
  R(accept(s, 0, 0));
  k = sizeof b;
  R(getpeername(s, (void *)&b, &k));
  k = sizeof b;
  R(getsockname(s, (void *)&b, &k));
  show("unnamed", &b, k);
  R(connect(c, (void *)&a, l));
  R(bind(s, (void *)&a, 1));
  R(bind(s, (void *)&a, 200));
  a.sun_family = 77;
  R(bind(s, (void *)&a, l));
  R(connect(c, (void *)&a, l));
  named(&a, "listener");
  R(bind(s, BAD, l));
  R(bind(s, (void *)&a, l));
  R(bind(s, (void *)&a, l));
  R(bind(c, (void *)&a, l));
  R(stat("listener", &st));
  printf("%o\n", st.st_mode);
  R(open("listener", O_RDWR));
  R(connect(c, (void *)&a, l));
  R(listen(s, 0));
  R(listen(s, 1));
  events(s);
  k = 4;
  R(getsockopt(s, SOL_SOCKET, SO_ACCEPTCONN, &n, &k));
  printf("%d\n", n);
  int d = socket(AF_UNIX, SOCK_DGRAM, 0);
  R(connect(d, (void *)&a, l));
  close(d);
  R(connect(c, (void *)&a, l));
  R(connect(c, (void *)&a, l));
  events(c);
  events(s);
  R(write(c, "early", 5));
  k = sizeof b;
  int x = accept4(s, (void *)&b, &k, SOCK_CLOEXEC | SOCK_NONBLOCK);
  printf("accepted %d cloexec %d nonblock %d\n", x > 0, fcntl(x, F_GETFD), (fcntl(x, F_GETFL) & O_NONBLOCK) != 0);
  show("peer", &b, k);
  R(read(x, buf, 10));
  R(read(x, buf, 10));
  k = sizeof b;
  R(getsockname(x, (void *)&b, &k));
  show("own", &b, k);
  k = sizeof b;
  R(getpeername(c, (void *)&b, &k));
  show("peer of client", &b, k);
  struct ucred u;
  k = sizeof u;
  R(getsockopt(c, SOL_SOCKET, SO_PEERCRED, &u, &k));
  printf("%d %d %d\n", u.pid == getpid(), u.uid, u.gid);
  k = sizeof u;
  R(getsockopt(x, SOL_SOCKET, SO_PEERCRED, &u, &k));
  printf("%d %d %d\n", u.pid == getpid(), u.uid, u.gid);
  R(write(x, "answer", 6));
  k = sizeof b;
  R(recvfrom(c, buf, 10, 0, (void *)&b, &k));
  show("from", &b, k);
  R(listen(c, 1));
  R(bind(c, (void *)&b, 2));
  k = sizeof b;
  R(getsockname(c, (void *)&b, &k));
  printf("%d\n", k);
  R(accept4(s, 0, 0, 5));
  R(fcntl(s, F_SETFL, O_NONBLOCK));
  R(accept(s, 0, 0));
  R(fcntl(s, F_SETFL, 0));
  struct timeval tv = {0, 20000};
  R(setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof tv));
  R(accept(s, 0, 0));
  tv.tv_usec = 0;
  setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof tv);
  close(x);
  events(c);
  R(read(c, buf, 10));
  R(write(c, "x", 1));
  close(c);

  puts("blocking accept, full queue, listener that ends");
  c = socket(AF_UNIX, SOCK_STREAM, 0);
  pthread_create(&t, 0, connect_later, &c);
  x = accept(s, 0, 0);
  pthread_join(t, 0);
  R(write(x, "hi", 2));
  R(read(c, buf, 10));
  close(c);
  R(read(x, buf, 10));
  close(x);
  int q[4];
  for (int i = 0; i < 4; i++) {
    q[i] = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
    R(connect(q[i], (void *)&a, l));
  }
  fcntl(q[3], F_SETFL, 0);
  pthread_create(&t, 0, accept_one, &s);
  R(connect(q[3], (void *)&a, l));
  pthread_join(t, 0);
  printf("accepted %d\n", accepted > 0);
  R(write(q[1], "lost", 4));
  fcntl(q[1], F_SETFL, O_NONBLOCK);
  R(unlink("listener"));
  c = socket(AF_UNIX, SOCK_STREAM, 0);
  R(connect(c, (void *)&a, l));
  close(s);
  events(q[1]);
  R(read(q[1], buf, 10));
  R(read(q[1], buf, 10));
  R(write(q[1], "x", 1));
  for (int i = 0; i < 4; i++) close(q[i]);
  close(accepted);
  close(c);
  s = socket(AF_UNIX, SOCK_STREAM, 0);
  R(bind(s, (void *)&a, l));
  R(listen(s, 1));
  pthread_create(&t, 0, shut_later, &s);
  R(accept(s, 0, 0));
  pthread_join(t, 0);
  c = socket(AF_UNIX, SOCK_STREAM, 0);
  R(connect(c, (void *)&a, l));
  close(s);
  R(connect(c, (void *)&a, l));
  close(c);
}

static void abstract(void) {
  struct sockaddr_un a = {AF_UNIX}, b;
  socklen_t k;
  memcpy(a.sun_path, "\0osv-abstract", 13);
  int s = socket(AF_UNIX, SOCK_SEQPACKET, 0), c = socket(AF_UNIX, SOCK_SEQPACKET, 0), o;
  R(read(s, buf, 1));
  R(write(s, "x", 1));
  R(bind(s, (void *)&a, 15));
  R(bind(c, (void *)&a, 15));
  R(listen(s, 5));
  R(connect(c, (void *)&a, 14));
  o = socket(AF_UNIX, SOCK_STREAM, 0);
  R(connect(o, (void *)&a, 15));
  close(o);
  R(connect(c, (void *)&a, 15));
  int x = accept(s, 0, 0);
  k = sizeof b;
  R(getpeername(c, (void *)&b, &k));
  show("abstract", &b, k);
  R(write(c, "packet", 6));
  R(write(c, "", 0));
  R(write(c, "last", 4));
  R(recv(x, buf, 3, 0));
  R(recv(x, buf, 30, 0));
  R(shutdown(c, SHUT_WR));
  events(x);
  R(recv(x, buf, 30, 0));
  R(recv(x, buf, 30, 0));
  R(write(x, "back", 4));
  R(read(c, buf, 10));
  close(c);
  R(write(x, "x", 1));
  close(s);
  close(x);
  s = socket(AF_UNIX, SOCK_DGRAM, 0);
  R(bind(s, (void *)&a, 15));
  R(bind(s, (void *)&a, 2));
  close(s);
}

static void datagrams(void) {
  struct sockaddr_un a, b, f;
  socklen_t l = named(&a, "first"), m = named(&b, "second"), k;
  pthread_t t;
  int n;
  int s = socket(AF_UNIX, SOCK_DGRAM, 0), c = socket(AF_UNIX, SOCK_DGRAM, 0);
  int third = socket(AF_UNIX, SOCK_DGRAM, 0);
  events(s);
  R(write(c, "x", 1));
  R(sendto(c, "x", 1, 0, (void *)&a, l));
  R(bind(s, (void *)&a, l));
  R(listen(s, 1));
  R(accept(s, 0, 0));
  R(sendto(c, "unnamed", 7, 0, (void *)&a, l));
  R(bind(c, (void *)&b, m));
  R(sendto(c, "named", 5, 0, (void *)&a, l));
  R(sendto(c, "", 0, 0, (void *)&a, l));
  k = sizeof f;
  R(recvfrom(s, buf, 20, MSG_PEEK, (void *)&f, &k));
  show("from", &f, k);
  k = sizeof f;
  R(recvfrom(s, buf, 20, 0, (void *)&f, &k));
  show("from", &f, k);
  k = 4;
  R(recvfrom(s, buf, 20, 0, (void *)&f, &k));
  printf("%d\n", k);
  R(recvfrom(s, buf, 20, 0, 0, 0));
  R(recv(s, buf, 20, MSG_DONTWAIT));
  R(sendto(s, "x", 1, 0, (void *)&b, 2));
  R(connect(s, (void *)&b, m));
  R(sendto(third, "x", 1, 0, (void *)&a, l));
  R(connect(third, (void *)&a, l));
  R(write(s, "reply", 5));
  R(ioctl(c, FIONREAD, &n));
  printf("%d\n", n);
  R(read(c, buf, 20));
  R(connect(s, (void *)&(struct sockaddr_un) {AF_UNSPEC}, 2));
  R(write(s, "x", 1));
  R(connect(third, (void *)&a, l));
  k = sizeof f;
  R(getpeername(third, (void *)&f, &k));
  show("peer", &f, k);
  close(s);
  R(write(third, "x", 1));
  R(write(third, "x", 1));
  R(sendto(c, "x", 1, 0, (void *)&a, l));
  unlink("first");
  R(sendto(c, "x", 1, 0, (void *)&a, l));

  puts("a reader that is slow");
  s = socket(AF_UNIX, SOCK_DGRAM, 0);
  R(bind(s, (void *)&a, l));
  R(connect(c, (void *)&a, l));
  fcntl(c, F_SETFL, O_NONBLOCK);
  char big[4096] = {0};
  int sent = 0;
  while (write(c, big, sizeof big) > 0) sent++;
  printf("%s, some were sent: %d\n", strerrorname_np(errno), sent > 0);
  struct pollfd w = {c, POLLOUT};
  printf("writable %d\n", poll(&w, 1, 0));
  int ep = epoll_create1(0);
  struct epoll_event e = {EPOLLOUT | EPOLLET}, got;
  epoll_ctl(ep, EPOLL_CTL_ADD, c, &e);
  printf("epoll %d\n", epoll_wait(ep, &got, 1, 0));
  pthread_create(&t, 0, drain_later, &s);
  printf("writable %d\n", poll(&w, 1, 5000));
  pthread_join(t, 0);
  printf("epoll %d\n", epoll_wait(ep, &got, 1, 5000));
  fcntl(c, F_SETFL, 0);
  close(ep);
  close(s);
  close(c);
  close(third);
}

static void passing(void) {
  int s[2], p[2], fd;
  socketpair(AF_UNIX, SOCK_STREAM, 0, s);
  pipe(p);
  R(send_fds(s[0], "one", p, 2));
  R(write(s[0], "two", 3));
  close(p[0]);
  fd = receive_all(s[1], 60, 512, 0);
  R(write(p[1], "through", 7));
  R(read(fd, buf, 20));
  close(fd);
  close(p[1]);
  R(read(s[1], buf, 20));

  puts("the writing end in flight keeps a pipe open");
  pipe(p);
  R(send_fds(s[0], "x", p + 1, 1));
  close(p[1]);
  fcntl(p[0], F_SETFL, O_NONBLOCK);
  R(read(p[0], buf, 1));
  R(read(s[1], buf, 10));
  R(read(p[0], buf, 1));
  close(p[0]);

  puts("no room, no interest, bad ones");
  int three[3] = {0, 1, 2}, bad[2] = {0, 99};
  R(send_fds(s[0], "small", three, 3));
  fd = receive_all(s[1], 60, CMSG_LEN(4), 0);
  close(fd);
  R(send_fds(s[0], "none", three, 3));
  receive_all(s[1], 60, 0, 0);
  R(send_fds(s[0], "cloexec", three, 1));
  fd = receive_all(s[1], 60, 512, MSG_CMSG_CLOEXEC);
  close(fd);
  R(send_fds(s[0], "peek", three, 1));
  fd = receive_all(s[1], 60, 512, MSG_PEEK);
  close(fd);
  fd = receive_all(s[1], 60, 512, 0);
  close(fd);
  R(send_fds(s[0], "bad", bad, 2));
  int many[254];
  for (int i = 0; i < 254; i++) many[i] = 1;
  R(send_fds(s[0], "253", many, 253));
  R(send_fds(s[0], "254", many, 254));
  R(read(s[1], buf, 20));

}

static void mixed(void) {
  int s[2], one[1] = {1}, fd;
  socketpair(AF_UNIX, SOCK_STREAM, 0, s);
  R(write(s[0], "before", 6));
  R(send_fds(s[0], "with", one, 1));
  R(write(s[0], "after", 5));
  fd = receive_all(s[1], 60, 512, 0);
  close(fd);
  receive_all(s[1], 60, 512, 0);
  R(send_fds(s[0], "a", one, 1));
  R(send_fds(s[0], "b", one, 1));
  fd = receive_all(s[1], 60, 512, 0);
  close(fd);
  fd = receive_all(s[1], 60, 512, 0);
  close(fd);

  puts("identities");
  int on = 1;
  socklen_t k = 4;
  R(setsockopt(s[1], SOL_SOCKET, SO_PASSCRED, &on, 4));
  R(getsockopt(s[1], SOL_SOCKET, SO_PASSCRED, &on, &k));
  printf("%d\n", on);
  R(write(s[0], "who", 3));
  receive_all(s[1], 60, 512, 0);
  R(send_fds(s[0], "both", one, 1));
  fd = receive_all(s[1], 60, 512, 0);
  close(fd);
  R(write(s[0], "cut", 3));
  receive_all(s[1], 60, 20, 0);
  close(s[0]);
  receive_all(s[1], 60, 512, 0);
  close(s[1]);

  puts("sockets within sockets");
  int outer[2], inner[2];
  socketpair(AF_UNIX, SOCK_DGRAM, 0, outer);
  for (int i = 0; i < 300; i++) {
    socketpair(AF_UNIX, SOCK_DGRAM, 0, inner);
    if (send_fds(inner[0], "x", outer, 2) != 1) puts("not sent");
    close(outer[0]);
    close(outer[1]);
    outer[0] = inner[0];
    outer[1] = inner[1];
  }
  fd = receive_all(outer[1], 60, 512, 0);
  close(fd);
  close(outer[0]);
  close(outer[1]);

  puts("many messages at once");
  socketpair(AF_UNIX, SOCK_DGRAM, 0, s);
  struct iovec v[3] = {{"a", 1}, {"bb", 2}, {"ccc", 3}};
  struct mmsghdr h[3] = {0};
  for (int i = 0; i < 3; i++) h[i].msg_hdr = (struct msghdr) {.msg_iov = v + i, .msg_iovlen = 1};
  R(sendmmsg(s[0], h, 3, 0));
  printf("%u %u %u\n", h[0].msg_len, h[1].msg_len, h[2].msg_len);
  char r[3][8];
  struct iovec w[3] = {{r[0], 8}, {r[1], 8}, {r[2], 8}};
  for (int i = 0; i < 3; i++) h[i].msg_hdr = (struct msghdr) {.msg_iov = w + i, .msg_iovlen = 1};
  R(recvmmsg(s[1], h, 3, MSG_WAITFORONE, 0));
  printf("%u %u %u\n", h[0].msg_len, h[1].msg_len, h[2].msg_len);
  R(recvmmsg(s[1], h, 3, MSG_DONTWAIT, 0));
  close(s[0]);
  close(s[1]);
}

int main(void) {
  begin("/tmp/abi-unix");
  streams();
  abstract();
  datagrams();
  passing();
  mixed();
  int n = 1000;
  socklen_t k = 4;
  int s = socket(AF_UNIX, SOCK_STREAM, 0);
  R(setsockopt(s, SOL_SOCKET, SO_SNDBUF, &n, 4));
  R(getsockopt(s, SOL_SOCKET, SO_SNDBUF, &n, &k));
  printf("%d\n", n);
  R(setsockopt(s, SOL_SOCKET, SO_RCVBUF, &k, 4));
  R(getsockopt(s, SOL_SOCKET, SO_RCVBUF, &n, &k));
  printf("%d\n", n);
  R(socket(AF_UNIX, SOCK_RAW, 0));
  R(socket(AF_UNIX, SOCK_STREAM, 7));
  R(socket(999, SOCK_STREAM, 0));
  R(socket(-1, SOCK_STREAM, 0));
  R(socket(AF_UNIX, 4, 0));
  return end("/tmp/abi-unix");
}
