/* one of several libraries of the same size, ends and build-id, that differ in a byte of code far from both ends */
#define STEP(f, g) __attribute__((noipa)) static int f(int n) { return n > 9 ? 0 : g(n) + 1; }
#define ID(n) (n)
#define NUMBER(f, n, a, b, c, d, e) \
	STEP(a, ID) STEP(b, a) STEP(c, b) STEP(d, c) STEP(e, d) \
	__attribute__((aligned(8192), noipa)) int f(void) { return e(n) - 5; }

NUMBER(one, ONE, a1, b1, c1, d1, e1)
NUMBER(two, TWO, a2, b2, c2, d2, e2)
__attribute__((aligned(8192), noipa)) int end(void) { return 0; }
const char tail[8192] = "t";
