/* Pseudo-terminals: masters and slaves, sessions, foreground and background, hang-ups. */
#include "abi.h"
#include <pty.h>
#include <sys/wait.h>
#include <termios.h>

static char name[64];

static void show(int fd) {
  char text[300];
  ssize_t length = read(fd, text, sizeof text - 1);
  if (length < 0) {
    printf("read: %s\n", strerrorname_np(errno));
    return;
  }
  printf("read %zd:", length);
  for (int i = 0; i < length; i++) printf(text[i] < ' ' ? " %02x" : " %c", text[i]);
  puts("");
}

static void pairs(void) {
  int master = posix_openpt(O_RDWR | O_NOCTTY);
  OK(master);
  int number, lock;
  R(ioctl(master, TIOCGPTN, &number));
  R(ioctl(master, TIOCGPTLCK, &lock));
  printf("locked %d\n", lock);
  snprintf(name, sizeof name, "/dev/pts/%d", number);
  R(strcmp(name, ptsname(master)));
  R(open(name, O_RDWR | O_NOCTTY));
  R(grantpt(master));
  R(unlockpt(master));
  struct pollfd p = {master, POLLIN | POLLOUT};
  R(poll(&p, 1, 0));
  printf("%x\n", p.revents);
  int slave = open(name, O_RDWR | O_NOCTTY);
  OK(slave);
  R(isatty(slave));
  R(isatty(master));
  R(strcmp(ttyname(slave), name));
  struct stat facts;
  R(fstat(slave, &facts));
  printf("%o %d\n", facts.st_mode & S_IFMT, facts.st_rdev == (136 << 8 | number));
  struct statfs fs;
  R(statfs("/dev/pts", &fs));
  printf("%lx\n", (long)fs.f_type);
  struct termios t;
  R(tcgetattr(slave, &t));
  printf("%x %x %x %x\n", t.c_iflag, t.c_oflag, t.c_cflag, t.c_lflag);
  for (int i = 0; i < 19; i++) printf("%x ", t.c_cc[i]);
  puts("");
  R(write(slave, "out\n", 4));
  show(master);
  R(write(master, "typed\n", 6));
  show(slave);
  show(master);
  R(tcdrain(slave));
  cfmakeraw(&t);
  R(tcsetattr(slave, TCSADRAIN, &t));
  R(write(master, "raw\r\n", 5));
  show(slave);
  R(write(slave, "raw\r\n", 5));
  show(master);
  struct winsize size = {24, 80}, got;
  R(ioctl(slave, TIOCGWINSZ, &got));
  printf("%d %d\n", got.ws_row, got.ws_col);
  R(ioctl(master, TIOCSWINSZ, &size));
  R(ioctl(slave, TIOCGWINSZ, &got));
  printf("%d %d\n", got.ws_row, got.ws_col);
  fcntl(master, F_SETFL, O_NONBLOCK);
  show(master);
  pid_t group;
  R(ioctl(slave, TIOCGPGRP, &group));
  R(ioctl(master, TIOCGPGRP, &group));
  R(group);
  R(ioctl(slave, TIOCGSID, &group));
  R(ioctl(master, TIOCGSID, &group));
  int second = open(name, O_RDWR | O_NOCTTY);
  write(slave, "last", 4);
  close(slave);
  R(poll(&p, 1, 0));
  printf("%x\n", p.revents);
  close(second);
  R(poll(&p, 1, 0));
  printf("%x\n", p.revents);
  show(master);
  show(master);
  slave = open(name, O_RDWR | O_NOCTTY);
  show(master);
  close(master);
  p.fd = slave;
  R(poll(&p, 1, 0));
  printf("%x\n", p.revents);
  show(slave);
  R(write(slave, "x", 1));
  R(open(name, O_RDWR | O_NOCTTY));
  close(slave);
  R(access(name, F_OK));
  int flood = posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK);
  unlockpt(flood);
  slave = ioctl(flood, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_NONBLOCK);
  OK(slave);
  R(strcmp(ttyname(slave), ptsname(flood)));
  t.c_lflag = 0;
  tcsetattr(slave, TCSANOW, &t);
  long total = 0, one;
  while ((one = write(flood, buf, 200)) > 0) total += one;
  printf("%d %d\n", total > 3000, errno == EAGAIN);
  R(tcflush(slave, TCIFLUSH));
  R(write(flood, "x", 1));
  total = 0;
  while ((one = write(slave, buf, 200)) > 0) total += one;
  printf("%d %d\n", total > 3000, errno == EAGAIN);
  close(slave);
  close(flood);
}

static void note(int signal) {
  char text[40];
  int length = snprintf(text, sizeof text, "signal %s\n", sigabbrev_np(signal));
  write(1, text, length);
}

/* Where a process in the session tells that it has got somewhere. */
static int told[2];

static void tell(void) { write(told[1], "x", 1); }

static void hear(void) {
  char c;
  read(told[0], &c, 1);
}

