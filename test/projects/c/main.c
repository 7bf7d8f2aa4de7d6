#include <stdio.h>
#include "parts.h"
int main(void) { printf("%s %d\n", text(), sum(100)); return 7; }
