/* stat, statx, access, modes, owners, times, sizes, statfs, extended attributes. */
#include "abi.h"

static int fd;

static void facts(void) {
  R(stat("a", &st));
  printf("%o %ld %ld %ld\n", st.st_mode, (long)st.st_nlink, (long)st.st_size, (long)st.st_blksize);
  R(stat("nope", &st));
  R(stat("a", BAD));
  R(stat(BAD, &st));
  R(fstat(99, &st));
  R(fstatat(99, "a", &st, 0));
  R(fstatat(fd, "", &st, AT_EMPTY_PATH));
  R(fstatat(fd, "", &st, 0));
  R(fstatat(AT_FDCWD, "", &st, AT_EMPTY_PATH));
  R(fstatat(AT_FDCWD, "a", &st, 0x8000));
  R(fstatat(fd, "b", &st, 0));
  struct statx sx;
  R(statx(AT_FDCWD, "a", 0, STATX_ALL, &sx));
  printf("%o %ld\n", sx.stx_mode, (long)sx.stx_size);
  R(statx(AT_FDCWD, "a", 0x6000, STATX_ALL, &sx));
  R(statx(AT_FDCWD, "a", 0, 0x80000000, &sx));
  R(statx(fd, "", AT_EMPTY_PATH, 0, &sx));
  R(access("a", F_OK));
  R(access("a", X_OK));
  R(access("a", 99));
  R(access("nope", R_OK));
  R(access(".", X_OK | W_OK));
  R(syscall(439, AT_FDCWD, "a", R_OK, 0x8000));
  chmod("a", 0755);
  R(access("a", X_OK));
}

static void changes(void) {
  R(chmod("a", 04755));
  stat("a", &st);
  printf("%o\n", st.st_mode);
  R(chmod("nope", 0));
  R(fchmod(99, 0));
  R(chown("a", 10, -1));
  stat("a", &st);
  printf("%d %d\n", st.st_uid, st.st_gid);
  R(lchown("sym", 1, 2));
  lstat("sym", &st);
  printf("%d %d\n", st.st_uid, st.st_gid);
  R(fchownat(AT_FDCWD, "a", 0, 0, 0x8000));
  struct timespec ts[2] = {{100, 5}, {200, 7}};
  R(utimensat(AT_FDCWD, "a", ts, 0));
  stat("a", &st);
  printf("%ld.%ld %ld.%ld\n", st.st_atim.tv_sec, st.st_atim.tv_nsec, st.st_mtim.tv_sec, st.st_mtim.tv_nsec);
  ts[0].tv_nsec = UTIME_OMIT;
  ts[1].tv_sec = 300;
  R(futimens(fd, ts));
  stat("a", &st);
  printf("%ld %ld\n", st.st_atim.tv_sec, st.st_mtim.tv_sec);
  ts[1].tv_nsec = -1;
  R(utimensat(AT_FDCWD, "a", ts, 0));
  ts[1].tv_nsec = UTIME_OMIT;
  R(utimensat(AT_FDCWD, "nope", ts, 0));
  R(utimensat(AT_FDCWD, "nope", 0, 0));
  R(utimensat(AT_FDCWD, "a", 0, 0));
  R(utimensat(AT_FDCWD, "a", BAD, 0));
  R(truncate("a", 5));
  R(truncate("a", -1));
  R(truncate("d", 5));
  R(truncate("nope", 5));
  R(ftruncate(fd, 10000));
  fstat(fd, &st);
  printf("%ld\n", (long)st.st_size);
  R(ftruncate(fd, -1));
  R(ftruncate(99, 1));
  int rd = open("a", O_RDONLY);
  R(ftruncate(rd, 1));
  close(rd);
  R(pread(fd, buf, 10, 9995));
  R(fallocate(fd, 0, 0, 20000));
  fstat(fd, &st);
  printf("%ld\n", (long)st.st_size);
  R(fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, 50000));
  fstat(fd, &st);
  printf("%ld\n", (long)st.st_size);
  R(fallocate(fd, 0, -1, 5));
  R(fallocate(fd, 0, 0, 0));
  R(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 4096));
  R(posix_fadvise(fd, 0, 0, 99));
  R(posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL));
  R(posix_fadvise(99, 0, 0, 0));
  struct statfs sf;
  R(statfs("/tmp/abi-attributes", &sf));
  R(statfs("nope", &sf));
  R(fstatfs(fd, &sf));
  R(fstatfs(99, &sf));
  R(statfs("/proc", &sf));
  printf("%lx\n", (long)sf.f_type);
  R(fsync(fd));
  R(fdatasync(fd));
  R(fsync(99));
  R(syncfs(fd));
  sync();
}

