/* SPDX-License-Identifier: MIT */
/* gen.c - random loops: gen SEED COUNT prints a C program of so many, which run.h runs on random data
 *
 * Loops are what much time is spent in, so many passes take them for something that is done at once (src/ir: loop.c,
 * seek.c, copy.c, tuple.c, wide.c).  These are of the shapes such passes look for, over data of all types, with
 * expressions of which some do not fit: arithmetic wraps (-fwrapv), pointers may overlap (-fno-strict-aliasing). */
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PICK(...) pick((const char *const[]){__VA_ARGS__, 0})

static const struct type { const char *name; int bits; } types[] = {
	{"uint8_t", 8}, {"int8_t", 8}, {"uint16_t", 16}, {"int16_t", 16}, {"uint32_t", 32}, {"int32_t", 32},
	{"uint64_t", 64}, {"int64_t", 64}, {"float", 32}, {"double", 64},
};
enum { INTEGERS = 8, FLOAT = 8, DOUBLE = 9 };

static uint64_t state;
static const struct type *d, *x, *y, *k, *s;   /* of the loop: z, x and y point to such, the others are */
static int two;                                /* it reads y, too */
static int row, lane;                          /* a turn does so many neighbours, if not 0; of these */

static uint64_t
rnd(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state * 0x2545f4914f6cdd1d >> 16;
}

static int below(int n) { return (int)(rnd() % (uint64_t)n); }
static int once(int in) { return !below(in); }
static const struct type *integer(void) { return &types[below(INTEGERS)]; }
static int isfloat(const struct type *t) { return t >= &types[FLOAT]; }

static const char *
pick(const char *const *of)
{
	int n = 0;

	while (of[n])
		n++;
	return of[below(n)];
}

static void
constant(void)
{
	static const int often[] = {9, 10, 13, 32, 48, 57, 65, 90, 97, 122, 127, 128, 223, 253, 254, 255, 256};

	switch (below(6)) {
	case 0: case 1: printf("%d", below(20)); break;
	case 2: printf("%d", often[below(sizeof often / sizeof *often)]); break;
	case 3: printf("(-%d)", 1 + below(130)); break;
	case 4: printf("0x%llx", ((unsigned long long)1 << below(63)) - (unsigned long long)below(2)); break;
	default: printf("0x%llx", (unsigned long long)(rnd() >> (16 + below(31)))); break;
	}
}

static void
leaf(void)
{
	int which = below(two ? 8 : 5);

	if (which == 4)
		printf("k");
	else if (row)
		printf("%c[i * %d + %d]", which < 4 ? 'x' : 'y', row, once(8) ? 0 : lane);
	else
		printf("%c[i]", which < 4 ? 'x' : 'y');
}

/* Prints a format in which %e is an expression, %c a condition, %t the name of an integer type, %s a string, %d a number;
 * deeper ones are simpler. */
static void expression(int depth);
static void condition(int depth);

static void
put(int depth, const char *form, ...)
{
	va_list ap;

	va_start(ap, form);
	for (; *form; form++) {
		if (*form != '%') {
			putchar(*form);
			continue;
		}
		switch (*++form) {
		case 'e': expression(depth); break;
		case 'c': condition(depth); break;
		case 't': printf("%s", integer()->name); break;
		case 's': printf("%s", va_arg(ap, const char *)); break;
		case 'd': printf("%d", va_arg(ap, int)); break;
		default: putchar(*form);
		}
	}
	va_end(ap);
}

/* -- of floats -- */

static void
floats(int depth)
{
	if (depth <= 0 || once(10)) {
		once(7) ? put(0, "%s", PICK("0.5", "2", "(-3.25)", "1e10", "0.0")) : leaf();
		return;
	}
	switch (below(12)) {
	case 0: put(depth - 1, "(- %e)"); break;
	case 1: put(depth - 1, "__builtin_fabs(%e)"); break;
	case 2: put(depth - 1, "__builtin_sqrt(%e)"); break;
	case 3: put(depth - 1, "(%c ? %e : %e)"); break;
	case 4: put(depth - 1, "(float)(%e)"); break;
	case 5: put(depth - 1, "__builtin_%s(%e, %e)", PICK("fmin", "fmax")); break;
	default: put(depth - 1, "(%e %s %e)", PICK("+", "-", "*", "/", "+", "*")); break;
	}
}

