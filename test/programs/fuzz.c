/*
 * A fuzzer of system calls: processes with several threads make random calls with hostile arguments
 * until the time is over. Only for guests: it calls whatever it likes on the machine it runs on.
 *
 *     fuzz SECONDS SEED < table
 *
 * The table (made from the kernel's own by test/harness/fuzz.ts) has a line for each call: its number,
 * its name and a letter for each argument, which says what a sensible value would be (`value` below).
 *
 * The first process only supervises: it makes a generation of workers, ends everything that lives
 * after a second, checks that all of it goes, and starts the next. It prints "fuzzed" if it came to
 * the end of its time. What the kernel must not do is fault, or keep a process from ending.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/resource.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { workers = 3, threads = 3, most_calls = 512, generation_ms = 1000, end_s = 60 };
enum { page = 4096, arena_pages = 64, arena_gap = 64 << 20, slots = 64 };

struct call {
    int number;
    char name[32];
    char kinds[8];
};
static struct call calls[most_calls];
static int call_count;

/* Counted by all processes, for the report. */
static struct {
    uint64_t made;
    uint8_t succeeded[most_calls];
} *shared;

/* Memory that arguments point to; only the worker that owns it writes there. */
static char *arena;
static __thread uint64_t random_state;
static __thread sigjmp_buf resume;
static __thread volatile int may_resume;

/* xorshift64* (Vigna 2016). */
static uint64_t next_random(void) {
    uint64_t x = random_state;
    x ^= x >> 12, x ^= x << 25, x ^= x >> 27;
    return (random_state = x) * 2685821657736338717u;
}

static unsigned below(unsigned limit) { return (unsigned)(next_random() >> 33) % limit; }
static int one_in(unsigned count) { return below(count) == 0; }

/* ---- argument values ---- */

static const char *const names[] = {
    ".", "..", "/", "", "a", "b", "c", "a/b", "a/../c", "d/e", "/proc/self/maps", "/proc/self/stat",
    "/proc/self/fd/3", "/proc/self/fd", "/proc/self/task", "/proc/self/mem",
    "/proc/meminfo", "/proc/sys/kernel/hostname", "/dev/null", "/dev/zero", "/dev/full", "/dev/urandom",
    "/dev/tty", "/dev/ptmx", "/dev/shm/a", "/sys/devices/system/cpu/online", "/nothing",
};

static uint64_t hostile_integer(void) {
    static const uint64_t edges[] = {
        0, 1, 2, 3, 7, 8, 16, 255, 4095, 4096, 4097, 65535, 65536, 0x7fffffff, 0x80000000, 0xffffffff,
        0x100000000, 0x7fffffffffffffff, 0x8000000000000000, (uint64_t)-1, (uint64_t)-2, (uint64_t)-4096,
    };
    switch (below(4)) {
    case 0: return below(16);
    case 1: return 1ull << below(64) | (one_in(2) ? 1ull << below(32) : 0);
    case 2: return edges[below(sizeof edges / sizeof *edges)];
    default: return next_random() >> below(64);
    }
}

static uint64_t hostile_pointer(void) {
    static const uint64_t wild[] = {
        0, 1, 0x1000, 0x7ffffffff000, 0x7fffffffffff, 0x800000000000, 0xffff800000000000,
        0xffffffff80000000, 0xffffffff81000000, 0xffffffffffffffff, 0xfffffffffffff000,
    };
    return one_in(2) ? wild[below(sizeof wild / sizeof *wild)] : next_random() >> below(40);
}

static uint64_t value(char kind);

/* A place in the arena that holds words which may mean something as a structure. */
static uint64_t structure(void) {
    char *at = arena + below(arena_pages) * page;
    if (one_in(8)) at += page - 8 * (1 + below(8)); /* ends where a page ends */
    else at += below(page / 8 - 32) * 8;
    char *const end = (char *)(((uintptr_t)at | (page - 1)) + 1);
    const unsigned words = below(17);
    for (unsigned i = 0; i < words && at + 8 * i < end; i++) {
        static const char kinds[] = "xxxxfnap0";
        uint64_t word = value(kinds[below(sizeof kinds - 1)]);
        if (one_in(3)) word = (uint32_t)word | value("fxx"[below(3)]) << 32;
        memcpy(at + 8 * i, &word, 8);
    }
    return (uint64_t)at + (one_in(8) ? below(8) : 0);
}

static const char *const attributes[] = {"user.a", "user.b", "trusted.a", "security.a", "user.", "a"};