static void extended_attributes(void) {
  R(getxattr("a", "user.none", buf, 10));
  R(getxattr("nope", "user.none", buf, 10));
  R(fgetxattr(99, "user.none", buf, 10));
  R(getxattr("a", "", buf, 10));
  R(setxattr("a", "user.x", "1", 1, 99));
  R(setxattr("a", "user.", "1", 1, 0));
  R(setxattr("a", "nowhere.x", "1", 1, 0));
  R(setxattr("a", "user.x", "one", 3, XATTR_REPLACE));
  R(setxattr("a", "user.x", "one", 3, XATTR_CREATE));
  R(setxattr("a", "user.x", "two", 3, XATTR_CREATE));
  R(setxattr("a", "user.x", "three", 5, XATTR_REPLACE));
  R(setxattr("a", "user.empty", "", 0, 0));
  R(getxattr("a", "user.x", NULL, 0));
  R(getxattr("a", "user.x", buf, 4));
  R(getxattr("a", "user.x", buf, 5));
  printf("%.5s\n", buf);
  R(getxattr("a", "user.empty", buf, 10));
  R(listxattr("a", NULL, 0));
  R(listxattr("a", buf, 5));
  R(removexattr("a", "user.x"));
  R(removexattr("a", "user.x"));
  R(listxattr("a", buf, 100));
  printf("%s\n", buf);
  mkfifo("pipe-with-attributes", 0600);
  R(setxattr("pipe-with-attributes", "user.x", "1", 1, 0));
  R(getxattr("pipe-with-attributes", "user.x", buf, 1));
}

static int too_large;
static void count_too_large(int number) {
  too_large++;
}

static void size_limit(void) {
  struct rlimit old, limit;
  signal(SIGXFSZ, count_too_large);
  getrlimit(RLIMIT_FSIZE, &old);
  limit = old;
  limit.rlim_cur = 1000;
  setrlimit(RLIMIT_FSIZE, &limit);
  int f = open("limited", O_RDWR | O_CREAT | O_TRUNC, 0600);
  R(pwrite(f, buf, 100, 950));
  R(pwrite(f, buf, 1, 1000));
  R(lseek(f, 990, SEEK_SET));
  struct iovec v[2] = {{buf, 8}, {buf, 8}};
  R(writev(f, v, 2));
  R(write(f, buf, 1));
  R(write(f, buf, 0));
  R(ftruncate(f, 1001));
  R(ftruncate(f, 1000));
  R(fallocate(f, 0, 0, 2000));
  int append = open("limited", O_WRONLY | O_APPEND);
  R(write(append, buf, 1));
  R(ftruncate(f, 998));
  R(write(append, buf, 10));
  setrlimit(RLIMIT_FSIZE, &old);
  R(write(append, buf, 10));
  printf("signals %d\n", too_large);
}

int main(void) {
  begin("/tmp/abi-attributes");
  fd = open("a", O_RDWR | O_CREAT, 0644);
  R(write(fd, "hello world", 11));
  symlink("a", "sym");
  mkdir("d", 0777);
  facts();
  changes();
  extended_attributes();
  size_limit();
  return end("/tmp/abi-attributes");
}
