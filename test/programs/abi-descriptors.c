/* dup, fcntl, limits on descriptors, ioctl, sendfile, file locks, memfd. */
#include "abi.h"

static int fd;

static void duplicating(void) {
  R(dup(99));
  R(dup2(fd, fd));
  R(dup2(99, 99));
  R(dup2(fd, 20));
  R(dup2(fd, -1));
  R(dup2(fd, 5000000));
  R(dup3(fd, fd, 0));
  R(dup3(fd, 21, 1));
  R(dup3(fd, 21, O_CLOEXEC));
  R(fcntl(21, F_GETFD));
  R(fcntl(20, F_GETFD));
  R(fcntl(20, F_SETFD, 1));
  R(fcntl(20, F_GETFD));
  R(fcntl(fd, F_GETFD));
  R(fcntl(fd, F_DUPFD, 30));
  R(fcntl(fd, F_DUPFD_CLOEXEC, 30));
  R(fcntl(31, F_GETFD));
  R(fcntl(fd, F_DUPFD, -1));
  R(fcntl(99, F_DUPFD, -1));
  R(fcntl(fd, F_DUPFD, 1<<30));
  R(fcntl(fd, 9999));
  R(fcntl(99, F_GETFL));
  printf("%x\n", fcntl(fd, F_GETFL));
  R(lseek(20, 7, SEEK_SET));
  R(lseek(fd, 0, SEEK_CUR));
  R(close(20));
  R(close(20));
  R(close(21));
  R(syscall(SYS_close_range, 30, 40, 4));
  R(fcntl(30, F_GETFD));
  R(syscall(SYS_close_range, 30, 40, 0));
  R(fcntl(30, F_GETFD));
  R(syscall(SYS_close_range, 40, 30, 0));
  R(syscall(SYS_close_range, 30, 40, 99));
}

static void limits(void) {
  struct rlimit rl, old;
  getrlimit(RLIMIT_NOFILE, &old);
  rl = old;
  rl.rlim_cur = 4;
  setrlimit(RLIMIT_NOFILE, &rl);
  R(open("a", O_RDONLY));
  R(open("nofile", O_RDONLY));
  R(dup(fd));
  R(fcntl(fd, F_DUPFD, 4));
  R(dup2(fd, 4));
  {
    int p[2];
    R(pipe(p));
  }
  rl.rlim_cur = 5;
  setrlimit(RLIMIT_NOFILE, &rl);
  {
    int p[2];
    R(pipe(p));
    R(open("a", O_RDONLY));
    close(4);
  }
  setrlimit(RLIMIT_NOFILE, &old);
}

static void ioctls(void) {
  ftruncate(fd, 20000);
  int n;
  R(lseek(fd, 19990, 0));
  R(ioctl(fd, FIONREAD, &n));
  printf("%d\n", n);
  R(ioctl(fd, TCGETS, buf));
  R(ioctl(fd, FIONBIO, BAD));
  n = 1;
  R(ioctl(fd, FIONBIO, &n));
  printf("%x\n", fcntl(fd, F_GETFL));
  n = 0;
  R(ioctl(fd, FIONBIO, &n));
  R(ioctl(fd, FIOCLEX));
  R(fcntl(fd, F_GETFD));
  R(ioctl(fd, FIONCLEX));
  R(fcntl(fd, F_GETFD));
  R(ioctl(99, FIOCLEX));
  R(ioctl(fd, 0x12345678, 0));
  R(isatty(fd));
}

static void transfers(void) {
  R(lseek(fd, 0, 0));
  int c = open("c", O_RDWR | O_CREAT | O_TRUNC, 0600);
  R(pwrite(fd, "0123456789", 10, 0));
  off_t off = 2;
  R(sendfile(c, fd, &off, 5));
  printf("%ld\n", (long)off);
  R(lseek(fd, 0, SEEK_CUR));
  R(sendfile(c, fd, 0, 4));
  R(lseek(fd, 0, SEEK_CUR));
  R(sendfile(c, 99, 0, 1));
  R(sendfile(99, fd, 0, 1));
  off = -1;
  R(sendfile(c, fd, &off, 1));
  R(pread(c, buf, 20, 0));
  printf("%.9s\n", buf);
  loff_t o1 = 0, o2 = 3;
  R(copy_file_range(fd, &o1, c, &o2, 5, 0));
  printf("%ld %ld\n", (long)o1, (long)o2);
  R(copy_file_range(fd, 0, c, 0, 5, 1));
  R(copy_file_range(c, &o1, c, &o1, 5, 0));
  R(sendfile(c, fd, 0, 100000));
  R(sendfile(c, fd, 0, 10));
}

