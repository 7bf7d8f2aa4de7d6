/* Prints what a program sees of itself: arguments, one environment variable, its own symbols. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <errno.h>

static __thread int thread_local_value = 42;
static int initialised;

__attribute__((constructor)) static void initialise(void) { initialised = 1; }

static void say_goodbye(void) { puts("goodbye"); }

int main(int argc, char **argv) {
    atexit(say_goodbye);
    printf("hello, %d arguments\n", argc - 1);
    for (int i = 1; i < argc; i++) printf("argument %d: [%s]\n", i, argv[i]);
    const char *greeting = getenv("GREETING");
    printf("greeting: %s\n", greeting ? greeting : "(none)");
    printf("thread-local %d, initialised %d\n", thread_local_value, initialised);
    printf("a double: %.17g\n", 1.0 / 3.0);
    char buffer[64];
    snprintf(buffer, sizeof buffer, "%s", strerror(ENOENT));
    printf("an error: %s\n", buffer);
    fprintf(stderr, "and this goes to stderr\n");
    return argc - 1;
}