/* -- of integers -- */

static void
shifted(int depth)
{
	const struct type *t = integer();

	put(depth, "(%s)((%s)(%e) %s %d)", t->name, t->name, PICK("<<", ">>"), below(t->bits));
}

static void
rotated(int depth)
{
	const struct type *t = &types[below(INTEGERS) & ~1];
	int by = 1 + below(t->bits - 1);

	put(depth, "({ %s r_ = (%s)(%e); (%s)(r_ << %d | r_ >> %d); })", t->name, t->name, t->name, by, t->bits - by);
}

static void
expression(int depth)
{
	if (isfloat(x)) {
		floats(depth);
		return;
	}
	if (depth <= 0 || once(7)) {
		once(5) ? constant() : leaf();
		return;
	}
	switch (below(20)) {
	case 0: case 1: shifted(depth - 1); break;
	case 2: rotated(depth - 1); break;
	case 3: case 4: case 5: put(depth - 1, "(%t)(%e)"); break;
	case 6: case 7: put(depth - 1, "%c"); break;
	case 8: case 9: put(depth - 1, "(%c ? %e : %e)"); break;
	case 10: put(depth - 1, "(%s%e)", PICK("~", "- ")); break;
	case 11: put(depth - 1, "({ __auto_type a_ = (%s)(%e); __typeof__(a_) b_ = %e; a_ %s b_ ? a_ : b_; })",
	    integer()->name, PICK("<", ">")); break;
	default: put(depth - 1, "(%e %s %e)", PICK("+", "-", "&", "|", "^", "*", "+", "-")); break;
	}
}

/* Compared with a number, as a rule. */
static void
comparison(int depth)
{
	put(depth, "(");
	if (!isfloat(x) && once(4))
		put(depth, "(%e & %s)", PICK("1", "2", "4", "8", "15", "16", "127", "128", "223", "253", "254", "0x7ffe"));
	else if (!isfloat(x) && once(3))
		put(depth, "(%t)(%e)");
	else
		expression(depth);
	put(depth, " %s ", PICK("==", "!=", "==", "!=", "<", ">", "<=", ">="));
	if (isfloat(x) || once(3))
		expression(depth);
	else
		constant();
	put(depth, ")");
}

static void
condition(int depth)
{
	if (isfloat(x) || depth <= 0 || !once(3))
		comparison(depth - 1);
	else if (once(5))
		put(depth - 1, "(!%c)");
	else
		put(depth - 1, "(%c %s %c)", PICK("&", "|", "&&", "||", "^"));
}

/* -- loops -- */

static const char *join(void) { return isfloat(x) ? PICK("+=", "-=", "*=") : PICK("+=", "-=", "^=", "|=", "&=", "+="); }
static void map(int n) { put(n, "for (long i = 0; i < n; i++) z[i] = %e;"); }
static void down(int n) { put(n, "for (long i = n - 1; i >= 0; i--) z[i] = %e;"); }
static void sum(int n) { put(n, "for (long i = 0; i < n; i++) s %s %e;", join()); }
static void search(int n) { put(n, "long i = 0; for (; i < n; i++) if (%c) break; s = i;"); }
static void some(int n) { put(n, "for (long i = 0; i < n; i++) if (%c) s %s %e;", join()); }
static void count(int n) { put(n, "for (long i = 0; i < n; i++) if (%c) s++;"); }

static void
both(int n)
{
	put(n, "for (long i = 0; i < n; i++) { z[i] = %e; s %s %e; ", join());
	put(1, PICK("}", "if (%c) k++; }", "k = x[i]; }", "k += 3; }"));
}

static void
walk(int n)
{
	put(n, "long i = 0; for (; i < n && %c; i++) ");
	put(1, PICK("; s = i;", "s += %e; s = s * 31 + i;", "s++; s += i;"));
}

static void
strides(int n)
{
	put(n, "for (long i = 0; i < n; i += %d) ", 2 + below(3));
	put(n, PICK("s += %e;", "z[i] = %e;"));
}

