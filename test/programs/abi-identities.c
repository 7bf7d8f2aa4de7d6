/*
 * Users, groups and capabilities: how each call changes them, who owns new files, what exec leaves.
 * Needs root on the host.
 */
#include <grp.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/fsuid.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "abi.h"

static void users(const char *when) {
  unsigned a, b, c, d, e, f;
  syscall(SYS_getresuid, &a, &b, &c);
  syscall(SYS_getresgid, &d, &e, &f);
  printf("%s: users %u %u %u groups %u %u %u\n", when, a, b, c, d, e, f);
}

static struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
static struct __user_cap_data_struct sets[2];

/* Only whether there are any: which ones root has depends on how the host was set up. */
static void capabilities(void) {
  header.pid = 0;
  R(syscall(SYS_capget, &header, sets));
  printf("permitted %d effective %d inheritable %d\n", sets[0].permitted != 0,
         sets[0].effective != 0, sets[0].inheritable != 0);
}

static void owner(const char *name) {
  int fd = open(name, O_CREAT | O_RDWR, 0600);
  fstat(fd, &st);
  printf("%s belongs to %u:%u\n", name, st.st_uid, st.st_gid);
  close(fd);
}

/* Each part starts as root in a process of its own. */
static void part(const char *name, void (*body)(void)) {
  printf("-- %s\n", name);
  fflush(stdout);
  if (fork() == 0) {
    body();
    fflush(stdout);
    _exit(0);
  }
  wait(NULL);
}

static void drop_for_good(void) {
  R(syscall(SYS_setgroups, 0, NULL));
  R(syscall(SYS_setgid, 1234));
  R(syscall(SYS_setuid, 1234));
  users("dropped");
  capabilities();
  owner("dropped");
  R(syscall(SYS_setuid, 0));
  R(syscall(SYS_setgid, 0));
  R(syscall(SYS_setgroups, 0, NULL));
}

static void keep_capabilities(void) {
  R(prctl(PR_GET_KEEPCAPS));
  R(prctl(PR_SET_KEEPCAPS, 2));
  R(prctl(PR_SET_KEEPCAPS, 1));
  R(prctl(PR_GET_KEEPCAPS));
  R(syscall(SYS_setresuid, 7, 7, 7));
  users("kept");
  capabilities();
  R(syscall(SYS_setresgid, 7, 7, 7));
  sets[0].effective = sets[0].permitted;
  sets[1].effective = sets[1].permitted;
  R(syscall(SYS_capset, &header, sets));
  capabilities();
  R(syscall(SYS_setresgid, 8, 8, 8));
  users("again");
  memset(sets, 0, sizeof sets);
  R(syscall(SYS_capset, &header, sets));
  capabilities();
  sets[0].permitted = 1;
  R(syscall(SYS_capset, &header, sets));
  R(syscall(SYS_setresgid, 9, 9, 9));
}

static void back_and_forth(void) {
  R(syscall(SYS_setresuid, -1, 5, -1));
  users("away");
  capabilities();
  owner("away");
  R(syscall(SYS_setresuid, -1, 0, -1));
  users("back");
  capabilities();
  R(syscall(SYS_setreuid, 5, 6));
  users("both");
  R(syscall(SYS_setreuid, -1, 0));
  R(syscall(SYS_setreuid, -1, 5));
  users("real");
}

static void file_system(void) {
  R(setfsuid(11));
  R(setfsuid(-1));
  R(setfsgid(12));
  owner("file-system");
  R(setfsuid(0));
  owner("file-system-root");
}

static void group_directory(void) {
  mkdir("shared", 0755);
  R(chown("shared", 0, 77));
  R(chmod("shared", 02755));
  owner("shared/file");
  mkdir("shared/below", 0755);
  R(stat("shared/below", &st));
  printf("%o %u\n", st.st_mode, st.st_gid);
}

