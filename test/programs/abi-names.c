/* Links, directories, renaming, the working directory, reading directories, fifos. */
#include "abi.h"

static int fd;

static int dfd;

static void links(void) {
  R(link("a", "hl"));
  R(link("a", "hl"));
  R(link("nope", "x"));
  R(link(".", "x"));
  stat("a", &st);
  printf("nlink %ld\n", (long)st.st_nlink);
  R(symlink("a", "sym"));
  R(symlink("a", "sym"));
  R(symlink("", "sy2"));
  R(readlink("sym", buf, 100));
  R(readlink("sym", buf, 0));
  R(readlink("a", buf, 10));
  R(readlink("nope", buf, 10));
  R(readlink("sym", BAD, 10));
  R(readlink("sym", buf, -1));
  R(open("sym", O_RDONLY | O_NOFOLLOW));
  R(open("sym", O_PATH | O_NOFOLLOW));
  R(fstat(4, &st));
  printf("%o\n", st.st_mode & S_IFMT);
  R(readlinkat(4, "", buf, 100));
  R(read(4, buf, 1));
  R(fcntl(4, F_GETFL));
  R(ioctl(4, FIONREAD, buf));
  R(fchmod(4, 0644));
  R(dup(4));
  close(5);
  close(4);
  R(open("sym", O_CREAT | O_EXCL | O_RDWR, 0600));
  symlink("loop2", "loop1");
  symlink("loop1", "loop2");
  R(open("loop1", O_RDONLY));
  R(stat("loop1", &st));
  R(lstat("loop1", &st));
}

/* The program's own path, by several names, into buffers that are too small or not there. */
static void own_program(void) {
  char longer[PATH_MAX], walked[PATH_MAX];
  ssize_t length = readlink("/proc/self/exe", longer, sizeof longer);
  printf("same by another name: %d\n", readlink("/proc/./self/exe", walked, sizeof walked) == length &&
                                             memcmp(longer, walked, length) == 0);
  printf("an absolute path: %d\n", length > 1 && longer[0] == '/');
  R(readlink("/proc/self/exe", buf, 3));
  R(readlink("/proc/self/exe", BAD, 10));
  R(readlink("/proc/self/exe", buf, 0));
  R(readlink("/proc/self/exe/", buf, 100));
  R(readlink("/proc/self/exe2", buf, 100));
  R(readlinkat(-1, "/proc/self/exe", buf, 3));
  R(readlinkat(AT_FDCWD, "proc/self/exe", buf, 3));
  /* Names that end where a page does. */
  char *page = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  munmap(page + 4096, 4096);
  R(readlink(strcpy(page + 4096 - 15, "/proc/self/exe"), buf, 3));
  R(readlink(strcpy(page + 4096 - 4, "sym"), buf, 3));
  R(readlink(memcpy(page + 4096 - 14, "/proc/self/exe", 14), buf, 3));
  munmap(page, 4096);
}

static void directories(void) {
  R(mkdir("d", 0777));
  R(mkdir("d", 0777));
  R(mkdir("d/", 0777));
  R(mkdir("q/r", 0777));
  stat("d", &st);
  printf("%o %ld\n", st.st_mode, (long)st.st_nlink);
  R(mkdir("d2/", 0700));
  R(rmdir("a"));
  R(unlink("d"));
  R(rmdir("d2"));
  R(rmdir("d2"));
  R(rmdir("."));
  R(rmdir(".."));
  R(rmdir("d/."));
  R(open("d/x", O_CREAT | O_RDWR, 0600));
  close(4);
  R(rmdir("d"));
  R(unlinkat(AT_FDCWD, "d", AT_REMOVEDIR));
  R(unlinkat(AT_FDCWD, "d", 99));
  R(unlink("nope"));
  R(unlink(""));
  R(rmdir("/"));
  R(rename("a", "b"));
  R(rename("a", "b"));
  R(rename("d", "b"));
  R(rename("b", "d"));
  R(rename("d", "d/e"));
  R(rename("b", "b"));
  R(renameat2(AT_FDCWD, "b", AT_FDCWD, "hl", RENAME_NOREPLACE));
  R(renameat2(AT_FDCWD, "b", AT_FDCWD, "d", RENAME_EXCHANGE));
  R(stat("d/x", &st));
  R(stat("b/x", &st));
  R(renameat2(AT_FDCWD, "b", AT_FDCWD, "d", RENAME_EXCHANGE));
  R(renameat2(AT_FDCWD, "b", AT_FDCWD, "d", RENAME_EXCHANGE | 1));
  R(renameat2(AT_FDCWD, "b", AT_FDCWD, "d", 99));
  R(rename("b", "nodir/x"));
  R(rename("b", ""));
  R(rename(".", "e"));
  R(rename("b", "hl"));
  R(stat("b", &st));
  R(rename("b", "a"));
}

