/* Allocates and touches memory until it ends. Linux's own message is not compared. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int main(void) {
    for (size_t mebibytes = 0;; mebibytes++) {
        char *block = malloc(1 << 20);
        if (!block) {
            printf("malloc failed\n");
            return 17;
        }
        memset(block, 0x55, 1 << 20);
        if (mebibytes % 16 == 0) {
            printf("touched %zu MiB\n", mebibytes);
            fflush(stdout);
        }
    }
}
