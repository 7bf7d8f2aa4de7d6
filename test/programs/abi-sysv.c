/* System V shared memory, semaphores and message queues, in one process and between several. */
#include "abi.h"
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/time.h>
#include <sys/wait.h>

#define PAGE 4096
#define KEY 0x051a7e57


static void memory(void) {
  struct shmid_ds facts;
  int id = shmget(KEY, 0, 0);
  if (id >= 0) shmctl(id, IPC_RMID, 0);
  R(shmget(KEY, 100, 0600));
  R(shmget(KEY, 0, IPC_CREAT | 0600));
  id = shmget(KEY, 2 * PAGE - 96, IPC_CREAT | 0640);
  OK(id);
  R(shmget(KEY, 2 * PAGE - 96, 0) == id);
  R(shmget(KEY, 2 * PAGE - 95, 0));
  R(shmget(KEY, 100, IPC_CREAT | IPC_EXCL));
  char *area = shmat(id, NULL, 0);
  printf("%d\n", area != (void *)-1);
  R(shmctl(id, IPC_STAT, &facts));
  printf("%zu %ld %o %d %d %d\n", facts.shm_segsz, facts.shm_nattch, facts.shm_perm.mode,
         facts.shm_cpid == getpid(), facts.shm_lpid == getpid(), facts.shm_perm.__key == KEY);
  strcpy(area, "parent");
  fflush(stdout);
  pid_t child = fork();
  if (child == 0) {
    R(shmctl(id, IPC_STAT, &facts));
    printf("%ld %s\n", facts.shm_nattch, area);
    char *again = shmat(id, NULL, SHM_RDONLY);
    strcpy(area + PAGE, "child");
    printf("%s\n", again + PAGE);
    R(shmdt(again));
    R(shmdt(again));
    fflush(stdout);
    _exit(0);
  }
  waitpid(child, NULL, 0);
  printf("%s\n", area + PAGE);
  R(shmctl(id, IPC_STAT, &facts));
  printf("%ld %d\n", facts.shm_nattch, facts.shm_dtime != 0);
  R(shmat(id, area, 0));
  R(shmat(id, area + 1, 0));
  R(shmat(id, area + 1, SHM_RND | SHM_REMAP) == (void *)area);
  printf("%s\n", area);
  R(shmat(id, NULL, SHM_REMAP));
  R(shmat(999999, NULL, 0));
  facts.shm_perm.mode = 0600;
  R(shmctl(id, IPC_SET, &facts));
  R(shmctl(id, IPC_RMID, NULL));
  R(shmget(KEY, 0, 0));
  R(shmctl(id, IPC_STAT, &facts));
  OK(shmdt(shmat(id, NULL, 0)));
  strcpy(area, "still there");
  printf("%s\n", area);
  R(shmdt(area + PAGE));
  R(shmdt(area));
  int private = shmget(IPC_PRIVATE, PAGE, 0600);
  R(shmget(IPC_PRIVATE, PAGE, 0600) != private);
  R(shmctl(private, SHM_LOCK, 0));
  R(shmctl(private, 99, 0));
  R(shmctl(-1, IPC_RMID, 0));
  R(shmctl(private, IPC_STAT, BAD));
  R(shmctl(private, IPC_RMID, 0));
}

union semun { int val; struct semid_ds *buf; unsigned short *array; };

static long op(int id, int number, int amount, int flags) {
  struct sembuf operation = {number, amount, flags};
  return semop(id, &operation, 1);
}

static void on_alarm(int signal) {}