/* Runs `body` in a session of its own whose terminal is a new slave; what it prints is shown. */
static void in_session(const char *what, void (*body)(int), void (*outside)(int, pid_t)) {
  int out[2];
  pipe(out);
  pipe(told);
  fflush(stdout);
  int master;
  pid_t child = forkpty(&master, NULL, NULL, NULL);
  if (child == 0) {
    dup2(out[1], 1);
    close(out[0]);
    close(out[1]);
    setvbuf(stdout, 0, _IOLBF, 0);
    body(0);
    exit(3);
  }
  close(out[1]);
  printf("%s\n", what);
  outside(master, child);
  FILE *lines = fdopen(out[0], "r");
  char line[200];
  while (fgets(line, sizeof line, lines)) printf("  %s", line);
  fclose(lines);
  int status;
  waitpid(child, &status, 0);
  printf("  status %x\n", status);
  close(master);
  close(told[0]);
  close(told[1]);
}

static void nothing(int master, pid_t child) {}

static void own(int tty) {
  R(tcgetpgrp(tty) == getpid());
  R(tcgetsid(tty) == getpid());
  int current = open("/dev/tty", O_RDWR);
  OK(current);
  R(isatty(current));
  R(ioctl(tty, TIOCSCTTY, 0));
  R(setsid());
  R(tcsetpgrp(tty, 999999));
  R(tcsetpgrp(tty, getpid()));
  pid_t child = fork();
  if (child == 0) {
    setpgid(0, 0);
    signal(SIGTTIN, SIG_IGN);
    R(read(tty, buf, 1));
    signal(SIGTTIN, SIG_DFL);
    signal(SIGTTOU, SIG_IGN);
    R(tcsetpgrp(tty, getpid()));
    signal(SIGTTOU, SIG_DFL);
    R(tcgetpgrp(tty) == getpid());
    R(tcsetpgrp(tty, getppid()));
    struct termios t;
    tcgetattr(tty, &t);
    R(tcsetattr(tty, TCSANOW, &t)); /* stops */
    puts("goes on");
    tell();
    while (tcgetpgrp(tty) == getpid()) usleep(1000);
    read(tty, buf, 1); /* stops */
    setsid();
    R(open("/dev/tty", O_RDWR));
    fflush(stdout);
    _exit(5);
  }
  int status;
  waitpid(child, &status, WUNTRACED);
  R(WIFSTOPPED(status) ? WSTOPSIG(status) : -1);
  signal(SIGTTOU, SIG_IGN);
  R(tcsetpgrp(tty, child));
  kill(child, SIGCONT);
  waitpid(child, &status, WCONTINUED);
  hear();
  R(tcsetpgrp(tty, getpid()));
  waitpid(child, &status, WUNTRACED);
  if (WIFSTOPPED(status)) {
    printf("stopped %s\n", sigabbrev_np(WSTOPSIG(status)));
    kill(child, SIGKILL);
    waitpid(child, &status, 0);
  }
  signal(SIGHUP, note);
  signal(SIGCONT, note);
  R(ioctl(tty, TIOCNOTTY, 0));
  R(open("/dev/tty", O_RDWR));
  R(tcgetpgrp(tty));
  R(ioctl(tty, TIOCSCTTY, 0));
  R(tcgetpgrp(tty) == getpid());
}

static void note_and_tell(int signal) {
  note(signal);
  tell();
}

static void keys(int tty) {
  for (int i = 1; i < 32; i++)
    if (i == SIGINT || i == SIGQUIT || i == SIGWINCH || i == SIGTSTP) signal(i, note_and_tell);
  puts("ready");
  tell();
  while (read(tty, buf, 1) != 1 || buf[0] != '\n') continue;
}

static void press(int master, pid_t child) {
  hear();
  write(master, "\003", 1);
  hear();
  write(master, "\034", 1);
  hear();
  write(master, "\032", 1);
  hear();
  struct winsize size = {10, 20};
  ioctl(master, TIOCSWINSZ, &size);
  hear();
  write(master, "\n", 1);
}

static void waits(int tty) {
  signal(SIGHUP, note);
  signal(SIGCONT, note);
  puts("ready");
  tell();
  R(read(tty, buf, 1));
  R(read(tty, buf, 1));
  R(write(tty, "x", 1));
  R(open("/dev/tty", O_RDWR));
}

static void hang_up(int master, pid_t child) {
  hear();
  await_sleep(child);
  close(master);
}

static void leaves(int tty) {
  pid_t child = fork();
  if (child == 0) {
    signal(SIGHUP, note);
    puts("child ready");
    tell();
    pause();
    int left;
    while ((left = open("/dev/tty", O_RDWR)) >= 0) close(left);
    R(open("/dev/tty", O_RDWR));
    fflush(stdout);
    _exit(0);
  }
  hear();
  await_sleep(child);
}

int main() {
  begin("/tmp/abi-pty");
  pairs();
  in_session("own terminal", own, nothing);
  in_session("keys", keys, press);
  in_session("hang-up", waits, hang_up);
  in_session("the leader ends", leaves, nothing);
  return end("/tmp/abi-pty");
}
