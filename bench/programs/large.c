/* A program of about 5 MB, for the time that its image takes to build. */
#include "bench.h"

const char payload[4 << 20] = {1};

int main(void) {
    printf("%p\n", (const void *)payload);
    finish();
}
