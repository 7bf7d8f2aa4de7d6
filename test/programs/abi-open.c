/* Opening, reading, writing, seeking, buffer lists, O_APPEND, running: results and order of errors. */
#include "abi.h"
#include <sys/wait.h>

static int fd;
static char pages[8192] __attribute__((aligned(4096)));

static void opening(void) {
  R(open("a", O_RDONLY));
  R(open("", O_RDONLY));
  R(open(BAD, O_RDONLY));
  R(open("a", O_RDWR | O_CREAT | O_EXCL, 0644));
  fd = 3;
  R(open("a", O_CREAT | O_EXCL, 0644));
  R(open("a/", O_RDONLY));
  R(open("a/b", O_RDONLY));
  R(open("nodir/b", O_CREAT, 0644));
  R(open(".", O_RDWR));
  R(open("a", O_RDONLY | O_DIRECTORY));
  R(open("x/", O_CREAT | O_RDWR, 0644));
  R(syscall(SYS_open, "a", 0xff000000, 0));
  close(4);
  R(openat(99, "a", O_RDONLY));
  R(openat(fd, "a", O_RDONLY));
  R(openat(99, "/tmp/abi-open/a", O_RDONLY));
  close(4);
  R(openat(99, "", O_RDONLY));
  R(openat(99, BAD, O_RDONLY));
  {
    char *longn = malloc(5001);
    memset(longn, 'x', 5000);
    longn[5000] = 0;
    R(open(longn, O_RDONLY));
    longn[300] = 0;
    R(open(longn, O_RDONLY));
  }
  R(open(".", O_TMPFILE | O_RDONLY, 0600));
  R(open(".", O_TMPFILE | O_RDWR, 0600));
  R(write(4, "tmp", 3));
  R(lseek(4, 0, SEEK_SET));
  R(read(4, buf, 10));
  close(4);

}

static void reading_and_writing(void) {
  R(write(fd, "hello world", 11));
  R(lseek(fd, 0, SEEK_SET));
  R(read(fd, buf, 5));
  R(read(fd, BAD, 5));
  R(read(fd, buf, 0));
  R(read(fd, BAD, 0));
  R(lseek(fd, 0, SEEK_CUR));
  R(read(fd, (void*)-1L, 5));
  R(read(fd, buf, -1));
  R(lseek(fd, 0, SEEK_CUR));
  R(read(99, buf, 1));
  R(read(-1, buf, 1));
  R(write(fd, BAD, 3));
  R(lseek(fd, 0, SEEK_SET));
  R(write(fd, pages+8190, 0));
  int rd = open("a", O_RDONLY), wr = open("a", O_WRONLY);
  R(write(rd, "x", 1));
  R(read(wr, buf, 1));
  R(read(rd, buf, 100));
  R(read(rd, buf, 100));
  close(rd);
  close(wr);
  R(pread(fd, buf, 5, 6));
  printf("%.5s\n", buf);
  R(pread(fd, buf, 5, -1));
  R(pread(fd, buf, 5, 100));
  R(pwrite(fd, "W", 1, 6));
  R(pwrite(fd, "x", 1, -5));
  R(pread(99, buf, 1, -1));
  R(lseek(fd, -1, SEEK_SET));
  R(lseek(fd, 0, 9));
  R(lseek(fd, -3, SEEK_END));
  R(lseek(fd, 100, SEEK_END));
  R(write(fd, "z", 1));
  fstat(fd, &st);
  printf("size %ld\n", (long)st.st_size);
  R(lseek(fd, 0, SEEK_DATA));
  R(lseek(fd, 0, SEEK_HOLE));
  R(lseek(fd, 1000, SEEK_DATA));
  R(lseek(99, 0, 0));
}

