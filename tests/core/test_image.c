/* SPDX-License-Identifier: MIT */
/* test_image.c - cache files: what is written is found again; what is broken is refused or does no harm */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <cmocka.h>
#include "base/util.h"
#include "core/image_own.h"

/* A host whose fields are 32-bit distances from their own place. */
enum { HEAD = 24, NREGION = 5, CODE = 64 };

static u32
head(u8 *at)
{
	if (at)
		memset(at, 0x11, HEAD);
	return HEAD;
}

static const u8 *
at(const u8 *field)
{
	return field + (s32)ld32(field);
}

static const u8 *referred(const u8 *code, const struct reloc *r) { return at(code + r->off); }
static void refer(u8 *code, const struct reloc *r, const u8 *to) { st32(code + r->off, (u32)(to - (code + r->off))); }

static void
tie(u8 *code, const struct link *l, const u8 *to)
{
	u8 *field = code + l->site;

	st32(field, (u32)((to ? to : code + l->stub) - field));
}

static const struct host host = {.name = "fake", .head = head, .referred = referred, .refer = refer, .link = tie};

/* Region n lies at 0x1000 * (n + 1), has a second block and a return point, links to the next one, and uses stub 1
 * and a constant that it shares with every other region. */
static u64 consts[2][2] = {{1, 2}, {3, 4}};
static struct made {
	_Alignas(16) u8 code[CODE];
	struct link link[2];
	struct entry entry[3];
	struct mapent map[2];
	struct range range[2];
	struct reloc reloc[2];
} made[NREGION];

static const struct store_key key = {.delta = 0x1000, .config = {5, 6}};
static const gaddr grain[NREGION] = {0x1000, 0x2000, 0x3000, 0x4000, 0x5000};
static const struct store_id grainsum[NREGION] = {{{1}}, {{2}}, {{3}}, {{4}}, {{5}}};
static const struct cimage_origin origin = {
	.key = {.delta = 0x1000, .config = {5, 6}}, .guest = "fake", .name = "/lib/so",
	.grain = grain, .grainsum = grainsum, .ngrain = NREGION,
};
static const struct cimage_origin nothing = {.key = {.delta = 0x1000, .config = {5, 6}}, .guest = "fake", .name = ""};

static void
make(struct source *s)
{
	for (u32 n = 0; n < NREGION; n++) {
		struct made *m = &made[n];
		gaddr pc = 0x1000 * (n + 1);

		memset(m->code, (int)(0xa0 + n), CODE);
		m->link[0] = (struct link){.site = 4, .stub = 40, .pc = 0x1000 * (n + 2)};
		m->link[1] = (struct link){.site = 8, .stub = 44, .pc = 0x99000};
		m->entry[0] = (struct entry){.pc = pc, .off = 0};
		m->entry[1] = (struct entry){.pc = pc + 8, .off = 16, .flagsin = 1};
		m->entry[2] = (struct entry){.pc = pc + 12, .off = 20, .ret = 1};
		m->map[0] = (struct mapent){.off = 8, .pcoff = 4};
		m->map[1] = (struct mapent){.off = 16, .pcoff = 8, .several = 1, .base = 5};
		m->range[0] = (struct range){pc, pc + 16};
		m->range[1] = (struct range){pc + 0x40, pc + 0x44};
		m->reloc[0] = (struct reloc){.off = 24, .kind = REL_STUB, .index = 1};
		m->reloc[1] = (struct reloc){.off = 28, .kind = REL_CONST};
		st32(m->code + 28, (u32)((u8 *)consts[n & 1] - (m->code + 28)));
		s[n] = (struct source){.pc = pc, .mode = 7, .size = CODE, .code = m->code, .link = m->link, .nlink = 2,
		    .entry = m->entry, .nentry = 3, .map = m->map, .nmap = 2, .range = m->range, .nrange = 2,
		    .reloc = m->reloc, .nreloc = 2};
	}
}

/* Region n is the order[n]th that was made. */
static const u32 order[NREGION] = {3, 1, 2, 0, 4};

static u8 *
file(u64 *size)
{
	struct source s[NREGION], src[NREGION];
	u8 *p;

	make(s);
	for (u32 n = 0; n < NREGION; n++)
		src[order[n]] = s[n];
	p = cimage_build(&host, &origin, src, NREGION, 0, size);
	assert_non_null(p);
	return p;
}

