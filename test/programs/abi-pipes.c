/* Pipes and splice: blocking, atomicity, ends that close. */
#include "abi.h"

static int p[2], q[2];
static struct pollfd f[4];

static void pipes(void) {
  R(pipe(p));
  R(pipe2(q, 0x10));
  R(pipe2(BAD, 0));
  R(pipe2(q, O_NONBLOCK | O_CLOEXEC));
  R(fcntl(q[0], F_GETFD));
  printf("%x %x\n", fcntl(q[0], F_GETFL), fcntl(q[1], F_GETFL));
  R(read(q[0], buf, 1));
  R(write(q[1], buf, 10));
  R(read(q[0], buf, 100));
  R(read(p[1], buf, 1));
  R(write(p[0], buf, 1));
  R(lseek(p[0], 0, SEEK_SET));
  R(pread(p[0], buf, 1, 0));
  R(pread(p[1], buf, 1, 0));
  R(pwrite(p[0], buf, 1, 0));
  R(fsync(p[0]));
  R(ftruncate(p[1], 0));
  R(fcntl(p[0], F_GETPIPE_SZ));
  R(write(q[1], BAD, 10));
  R(write(q[1], "abc", 3));
  R(read(q[0], BAD, 3));
  R(read(q[0], buf, 3));
  {
    char *big = calloc(1, 200000);
    R(write(q[1], big, 200000));
    R(write(q[1], big, 1));
    R(read(q[0], big, 4096));
    R(write(q[1], big, 4097));
    R(write(q[1], big, 4096));
    R(read(q[0], big, 200000));
  }
  {
    int n;
    write(p[1], "12345", 5);
    R(ioctl(p[0], FIONREAD, &n));
    printf("%d\n", n);
    R(read(p[0], buf, 2));
    struct iovec v[2] = {{buf, 2}, {buf+2, 50}};
    R(readv(p[0], v, 2));
    v[0].iov_len = 3;
    v[1].iov_len = 4;
    R(writev(p[1], v, 2));
    R(read(p[0], buf, 100));
  }
  close(q[0]);
  R(write(q[1], "x", 1));
  f[0] = (struct pollfd) {q[1], POLLOUT};
  R(poll(f, 1, 0));
  printf("%x\n", f[0].revents);
  close(q[1]);
  {
    struct stat st;
    fstat(p[0], &st);
    printf("%o %ld\n", st.st_mode, (long)st.st_size);
  }
}

static void splicing(void) {
  {
    int a[2], b[2];
    pipe(a);
    pipe(b);
    int fd = open("/tmp/abi-pipes/x", O_RDWR | O_CREAT | O_TRUNC, 0600);
    write(fd, "0123456789", 10);
    loff_t o = 2;
    R(splice(fd, &o, a[1], 0, 5, 0));
    printf("%ld\n", (long)o);
    R(read(a[0], buf, 100));
    R(splice(fd, 0, fd, 0, 5, 0));
    R(splice(a[0], &o, fd, 0, 5, 0));
    write(a[1], "zz", 2);
    R(splice(a[0], 0, b[1], 0, 100, 0));
    R(read(b[0], buf, 100));
    R(splice(a[0], 0, b[1], 0, 100, SPLICE_F_NONBLOCK));
    write(a[1], "yy", 2);
    o = 0;
    R(splice(a[0], 0, fd, &o, 100, 0));
    R(pread(fd, buf, 10, 0));
    printf("%.10s\n", buf);
  }
}

int main(void) {
  begin("/tmp/abi-pipes");
  pipes();
  splicing();
  return end("/tmp/abi-pipes");
}