static void faults_in_the_middle(void) {
  {
    char *p = mmap(0, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    munmap(p + 4096, 4096);
    memcpy(p+4090, "abcdef", 6);
    R(pwrite(fd, p + 4090, 20, 0));
    R(pread(fd, p + 4094, 20, 0));
    R(pread(fd, p+4096, 20, 0));
    R(read(fd, p+4096, 0));
  }
}

static void vectors(void) {
  struct iovec v[3] = {{buf, 2}, {buf + 10, 0}, {buf + 20, 4}};
  R(lseek(fd, 0, 0));
  R(readv(fd, v, 3));
  R(readv(fd, v, 0));
  R(readv(fd, v, -1));
  R(readv(fd, v, 1025));
  R(readv(fd, BAD, 1));
  R(preadv(fd, v, 3, 5));
  R(preadv(fd, v, 3, -5));
  v[1].iov_len = -1;
  R(readv(fd, v, 3));
  v[1].iov_len = 0;
  v[2].iov_base = BAD;
  R(lseek(fd, 0, 0));
  R(readv(fd, v, 3));
  v[0].iov_base = BAD;
  R(readv(fd, v, 3));
  v[0].iov_base = "12";
  v[2].iov_base = "3456";
  R(pwritev(fd, v, 3, 0));
  R(pread(fd, buf, 6, 0));
  printf("%.6s\n", buf);
  R(syscall(SYS_pwritev2, fd, v, 3, -1L, 0, 0));
  R(syscall(SYS_preadv2, fd, v, 3, -1L, 0, 0xff00));
}

static void appending(void) {
  int ap = open("ap", O_WRONLY | O_CREAT | O_APPEND, 0644);
  R(write(ap, "abc", 3));
  R(lseek(ap, 0, SEEK_SET));
  R(write(ap, "def", 3));
  R(pwrite(ap, "ghi", 3, 0));
  R(lseek(ap, 0, SEEK_CUR));
  fstat(ap, &st);
  printf("%ld\n", (long)st.st_size);
  R(fcntl(ap, F_SETFL, 0));
  R(lseek(ap, 0, 0));
  R(write(ap, "X", 1));
  fstat(ap, &st);
  printf("%ld\n", (long)st.st_size);
  printf("%x\n", fcntl(ap, F_GETFL));
  close(ap);
}

/* A copy of this program under the name "copy". */
static int copy_self(void) {
  int from = open("/proc/self/exe", O_RDONLY);
  int to = open("copy", O_WRONLY | O_CREAT, 0755);
  while (sendfile(to, from, NULL, 1 << 20) > 0) {}
  close(from);
  return to;
}

/* A file is run or written, never both. */
static void running(void) {
  char *const argv[] = {"copy", "wait", NULL};
  int started[2], wait[2];
  int writer = copy_self();
  R(execv("copy", argv));
  close(writer);
  if (pipe2(started, O_CLOEXEC) != 0 || pipe(wait) != 0) return;
  const pid_t child = fork();
  if (child == 0) {
    dup2(wait[0], 0);
    close(wait[1]);
    execv("copy", argv);
    _exit(1);
  }
  close(started[1]);
  close(wait[0]);
  R(read(started[0], buf, 1)); /* the end: the child has executed */
  OK(open("copy", O_RDONLY));
  R(open("copy", O_WRONLY));
  R(open("copy", O_RDWR | O_TRUNC));
  R(open("copy", O_RDONLY | O_TRUNC));
  R(truncate("copy", 1));
  stat("copy", &st);
  printf("%d\n", st.st_size > 1);
  R(rename("copy", "renamed"));
  R(open("renamed", O_WRONLY));
  close(wait[1]);
  waitpid(child, NULL, 0);
  OK(open("renamed", O_WRONLY));
  R(truncate("renamed", 1));
}

int main(int argc, char **argv) {
  (void)argv;
  if (argc > 1) return read(0, buf, 1) != 0;
  begin("/tmp/abi-open");
  opening();
  reading_and_writing();
  faults_in_the_middle();
  vectors();
  appending();
  running();
  return end("/tmp/abi-open");
}