static uint64_t name(const char *const *choice, size_t count) {
    char *at = arena + below(arena_pages) * page;
    if (one_in(20)) { /* longer than a path may be, perhaps without an end */
        memset(at, 'x', page);
        return (uint64_t)at;
    }
    strcpy(at, choice[below((unsigned)count)]);
    return (uint64_t)at;
}

/* At most 2 ms, so that nobody sleeps for long; sometimes nonsense. */
static uint64_t short_time(void) {
    if (one_in(4)) return one_in(2) ? 0 : structure();
    uint64_t *at = (uint64_t *)(arena + below(arena_pages) * page);
    at[0] = at[2] = one_in(50) ? hostile_integer() : 0;
    at[1] = at[3] = one_in(50) ? hostile_integer() : below(2000000);
    return (uint64_t)at;
}

/* A value for an argument of a kind; now and then one of another kind. */
static uint64_t value(char kind) {
    if (one_in(40)) return one_in(2) ? hostile_integer() : hostile_pointer();
    switch (kind) {
    case '0': return 0;
    case 'f': return one_in(10) ? hostile_integer() : one_in(8) ? (uint64_t)-100 : below(slots);
    case 'p': return one_in(8) ? hostile_pointer() : structure();
    case 'P': return one_in(12) ? value('p') : name(names, sizeof names / sizeof *names);
    case 'N': return name(attributes, sizeof attributes / sizeof *attributes);
    case 'T': return short_time();
    case 't': return below(3); /* milliseconds */
    case 'n': return one_in(3) ? hostile_integer() : below(one_in(2) ? 16 : 3 * page);
    case 'a': return one_in(8) ? hostile_pointer() : (uint64_t)arena + below(arena_pages) * page;
    case 'g': return one_in(20) ? below(66) : below(2) ? SIGUSR1 : SIGRTMIN + below(4);
    case 'i': return one_in(3) ? hostile_integer() : (uint64_t)(one_in(2) ? getpid() : gettid());
    default: return hostile_integer();
    }
}

/* ---- calls ---- */

/* Calls after which the worker is of little use; they are made seldom. */
static int is_final(int number) {
    switch (number) {
    case SYS_rt_sigreturn: case SYS_execve: case SYS_execveat: case SYS_arch_prctl: case SYS_close_range:
    case SYS_setrlimit: case SYS_prlimit64: case SYS_fork: case SYS_vfork: case SYS_clone: case SYS_clone3:
    case SYS_munmap: case SYS_rt_sigaction: case SYS_rt_sigprocmask: case SYS_setuid: case SYS_setresuid:
    case SYS_setreuid: case SYS_chroot: case SYS_capset: case SYS_pause: case SYS_rt_sigsuspend:
        return 1;
    default:
        return 0;
    }
}

/* Keeps the supervisor alive: calls that act on a process do not get its number or "everybody". */
static void spare_supervisor(int number, uint64_t *arguments) {
    switch (number) {
    case SYS_kill: case SYS_tkill: case SYS_tgkill: case SYS_rt_sigqueueinfo: case SYS_rt_tgsigqueueinfo:
    case SYS_pidfd_open: case SYS_prlimit64: case SYS_sched_setaffinity: case SYS_sched_setscheduler:
    case SYS_sched_setparam: case SYS_sched_setattr: case SYS_setpriority: case SYS_ptrace:
    case SYS_process_vm_writev: case SYS_setpgid: case SYS_ioprio_set: case SYS_migrate_pages:
        for (int i = 0; i < 2; i++) {
            if ((int32_t)arguments[i] == 1 || (int32_t)arguments[i] == -1) arguments[i] = (uint64_t)getpid();
        }
        break;
    case SYS_mmap: /* replaces nothing but the arena */
        if (arguments[3] & (MAP_FIXED | MAP_FIXED_NOREPLACE)) arguments[0] = (uint64_t)arena + below(arena_pages) * page;
        break;
    case SYS_personality: arguments[0] = below(2) ? 0xffffffff : arguments[0] & 0x0040000; break;
    }
}

static void make_calls(int count);

/* First code of a process or thread that a random call made. */
__attribute__((noreturn, used)) static void child_main(void) {
    may_resume = 0;
    random_state = random_state * 6364136223846793005u + (uint64_t)syscall(SYS_gettid);
    make_calls(20);
    syscall(SYS_exit, 0);
    __builtin_unreachable();
}

