/* Sleeps; the harness measures what the idle machine costs the host meanwhile. */
#include "bench.h"

int main(void) {
    puts("sleeping");
    fflush(stdout);
    sleep(20);
    finish();
}
