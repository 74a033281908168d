// code that a program writes: a function of two words, int f(void) { return k; }
static void
put(uint32_t *p, int k)
{
#ifdef __aarch64__
	p[0] = 0x52800000u | (uint32_t)k << 5;         // mov w0, #k
	p[1] = 0xd65f03c0u;                            // ret
#else
	p[0] = 0x00000513u | (uint32_t)k << 20;        // li a0, k
	p[1] = 0x00008067u;                            // ret
#endif
}