/* The call itself; a child that it makes goes to `child_main`, whatever its stack looks like. */
static long make_call(long number, const uint64_t *arguments) {
    register uint64_t r10 __asm__("r10") = arguments[3];
    register uint64_t r8 __asm__("r8") = arguments[4];
    register uint64_t r9 __asm__("r9") = arguments[5];
    long result;
    if (number == SYS_fork || number == SYS_vfork || number == SYS_clone || number == SYS_clone3) {
        __asm__ volatile(
            "sub $256, %%rsp\n\tsyscall\n\ttest %%rax, %%rax\n\tjnz 1f\n\t"
            "and $-16, %%rsp\n\tcall child_main\n1:\tadd $256, %%rsp"
            : "=a"(result)
            : "a"(number), "D"(arguments[0]), "S"(arguments[1]), "d"(arguments[2]), "r"(r10), "r"(r8), "r"(r9)
            : "rcx", "r11", "memory");
        return result;
    }
    __asm__ volatile("syscall"
        : "=a"(result)
        : "a"(number), "D"(arguments[0]), "S"(arguments[1]), "d"(arguments[2]), "r"(r10), "r"(r8), "r"(r9)
        : "rcx", "r11", "memory");
    return result;
}

static void make_random_call(void) {
    const unsigned index = below((unsigned)call_count);
    const struct call *call = &calls[index];
    if (is_final(call->number) && !one_in(50)) return;
    uint64_t arguments[6] = {0};
    for (int i = 0; i < 6; i++) arguments[i] = value(call->kinds[i] ? call->kinds[i] : 'x');
    spare_supervisor(call->number, arguments);
    const long result = make_call(call->number, arguments);
    __atomic_fetch_add(&shared->made, 1, __ATOMIC_RELAXED);
    if (result < -4095 || result >= 0) shared->succeeded[index] = 1;
}

static void make_calls(int count) {
    for (int i = 0; i < count; i++) make_random_call();
}

/* ---- workers ---- */

static void interrupted(int signal) { (void)signal; }

static void map_arena(void) {
    const int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED;
    mmap(arena, arena_pages * page, PROT_READ | PROT_WRITE, flags, -1, 0);
}

/* The arena has lost pages: the thread goes on with its next call, sooner or later with a new arena. */
static void faulted(int signal) {
    if (!may_resume) _exit(signal);
    if (one_in(8)) map_arena();
    siglongjmp(resume, 1);
}

static void *fuzz_thread(void *seed) {
    random_state = (uint64_t)seed;
    sigsetjmp(resume, 1);
    may_resume = 1;
    for (;;) make_calls(1000);
    return NULL;
}

static void open_everything(void) {
    int pair[2];
    for (int i = 0; i < 3; i++) close(i);
    open("/dev/null", O_RDWR), dup(0), dup(0);
    mkdir("d", 0777), open("a", O_RDWR | O_CREAT, 0666), open("b", O_RDWR | O_CREAT | O_APPEND, 0666);
    open(".", O_RDONLY | O_DIRECTORY), open("/dev/zero", O_RDWR);
    if (pipe(pair) == 0) fcntl(pair[1], F_SETPIPE_SZ, page);
    pipe2(pair, O_NONBLOCK);
    socketpair(AF_UNIX, SOCK_STREAM, 0, pair), socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, pair);
    socket(AF_INET, SOCK_STREAM, 0), socket(AF_INET, SOCK_DGRAM, 0);
    sigset_t set;
    sigemptyset(&set), sigaddset(&set, SIGUSR2);
    eventfd(0, 0), timerfd_create(CLOCK_MONOTONIC, 0), epoll_create1(0), signalfd(-1, &set, 0);
    ftruncate(memfd_create("m", MFD_ALLOW_SEALING), 16 * page);
}