static void semaphores(void) {
  union semun argument;
  unsigned short values[3] = {1, 2, 3};
  struct semid_ds facts;
  int id = semget(KEY, 0, 0);
  if (id >= 0) semctl(id, 0, IPC_RMID);
  R(semget(KEY, 3, 0));
  R(semget(KEY, 0, IPC_CREAT));
  R(semget(KEY, -1, IPC_CREAT));
  id = semget(KEY, 3, IPC_CREAT | 0600);
  OK(id);
  R(semget(KEY, 4, 0));
  R(semget(KEY, 3, IPC_CREAT | IPC_EXCL));
  argument.array = values;
  R(semctl(id, 0, SETALL, argument));
  R(semctl(id, 1, GETVAL));
  R(semctl(id, 3, GETVAL));
  R(semctl(id, 0, GETPID) == getpid());
  argument.val = 40000;
  R(semctl(id, 0, SETVAL, argument));
  argument.buf = &facts;
  R(semctl(id, 0, IPC_STAT, argument));
  printf("%ld %o\n", facts.sem_nsems, facts.sem_perm.mode);
  struct sembuf three[3] = {{0, -1, 0}, {1, 1, 0}, {2, -4, IPC_NOWAIT}};
  R(semop(id, three, 3));
  argument.array = values;
  R(semctl(id, 0, GETALL, argument));
  printf("%d %d %d\n", values[0], values[1], values[2]);
  three[2].sem_op = -3;
  R(semop(id, three, 3));
  R(semctl(id, 0, GETALL, argument));
  printf("%d %d %d\n", values[0], values[1], values[2]);
  R(op(id, 0, 0, 0));
  R(op(id, 1, 0, IPC_NOWAIT));
  R(op(id, 3, 1, 0));
  R(op(id, 1, 32767, 0));
  R(semop(id, three, 0));
  R(semop(id, three, 501));
  R(semop(id, BAD, 1));
  R(op(99999, 0, 1, 0));
  struct timespec soon = {0, 10000000}, bad = {0, -1};
  struct sembuf take = {0, -1, 0};
  R(semtimedop(id, &take, 1, &soon));
  R(semtimedop(id, &take, 1, &bad));
  signal(SIGALRM, on_alarm);
  struct itimerval timer = {{0, 20000}, {0, 20000}}, off = {{0, 0}, {0, 0}};
  setitimer(ITIMER_REAL, &timer, 0);
  R(op(id, 0, -1, 0));
  setitimer(ITIMER_REAL, &off, 0);
  fflush(stdout);
  pid_t child = fork();
  if (child == 0) {
    op(id, 1, 5, SEM_UNDO);
    op(id, 2, 1, SEM_UNDO);
    op(id, 2, -1, 0);
    op(id, 0, -1, SEM_UNDO);
    _exit(0);
  }
  while (semctl(id, 0, GETNCNT) == 0) sched_yield();
  R(semctl(id, 0, GETNCNT));
  R(semctl(id, 0, GETZCNT));
  R(semctl(id, 1, GETVAL));
  R(op(id, 0, 1, 0));
  waitpid(child, NULL, 0);
  R(semctl(id, 0, GETALL, argument));
  printf("%d %d %d\n", values[0], values[1], values[2]);
  child = fork();
  if (child == 0) {
    R(op(id, 1, 0, 0));
    fflush(stdout);
    _exit(0);
  }
  while (semctl(id, 1, GETZCNT) == 0) sched_yield();
  argument.val = 0;
  R(semctl(id, 1, SETVAL, argument));
  waitpid(child, NULL, 0);
  fflush(stdout);
  child = fork();
  if (child == 0) {
    R(op(id, 1, -7, 0));
    fflush(stdout);
    _exit(0);
  }
  while (semctl(id, 1, GETNCNT) == 0) sched_yield();
  R(semctl(id, 0, IPC_RMID));
  waitpid(child, NULL, 0);
  R(semctl(id, 0, GETVAL));
  R(op(id, 0, 1, 0));
}

struct message { long type; char text[9000]; };

static void messages(void) {
  struct message m = {1, "first"}, got;
  struct msqid_ds facts;
  int id = msgget(KEY, 0);
  if (id >= 0) msgctl(id, IPC_RMID, 0);
  R(msgget(KEY, 0600));
  id = msgget(KEY, IPC_CREAT | 0600);
  OK(id);
  R(msgget(KEY, IPC_CREAT | IPC_EXCL));
  R(msgsnd(id, &m, 6, 0));
  m.type = 3;
  strcpy(m.text, "third");
  R(msgsnd(id, &m, 6, 0));
  m.type = 2;
  strcpy(m.text, "second");
  R(msgsnd(id, &m, 7, 0));
  m.type = 0;
  R(msgsnd(id, &m, 7, 0));
  m.type = 5;
  R(msgsnd(id, &m, 8193, 0));
  R(msgsnd(id, BAD, 10, 0));
  R(msgctl(id, IPC_STAT, &facts));
  printf("%ld %ld %ld %d\n", (long)facts.__msg_cbytes, (long)facts.msg_qnum, (long)facts.msg_qbytes,
         facts.msg_lspid == getpid());
  R(msgrcv(id, &got, 100, -2, 0));
  printf("%ld %s\n", got.type, got.text);
  R(msgrcv(id, &got, 3, 0, 0));
  R(msgrcv(id, &got, 3, 0, MSG_NOERROR));
  printf("%ld %.3s\n", got.type, got.text);
  R(msgrcv(id, &got, 100, 9, IPC_NOWAIT));
  R(msgrcv(id, &got, 100, 2, MSG_EXCEPT | IPC_NOWAIT));
  R(msgrcv(id, &got, 100, 3, MSG_EXCEPT | IPC_NOWAIT));
  printf("%ld %s\n", got.type, got.text);
  R(msgrcv(id, &got, 100, 0, IPC_NOWAIT));
  m.type = 7;
  int sent = 0;
  while (msgsnd(id, &m, 1000, IPC_NOWAIT) == 0) sent++;
  printf("%d %s\n", sent, strerrorname_np(errno));
  fflush(stdout);
  pid_t child = fork();
  if (child == 0) {
    m.type = 8;
    R(msgsnd(id, &m, 8000, 0));
    fflush(stdout);
    _exit(0);
  }
  while (sent-- > 0) msgrcv(id, &got, 1000, 7, 0);
  R(msgrcv(id, &got, 8000, 8, 0));
  waitpid(child, NULL, 0);
  facts.msg_qbytes = 100;
  R(msgctl(id, IPC_SET, &facts));
  R(msgsnd(id, &m, 101, IPC_NOWAIT));
  child = fork();
  if (child == 0) {
    alarm(10);
    R(msgrcv(id, &got, 100, 0, 0));
    fflush(stdout);
    _exit(0);
  }
  await_sleep(child);
  R(msgctl(id, IPC_RMID, NULL));
  waitpid(child, NULL, 0);
  R(msgsnd(id, &m, 1, 0));
  R(msgrcv(id, &got, 1, 0, 0));
  R(msgctl(id, IPC_STAT, &facts));
}

int main() {
  begin("/tmp/abi-sysv");
  memory();
  semaphores();
  messages();
  return end("/tmp/abi-sysv");
}