static void arguments(void) {
  R(syscall(SYS_capget, BAD, sets));
  R(syscall(SYS_capget, &header, BAD));
  header.version = 1;
  R(syscall(SYS_capget, &header, NULL));
  R(syscall(SYS_capget, &header, sets));
  printf("%x\n", header.version);
  R(prctl(PR_CAPBSET_READ, 0));
  R(prctl(PR_CAPBSET_READ, 99));
  R(prctl(PR_CAPBSET_DROP, 99));
  R(syscall(SYS_setgroups, -1, NULL));
  R(syscall(SYS_getgroups, -1, NULL));
  gid_t groups[2] = {3, 4};
  R(syscall(SYS_setgroups, 2, groups));
  R(syscall(SYS_getgroups, 1, groups));
  R(syscall(SYS_getgroups, 2, groups));
}

/* The lines of /proc/self/status that begin with a word of the list. */
static void status(const char *words) {
  char line[256];
  FILE *file = fopen("/proc/self/status", "r");
  while (fgets(line, sizeof line, file)) {
    char *tab = strchr(line, '\t');
    if (tab == NULL) continue;
    *(tab - 1) = '\0';
    if (strstr(words, line)) printf("%s:%s", line, tab);
  }
  fclose(file);
}

static void ambient(void) {
  R(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, 7, 0, 0));
  R(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, 7, 0, 0));
  header.version = _LINUX_CAPABILITY_VERSION_3;
  R(syscall(SYS_capget, &header, sets));
  sets[0].inheritable = sets[0].permitted & 0xc0;
  R(syscall(SYS_capset, &header, sets));
  R(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, 7, 0, 0));
  R(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, 6, 0, 0));
  R(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, 7, 0, 0));
  R(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, 99, 0, 0));
  R(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, 7, 1, 0));
  R(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 7, 0, 0));
  R(prctl(PR_CAP_AMBIENT, 9, 7, 0, 0));
  R(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_LOWER, 6, 0, 0));
  status("CapInh CapAmb");
  R(prctl(PR_SET_KEEPCAPS, 1));
  R(syscall(SYS_setresuid, 5, 5, 5));
  status("CapInh CapEff CapAmb");
  R(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, 7, 0, 0));
  status("CapAmb");
  fflush(stdout);
  if (fork() == 0) {
    execl("/proc/self/exe", "abi-identities", "CapInh CapPrm CapEff CapAmb", NULL);
    _exit(1);
  }
  wait(NULL);
  sets[0].inheritable = 0;
  R(syscall(SYS_capset, &header, sets));
  status("CapAmb");
}

/* The program's own path has no name where there is no /proc. */
static void other_root(void) {
  R(chroot("."));
  R(readlink("/proc/self/exe", buf, 3));
  R(readlink("/proc/./self/exe", buf, 3));
}

static void facts(void) {
  gid_t groups[3] = {3, 4, 70000};
  R(syscall(SYS_setgroups, 3, groups));
  status("Groups");
  R(syscall(SYS_setgroups, 0, NULL));
  status("Groups NoNewPrivs Seccomp Seccomp_filters");
  R(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
  struct sock_filter allow = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
  struct sock_fprog filter = {1, &allow};
  R(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter, 0, 0));
  R(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter, 0, 0));
  status("NoNewPrivs Seccomp Seccomp_filters");
  unsigned long first = 1;
  syscall(SYS_sched_setaffinity, 0, sizeof first, &first);
  status("Cpus_allowed_list");
  R(prctl(PR_GET_THP_DISABLE, 0, 0, 0, 0));
  R(prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0));
  R(prctl(PR_GET_THP_DISABLE, 0, 0, 0, 0));
  R(prctl(PR_GET_THP_DISABLE, 1, 0, 0, 0));
  R(prctl(PR_SET_THP_DISABLE, 0, 1, 0, 0));
}

int main(int count, char **words) {
  if (count > 1) {
    status(words[1]);
    return 0;
  }
  begin("/tmp/abi-identities");
  chmod(".", 0777);
  part("drop for good", drop_for_good);
  part("keep capabilities", keep_capabilities);
  part("back and forth", back_and_forth);
  part("file system", file_system);
  part("group directory", group_directory);
  part("arguments", arguments);
  part("ambient", ambient);
  part("other root", other_root);
  part("facts", facts);
  return end("/tmp/abi-identities");
}