static void work(uint64_t seed) {
    setsid();
    struct rlimit few = {slots, slots}, most = {512u << 20, 512u << 20}, none = {0, 0}, file = {8u << 20, 8u << 20};
    open_everything();
    setrlimit(RLIMIT_NOFILE, &few), setrlimit(RLIMIT_AS, &most), setrlimit(RLIMIT_CORE, &none);
    setrlimit(RLIMIT_FSIZE, &file);
    /* Nothing lies near it: calls with too large a length run into the gaps. */
    arena = mmap(NULL, arena_gap * 2, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    arena += arena_gap;
    map_arena();
    struct sigaction action = {.sa_handler = interrupted};
    for (int signal = 1; signal <= 64; signal++) sigaction(signal, &action, NULL);
    action.sa_handler = faulted;
    action.sa_flags = SA_NODEFER;
    for (int i = 0; i < 4; i++) sigaction((int[]){SIGSEGV, SIGBUS, SIGILL, SIGFPE}[i], &action, NULL);
    pthread_t made[threads];
    for (int i = 0; i < threads; i++) pthread_create(&made[i], NULL, fuzz_thread, (void *)(seed * 8 + (uint64_t)i + 1));
    /* Whoever sleeps is woken: a call that blocks is one of many. */
    for (;;) {
        for (int i = 0; i < threads; i++) pthread_kill(made[i], SIGUSR1);
        syscall(SYS_nanosleep, &(struct timespec){0, 5000000}, NULL);
    }
}

/* ---- the supervisor ---- */

static void read_table(void) {
    struct call *call = calls;
    while (call < calls + most_calls && scanf("%d %31s %7s", &call->number, call->name, call->kinds) == 3) {
        if (!strcmp(call->kinds, "-")) call->kinds[0] = 0;
        call++;
    }
    call_count = (int)(call - calls);
}

static void does_not_end(int signal) {
    (void)signal;
    static const char text[] = "a process does not end\n";
    write(STDOUT_FILENO, text, sizeof text - 1);
    _exit(1);
}

static int remove_one(const char *name, const struct stat *status, int kind, struct FTW *walk) {
    (void)status, (void)kind, (void)walk;
    remove(name);
    return 0;
}

/* What System V IPC keeps beyond the end of its users. */
static void remove_ipc(void) {
    struct shmid_ds segment;
    struct msqid_ds queue;
    struct semid_ds set;
    struct shm_info segments;
    struct msginfo queues;
    struct seminfo sets;
    for (int i = shmctl(0, SHM_INFO, (void *)&segments); i >= 0; i--) shmctl(shmctl(i, SHM_STAT, &segment), IPC_RMID, NULL);
    for (int i = msgctl(0, MSG_INFO, (void *)&queues); i >= 0; i--) msgctl(msgctl(i, MSG_STAT, (void *)&queue), IPC_RMID, NULL);
    for (int i = semctl(0, 0, SEM_INFO, &sets); i >= 0; i--) semctl(semctl(i, 0, SEM_STAT, &set), 0, IPC_RMID);
}

static void run_generation(uint64_t seed) {
    char folder[64];
    snprintf(folder, sizeof folder, "/fuzz-%llu", (unsigned long long)seed);
    if (mkdir(folder, 0777) != 0) printf("%s: %s\n", folder, strerror(errno)), exit(1);
    for (int i = 0; i < workers; i++) {
        if (fork() != 0) continue;
        if (chdir(folder) != 0) _exit(1);
        work(seed * workers + (uint64_t)i);
    }
    nanosleep(&(struct timespec){generation_ms / 1000, generation_ms % 1000 * 1000000}, NULL);
    alarm(end_s);
    /* Again, because whoever was being made at the first time may have been missed. */
    do kill(-1, SIGKILL);
    while (waitpid(-1, NULL, 0) > 0);
    alarm(0);
    nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
    remove_ipc();
}

static long free_kilobytes(void) {
    struct sysinfo info;
    sysinfo(&info);
    return (long)(info.freeram * info.mem_unit / 1024);
}

int main(int count, char **words) {
    if (count != 3 || getpid() != 1) return 0; /* executed by a worker */
    uint64_t seed = strtoull(words[2], NULL, 0);
    struct timespec now;
    read_table();
    shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    signal(SIGALRM, does_not_end);
    clock_gettime(CLOCK_MONOTONIC, &now);
    const time_t stop = now.tv_sec + atoi(words[1]);
    do {
        fprintf(stderr, "seed %llu, %ld KiB free\n", (unsigned long long)seed, free_kilobytes());
        run_generation(seed++);
        clock_gettime(CLOCK_MONOTONIC, &now);
    } while (now.tv_sec < stop);
    int succeeded = 0;
    for (int i = 0; i < call_count; i++) {
        succeeded += shared->succeeded[i];
        if (!shared->succeeded[i]) fprintf(stderr, "%s ", calls[i].name);
    }
    fprintf(stderr, "never succeeded; %llu calls, %ld KiB free\n", (unsigned long long)shared->made, free_kilobytes());
    printf("fuzzed: %d of %d calls succeeded at least once\n", succeeded, call_count);
    return 0;
}