static void
check_regions(const struct cimage *i)
{
	for (u32 n = 0; n < NREGION; n++) {
		gaddr pc = 0x1000 * (n + 1);
		const struct cimage_slot *s = cimage_find(i, pc, 7);
		const u8 *code;
		s64 r;

		assert_non_null(s);
		r = cimage_at(i, cimage_entry(i, s));
		assert_int_equal(r, order[n]);
		assert_ptr_equal(cimage_entry(i, s), i->code + i->region[r].code);
		s = cimage_find(i, pc + 8, 7);
		assert_non_null(s);
		assert_ptr_equal(cimage_entry(i, s), i->code + i->region[r].code + 16);
		assert_true(s->code & 1);
		assert_null(cimage_find(i, pc + 12, 7));       /* a return point is not entered */
		assert_null(cimage_find(i, pc, 6));
		code = i->code + i->region[r].code;
		assert_int_equal(cimage_at(i, code + 10), r);
		assert_int_equal(cimage_pcat(i, (u32)r, code + 10).pc, pc + 4);
		assert_int_equal(cimage_pcat(i, (u32)r, code + 10).several, 0);
		assert_int_equal(cimage_pcat(i, (u32)r, code + 17).pc, pc + 8);
		assert_int_equal(cimage_pcat(i, (u32)r, code + 17).several, 1);
		assert_int_equal(cimage_pcat(i, (u32)r, code + 17).base, 5);
		assert_int_equal(cimage_pcat(i, (u32)r, code).pc, pc);
		assert_ptr_equal(at(code + 24), i->base + i->h->table[T_HEAD].off + 8);
		assert_memory_equal(at(code + 28), consts[n & 1], 16);
		/* the last region's link leads nowhere, as everybody's second does */
		assert_ptr_equal(at(code + 4), n + 1 < NREGION ? i->code + i->region[order[n + 1]].code : code + 40);
		assert_ptr_equal(at(code + 8), code + 44);
	}
	assert_int_equal(cimage_at(i, i->code - 1), -1);
	assert_int_equal(cimage_at(i, i->code + i->codesize), -1);
	assert_int_equal(i->ngrain, NREGION);
	assert_memory_equal(i->grain, grain, sizeof grain);
	assert_memory_equal(i->grainsum, grainsum, sizeof grainsum);
	assert_string_equal((const char *)i->h->guest, "fake");
	assert_int_equal(i->h->table[T_NAME].n, strlen(origin.name));
	assert_memory_equal(i->base + i->h->table[T_NAME].off, origin.name, strlen(origin.name));
	assert_int_equal(i->h->table[T_POOL].n, 2);
}

static void
test_what_is_built_is_found(void **state)
{
	struct cimage i;
	u64 size;
	u8 *p = file(&size);

	(void)state;
	assert_null(cimage_check(&i, p, size, &key));
	check_regions(&i);
	munmap(p, size);
}

static void
test_the_next_version_holds_the_regions_of_the_last(void **state)
{
	struct source src[NREGION];
	struct cimage i, j;
	u64 size, size2;
	u8 *p = file(&size), *q, *moved;

	(void)state;
	moved = memcpy(aligned_alloc(64, size), p, size);      /* wherever it is mapped */
	munmap(p, size);
	assert_null(cimage_check(&i, moved, size, &key));
	for (u32 n = 0; n < NREGION; n++) {
		tie(i.code + i.region[n].code, &i.link[i.region[n].link.at], i.code + 4);       /* patched while it ran */
		cimage_source(&i, n, &src[n]);
	}
	q = cimage_build(&host, &origin, src, NREGION, 0, &size2);
	free(moved);
	assert_non_null(q);
	assert_null(cimage_check(&j, q, size2, &key));
	check_regions(&j);
	munmap(q, size2);
}

/* Code that was placed on lines of the host's cache lies on them as well in the file, and in the next one. */
static void
test_lines_are_kept(void **state)
{
	static _Alignas(64) u8 room[NREGION][256];
	struct source src[NREGION];
	struct cimage i;
	u64 size;
	u8 *p = 0, *q;

	(void)state;
	make(src);
	for (u32 n = 0; n < NREGION; n++) {
		src[n].code = memcpy(room[n] + 16 * ((n + 3) % 4), made[n].code, CODE);
		src[n].line = n % 2;
		src[n].nreloc = 0;
	}
	for (int again = 0; again < 2; again++) {
		q = cimage_build(&host, &origin, src, NREGION, 0, &size);
		assert_non_null(q);
		assert_null(cimage_check(&i, q, size, &key));
		for (u32 n = 0; n < NREGION; n++) {
			cimage_source(&i, n, &src[n]);
			assert_int_equal(src[n].line, n % 2);
			assert_int_equal((uintptr_t)src[n].code & (n % 2 ? 63 : 15), n % 2 ? 16 * ((n + 3) % 4) : 0);
		}
		if (p)
			munmap(p, size);
		p = q;
	}
	munmap(p, size);
}

/* What is remembered of a file stands for these grains: their places and sums are in it. */
static void
test_other_bytes_have_another_sum(void **state)
{
	struct cimage_origin other = origin;
	struct store_id sum[NREGION], first;
	gaddr at[NREGION];
	struct source src[NREGION];
	u64 size;
	u8 *p = file(&size);

	(void)state;
	first = ((struct cimage_header *)p)->grains;
	munmap(p, size);
	for (u32 n = 0; n < 2 * NREGION; n++) {
		other.grainsum = memcpy(sum, grainsum, sizeof sum);
		other.grain = memcpy(at, grain, sizeof at);
		if (n < NREGION)
			sum[n].byte[31] ^= 1;
		else
			at[n - NREGION] += 4096;
		make(src);
		p = cimage_build(&host, &other, src, NREGION, 0, &size);
		assert_memory_not_equal(&first, &((struct cimage_header *)p)->grains, sizeof first);
		munmap(p, size);
	}
}

