// exit: 139
// A guest that dies of a signal: the shell sees 128 + SIGSEGV.
int main(void) { *(volatile int *)16 = 1; return 0; }