static void locks(void) {
  int e = open("a", O_RDWR);
  R(flock(fd, LOCK_EX | LOCK_NB));
  R(flock(e, LOCK_SH | LOCK_NB));
  R(flock(fd, LOCK_SH | LOCK_NB));
  R(flock(e, LOCK_SH | LOCK_NB));
  R(flock(e, LOCK_EX | LOCK_NB));
  R(flock(fd, LOCK_UN));
  R(flock(e, LOCK_EX | LOCK_NB));
  R(flock(99, LOCK_SH));
  {
    int f2 = dup(e);
    close(e);
    R(flock(fd, LOCK_SH | LOCK_NB));
    close(f2);
  }
  R(flock(fd, LOCK_SH | LOCK_NB));
  struct flock fl = {F_WRLCK, SEEK_SET, 0, 10, 0};
  R(fcntl(fd, F_SETLK, &fl));
  fl.l_type = F_RDLCK;
  R(fcntl(fd, F_GETLK, &fl));
  printf("%d\n", fl.l_type);
  e = open("a", O_RDWR);
  struct flock of = {F_WRLCK, SEEK_SET, 5, 10, 0};
  R(fcntl(e, F_OFD_SETLK, &of));
  R(fcntl(e, F_OFD_GETLK, &of));
  printf("%d %ld %ld %d\n", of.l_type, (long)of.l_start, (long)of.l_len, of.l_pid == getpid());
  of = (struct flock) {F_WRLCK, SEEK_SET, 10, 0, 0};
  R(fcntl(e, F_OFD_SETLK, &of));
  fl = (struct flock) {F_WRLCK, SEEK_SET, 5, 10, 0};
  R(fcntl(fd, F_SETLK, &fl));
  R(fcntl(fd, F_SETLK, BAD));
  fl.l_whence = 9;
  R(fcntl(fd, F_SETLK, &fl));
  fl = (struct flock) {9, SEEK_SET, 5, 10, 0};
  R(fcntl(fd, F_SETLK, &fl));
  fl = (struct flock) {F_WRLCK, SEEK_SET, -5, 10, 0};
  R(fcntl(fd, F_SETLK, &fl));
  fl = (struct flock) {F_UNLCK, SEEK_CUR, 0, 0, 0};
  R(fcntl(fd, F_SETLK, &fl));
  int rd = open("a", O_RDONLY);
  fl = (struct flock) {F_WRLCK, SEEK_SET, 50, 1, 0};
  R(fcntl(rd, F_SETLK, &fl));
}

static void memory_files(void) {
  int m = memfd_create("m", MFD_ALLOW_SEALING);
  OK(m);
  R(write(m, "abc", 3));
  R(fcntl(m, F_GET_SEALS));
  R(fcntl(m, F_ADD_SEALS, F_SEAL_GROW));
  R(write(m, "x", 1));
  R(pwrite(m, "x", 1, 0));
  R(ftruncate(m, 1));
  R(fcntl(m, F_ADD_SEALS, F_SEAL_SEAL));
  R(fcntl(m, F_ADD_SEALS, F_SEAL_WRITE));
  R(memfd_create(BAD, 0));
  R(memfd_create("m", 0x8000));
  {
    char l[400];
    snprintf(buf, 99, "/proc/self/fd/%d", m);
    int k = readlink(buf, l, 400);
    printf("%.*s\n", k, l);
  }
}

int main(void) {
  begin("/tmp/abi-descriptors");
  fd = open("a", O_RDWR | O_CREAT, 0644);
  R(write(fd, "hello world", 11));
  duplicating();
  limits();
  ioctls();
  transfers();
  locks();
  memory_files();
  return end("/tmp/abi-descriptors");
}
