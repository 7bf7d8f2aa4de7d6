/* Ends in the way that its argument names. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int main(int argc, char **argv) {
    const char *how = argc > 1 ? argv[1] : "";
    printf("ending by %s\n", how);
    fflush(stdout);
    if (!strcmp(how, "segv")) *(volatile int *)0 = 1;
    if (!strcmp(how, "abort")) abort();
    if (!strcmp(how, "kill")) kill(getpid(), SIGKILL);
    if (!strcmp(how, "term")) raise(SIGTERM);
    if (!strcmp(how, "fpe")) raise(SIGFPE);
    if (!strcmp(how, "illegal")) __builtin_trap();
    if (!strcmp(how, "status")) _exit(argc > 2 ? atoi(argv[2]) : 0);
    if (!strcmp(how, "wait")) pause();
    return 99;
}
