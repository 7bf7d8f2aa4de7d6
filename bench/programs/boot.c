/*
 * Time from the start of the virtual machine to the program's first instruction. The guest's TSC
 * starts at 0 with the machine; its rate is found by comparison with the clock.
 */
#include "bench.h"

int main(void) {
    const uint64_t first = read_tsc();
    const uint64_t start_ns = now_ns(), start_tsc = read_tsc();
    while (now_ns() - start_ns < 100000000u) {}
    const double per_ns = (double)(read_tsc() - start_tsc) / (double)(now_ns() - start_ns);
    result("boot", (double)first / per_ns / 1e6);
    result("tsc-khz", per_ns * 1e6);
    finish();
}