static void working_directory(void) {
  R(chdir("d"));
  R(syscall(SYS_getcwd, buf, 256));
  printf("%s\n", buf);
  R(syscall(SYS_getcwd, buf, 3));
  R(syscall(SYS_getcwd, BAD, 100));
  R(chdir(".."));
  R(chdir("nope"));
  R(chdir("a"));
  R(fchdir(fd));
  R(fchdir(99));
  dfd = open("d", O_RDONLY | O_DIRECTORY);
  R(fchdir(dfd));
  R(syscall(SYS_getcwd, buf, 256));
  printf("%s\n", buf);
  R(openat(dfd, "x", O_RDONLY));
  close(dfd+1);
  chdir("/tmp/abi-names");
  R(read(dfd, buf, 10));
  R(lseek(dfd, 0, SEEK_SET));
  R(write(dfd, buf, 1));
}

static void entries(void) {
  {
    char db[4096];
    R(syscall(SYS_getdents64, dfd, db, 10));
    R(syscall(SYS_getdents64, dfd, db, 4096));
    R(syscall(SYS_getdents64, dfd, db, 4096));
    R(lseek(dfd, 0, 0));
    R(syscall(SYS_getdents64, dfd, db, 24));
    R(syscall(SYS_getdents64, dfd, db, 24));
    R(syscall(SYS_getdents64, dfd, db, 24));
    R(syscall(SYS_getdents64, dfd, db, 24));
    R(syscall(SYS_getdents64, fd, db, 4096));
    R(syscall(SYS_getdents64, 99, db, 4096));
    R(lseek(dfd, 0, 0));
    R(syscall(SYS_getdents64, dfd, BAD, 4096));
    R(syscall(SYS_getdents, dfd, db, 4096));
  }
  close(dfd);
}

static void removed_working_directory(void) {
  mkdir("gone", 0700);
  chdir("gone");
  rmdir("../gone");
  R(syscall(SYS_getcwd, buf, 256));
  R(open("z", O_CREAT | O_RDWR, 0600));
  R(stat(".", &st));
  R(mkdir("y", 0700));
  chdir("/tmp/abi-names");
}

static void fifos(void) {
  R(mkfifo("fifo", 0600));
  R(mkfifo("fifo", 0600));
  R(open("fifo", O_WRONLY | O_NONBLOCK));
  R(open("fifo", O_RDONLY | O_NONBLOCK));
  R(open("fifo", O_WRONLY | O_NONBLOCK));
  R(write(5, "abc", 3));
  R(read(4, buf, 10));
  R(read(4, buf, 10));
  close(5);
  R(read(4, buf, 10));
  close(4);
  R(mknod("dev", S_IFDIR | 0600, 0));
  R(mknod("dev", 0xf000, 0));
  R(unlink("fifo"));
}

int main(void) {
  begin("/tmp/abi-names");
  fd = open("a", O_RDWR | O_CREAT, 0644);
  R(write(fd, "hello world", 11));
  links();
  own_program();
  directories();
  working_directory();
  entries();
  removed_working_directory();
  fifos();
  return end("/tmp/abi-names");
}