static void
differs(int n)
{
	(void)n;
	put(0, "long i = 0; for (; i < n; i++) if (x[i] != y[i]) break; s = i < n ? i * 256 + (x[i] < y[i]) : n;");
}

/* A turn does the same with each of its neighbours, in some order. */
static void
rows(int n)
{
	uint64_t same = rnd() | 1, after = rnd() | 1;
	int order[8], mixed = once(4);

	row = 2 + below(7);
	put(0, "for (long i = 0; i < n / %d; i++) { ", row);
	for (int j = 0; j < row; j++) {
		int at = mixed ? below(j + 1) : j;

		order[j] = order[at];
		order[at] = j;
	}
	for (int j = 0; j < row; j++) {
		state = same;
		lane = order[j];
		printf("z[i * %d + %d] = ", row, lane);
		put(isfloat(x) ? n : below(2), "%e; ");
	}
	put(0, "}");
	row = 0;
	state = after;
}

/* Words that are put together of bytes, in either order, or taken apart. */
static void
bytes(int n)
{
	int size = 2 << below(3), up = below(2);

	(void)n;
	printf("for (long i = 0; i < n / %d; i++) { uint%d_t w = 0", size, 8 * size);
	for (int j = 0; j < size; j++)
		printf(" | (uint%d_t)((const uint8_t *)xp)[i * %d + %d] << %d", 8 * size, size, j, 8 * (up ? j : size - 1 - j));
	printf("; s += w; ");
	for (int j = 0; two && j < size; j++)
		printf("((uint8_t *)zp)[i * %d + %d] = (uint8_t)(w >> %d); ", size, j, 8 * (up ? size - 1 - j : j));
	printf("}");
}

/* Words are looked through for a byte that is 0. */
static void
zeros(int n)
{
	(void)n;
	printf("const uint64_t *q = (const void *)((uintptr_t)xp & -8ul); long i = 0; uint64_t w; do w = q[i++]; while (i < n && "
	    "!((w - 0x0101010101010101) & ~w & 0x8080808080808080)); s = i * 8 + w %% 8;");
}

static void (*const shapes[])(int) = {
	map, map, down, sum, sum, search, search, search, some, count, both, both, walk, walk, strides, differs, rows, rows,
	bytes, zeros,
};

static void
choose(void)
{
	int fp = once(4);

	x = fp ? &types[FLOAT + below(2)] : integer();
	y = once(3) ? fp ? &types[below(DOUBLE + 1)] : integer() : x;
	d = once(2) ? x : fp && once(2) ? &types[FLOAT + below(2)] : integer();
	k = fp ? x : integer();
	s = fp && once(2) ? &types[DOUBLE] : integer();
	two = below(2);
}

static void
loop(int n)
{
	choose();
	printf("static uint64_t\nf%d(void *zp, const void *xp, const void *yp, long n, uint64_t kk)\n{\n\t%s *z = zp, s = (%s)(kk >> 8);\n"
	    "\tconst %s *x = xp;\n\tconst %s *y = yp;\n\t%s k = (%s)kk;\n\n\t(void)z, (void)x, (void)y, (void)k;\n\t",
	    n, d->name, d->name, x->name, y->name, k->name, k->name);
	shapes[below(sizeof shapes / sizeof *shapes)](1 + below(3));
	printf("\n\treturn bits_of(s);\n}\n\n");
}

int
main(int argc, char **argv)
{
	int count = argc > 2 ? atoi(argv[2]) : 0;
	static char kinds[1 << 16];
	char *at = kinds;

	if (count <= 0 || count > 1000) {
		fprintf(stderr, "usage: gen SEED COUNT\n");
		return 2;
	}
	state = strtoull(argv[1], 0, 0) * 0x9e3779b97f4a7c15 | 1;
	for (int n = 0; n < 8; n++)
		rnd();
	printf("/* gen %s %d */\n#include \"run.h\"\n\n", argv[1], count);
	for (int n = 0; n < count; n++) {
		loop(n);
		at += sprintf(at, "\t{f%d, %d, %d, %d},\n", n, d->bits / 8, x->bits / 8, y->bits / 8);
	}
	printf("static const struct loop loops[] = {\n%s};\n\nint\nmain(void)\n{\n\treturn run(loops, %d);\n}\n", kinds, count);
	return 0;
}