static void
test_an_image_of_nothing(void **state)
{
	struct cimage i;
	u64 size;
	u8 *p = cimage_build(&host, &nothing, 0, 0, 0, &size);

	(void)state;
	assert_null(cimage_check(&i, p, size, &key));
	assert_null(cimage_find(&i, 0x1000, 7));
	assert_int_equal(cimage_at(&i, i.code), -1);
	munmap(p, size);
}

static void
test_links_stay_open_if_so_asked(void **state)
{
	struct source src[NREGION];
	struct cimage i;
	u64 size;
	u8 *p;

	(void)state;
	make(src);
	p = cimage_build(&host, &origin, src, NREGION, 1, &size);
	assert_null(cimage_check(&i, p, size, &key));
	for (u32 n = 0; n < NREGION; n++)
		assert_ptr_equal(at(i.code + i.region[n].code + 4), i.code + i.region[n].code + 40);
	munmap(p, size);
}

static void
test_every_flipped_bit_and_every_length_is_refused(void **state)
{
	struct store_key other = key;
	struct cimage i;
	u64 size;
	u8 *p = file(&size);

	(void)state;
	for (u64 n = 0; n < size * 8; n++) {
		p[n / 8] ^= (u8)(1 << n % 8);
		assert_non_null(cimage_check(&i, p, size, &key));
		assert_null(i.base);
		p[n / 8] ^= (u8)(1 << n % 8);
	}
	for (u64 n = 0; n < size; n++)
		assert_non_null(cimage_check(&i, p, n, &key));
	other.delta++;
	assert_non_null(cimage_check(&i, p, size, &other));
	assert_null(cimage_check(&i, p, size, &key));
	munmap(p, size);
}

/* Everything a reader does, wherever the tables lead. */
static u64
readall(const struct cimage *i)
{
	struct source s;
	u64 sum = 0;

	for (gaddr pc = 0xff8; pc < 0x7000; pc += 4) {
		const struct cimage_slot *slot = cimage_find(i, pc, 7);

		if (slot)
			sum += *cimage_entry(i, slot);
	}
	for (u64 off = 0; off < i->codesize + 64; off += 8) {
		s64 r = cimage_at(i, i->code + off);

		if (r >= 0)
			sum += cimage_pcat(i, (u32)r, i->code + off).pc;
	}
	for (u32 n = 0; n < i->nregion && n < 1000; n++) {
		cimage_source(i, n, &s);
		for (u32 k = 0; k < s.size; k++)
			sum += s.code[k];
		for (u32 k = 0; k < s.nlink; k++)
			sum += ld32(s.code + s.link[k].site) + s.code[s.link[k].stub];
		for (u32 k = 0; k < s.nrange; k++)
			sum += s.range[k].lo;
		for (u32 k = 0; k < s.nreloc; k++)
			sum += ld32(s.code + s.reloc[k].off);
	}
	for (u32 n = 0; n < i->ngrain; n++)
		sum += i->grain[n] + i->grainsum[n].byte[0];
	return sum;
}

/* A file that was made with malice has the right sums. */
static void
test_wrong_fields_with_right_sums_are_refused_or_do_no_harm(void **state)
{
	static const u32 values[] = {0, 1, 15, 16, 255, 4096, 0x7fffffff, 0x80000000, 0xfffffff0, 0xffffffff};
	struct cimage i;
	u64 size, refused = 0, taken = 0;
	u8 *p = file(&size), *copy = aligned_alloc(64, size);  /* of malloc: a sanitizer sees its ends */
	struct cimage_header *h = (void *)copy;

	(void)state;
	for (u64 off = 0; off < size; off += 4)
		for (size_t v = 0; v < NELEM(values); v++) {
			memcpy(copy, p, size);
			st32(copy + off, values[v]);
			h->sum = cimage_sum(copy + sizeof *h, size - sizeof *h);
			h->headsum = cimage_sum(h, offsetof(struct cimage_header, headsum));
			if (cimage_check(&i, copy, size, &key)) {
				refused++;
			} else {
				taken++;
				readall(&i);
			}
		}
	assert_true(refused > 100 && taken > 100);
	munmap(p, size);
	free(copy);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_built_is_found),
		cmocka_unit_test(test_the_next_version_holds_the_regions_of_the_last),
		cmocka_unit_test(test_lines_are_kept),
		cmocka_unit_test(test_other_bytes_have_another_sum),
		cmocka_unit_test(test_an_image_of_nothing),
		cmocka_unit_test(test_links_stay_open_if_so_asked),
		cmocka_unit_test(test_every_flipped_bit_and_every_length_is_refused),
		cmocka_unit_test(test_wrong_fields_with_right_sums_are_refused_or_do_no_harm),
	};

	return cmocka_run_group_tests(tests, 0, 0);
}
