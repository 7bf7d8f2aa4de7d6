/* The smallest useful program: says hello and ends. */
#include "bench.h"

int main(void) {
    puts("hello");
    finish();
}
