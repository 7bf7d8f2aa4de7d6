int sum(int n);
const char *text(void);
