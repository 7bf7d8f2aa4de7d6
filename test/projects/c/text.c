#include "parts.h"
const char *text(void) { return "built here:"; }
