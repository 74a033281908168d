/* SPDX-License-Identifier: MIT */
/* test_elf.c - good headers are read, damaged ones refused, none does harm */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>
#include "base/guest.h"
#include "elfmake.h"
#include "loader/elf.h"

static const struct guest fake = { .name = "fake", .elf = { EM_AARCH64, ELFCLASS64, ELFDATA2LSB, 0, 0 } };
const struct guest *const guests[] = { &fake, 0 };

static u8 file[0x2000];
static size_t size;

static int
parse(struct elf *e, const char **why)
{
	struct elfsrc s = { -1, size, file, size };

	return elf_read(e, &s, 4096, why);
}

static void
refuse(const char *what)
{
	struct elf e;
	const char *why = 0;

	assert_int_equal(parse(&e, &why), -ENOEXEC);
	assert_non_null(why);
	assert_non_null(strstr(why, what));
	assert_null(e.seg);
}

static Elf64_Ehdr *
fresh(void)
{
	size = elf_make(file, sizeof file, ET_EXEC, EM_AARCH64, 0x400000, "/lib/ld.so");
	return (Elf64_Ehdr *)file;
}

static void
test_a_good_file(void **state)
{
	struct elf e;
	const char *why;

	(void)state;
	fresh();
	assert_int_equal(parse(&e, &why), 0);
	assert_int_equal(e.entry, 0x400900);
	assert_int_equal(e.low, 0x400000);
	assert_int_equal(e.high, 0x413500);
	assert_int_equal(e.phdr, 0x400040);
	assert_int_equal(e.maxalign, 0x10000);
	assert_string_equal(e.interp, "/lib/ld.so");
	assert_int_equal(e.stack, PF_R | PF_W);
	assert_int_equal(e.property, 3);
	assert_ptr_equal(elf_guest(&e), &fake);
	assert_false(elf_ishost(&e));
	elf_free(&e);
}

static void
test_big_endian_and_32_bit(void **state)
{
	u8 h[52 + 32] = { 0x7f, 'E', 'L', 'F', ELFCLASS32, ELFDATA2MSB, EV_CURRENT };
	struct elfsrc s = { -1, sizeof h, h, sizeof h };
	struct elf e;
	const char *why;

	(void)state;
	stn(h + 16, 2, 1, ET_EXEC), stn(h + 18, 2, 1, EM_PPC), stn(h + 20, 4, 1, 1);
	stn(h + 24, 4, 1, 0x10000), stn(h + 28, 4, 1, 52), stn(h + 42, 2, 1, 32), stn(h + 44, 2, 1, 1);
	stn(h + 52, 4, 1, PT_LOAD), stn(h + 60, 4, 1, 0x10000), stn(h + 68, 4, 1, 84);
	stn(h + 72, 4, 1, 84), stn(h + 76, 4, 1, 5);
	assert_int_equal(elf_read(&e, &s, 4096, &why), 0);
	assert_int_equal(e.machine, EM_PPC);
	assert_int_equal(e.low, 0x10000);
	assert_int_equal(e.high, 0x10054);
	assert_null(elf_guest(&e));
	elf_free(&e);
}

static void
test_damaged_files_are_refused(void **state)
{
	Elf64_Ehdr *h = fresh();
	Elf64_Phdr *p = (Elf64_Phdr *)(file + 64);

	(void)state;
	h->e_ident[EI_CLASS] = 9, refuse("header");
	fresh(), h->e_version = 7, refuse("header");
	fresh(), h->e_type = ET_REL, refuse("object file");
	fresh(), h->e_phentsize = 57, refuse("size");
	fresh(), h->e_phnum = 0, refuse("size");
	fresh(), h->e_phnum = 0xffff, refuse("size");
	fresh(), h->e_phoff = ~(u64)0 - 3, refuse("beyond");
	fresh(), p[0].p_filesz = 0, refuse("interpreter");
	fresh(), file[0x700 + 10] = 'x', refuse("interpreter");
	fresh(), p[1].p_filesz = 0x1001, refuse("larger");
	fresh(), p[2].p_memsz = p[2].p_filesz = 0x1000, refuse("complete");
	fresh(), p[2].p_vaddr = ~(u64)0 - 0xfff, refuse("address space");
	fresh(), p[2].p_memsz = ~(u64)0, refuse("address space");
	fresh(), p[2].p_align = 3, refuse("power");
	fresh(), p[2].p_vaddr += 8, refuse("modulo");
	fresh(), p[2].p_vaddr = 0x400000, refuse("order");
	fresh(), p[1].p_type = p[2].p_type = PT_NOTE, refuse("no segment");
	fresh(), size = 40, refuse("header");
	size = 0, refuse("header");
}

/* Every accepted file must satisfy what the mapper relies on. */
static void
check_promises(const struct elf *e)
{
	u64 end = 0;

	for (int i = 0; i < e->nseg; i++) {
		const struct elfseg *s = &e->seg[i];

		if (s->type != PT_LOAD || !s->memsz)
			continue;
		assert_true(s->off + s->filesz <= size && s->off <= size);
		assert_true(s->filesz <= s->memsz);
		assert_true(s->vaddr >= end && s->vaddr + s->memsz <= (u64)1 << 47);
		end = s->vaddr + s->memsz;
	}
	assert_true(e->high == end && e->low < end);
	assert_non_null(memchr(e->interp, 0, sizeof e->interp));
}

static u64 rng;

static u32
rnd(u32 n)
{
	rng = rng * 6364136223846793005u + 1442695040888963407u;
	return (u32)(rng >> 33) % n;
}

static void
mutate(u8 *file, u32 head)
{
	static const u64 nasty[] = { 0, 1, 0x7f, 0xff, 0x1000, 0xfff, 0x7fffffff, 0xffffffff, (u64)1 << 47,
		0x7fffffffffffffff, 0x8000000000000000, ~(u64)0, ~(u64)0xfff };
	u32 at = rnd(0x900 / 4) * 4;

	if (rnd(4))
		at = rnd(head / 2) * 2;
	switch (rnd(4)) {
	case 0: file[at] ^= (u8)(1 << rnd(8)); break;
	case 1: st16(file + at, (u16)nasty[rnd(NELEM(nasty))]); break;
	case 2: st64(file + (at & ~7u), nasty[rnd(NELEM(nasty))] + rnd(3) - 1); break;
	case 3: if (!rnd(8)) size = rnd((u32)size + 1); break;
	}
}

static void
test_mutated_headers_do_no_harm(void **state)
{
	int n = getenv("MUTATIONS") ? atoi(getenv("MUTATIONS")) : 5000, good = 0;

	(void)state;
	rng = getenv("SEED") ? strtoull(getenv("SEED"), 0, 0) : (u64)time(0);
	printf("SEED=%llu MUTATIONS=%d\n", (unsigned long long)rng, n);
	for (int i = 0; i < n; i++) {
		struct elf e;
		const char *why = 0;
		int r;

		fresh();
		for (u32 k = 1 + rnd(4); k; k--)
			mutate(file, 64 + 5 * 56);
		r = parse(&e, &why);
		assert_true(r == 0 || r == -ENOEXEC);
		if (!r) {
			good++;
			check_promises(&e);
			elf_free(&e);
		} else {
			assert_non_null(why);
		}
	}
	/* the mutations reach behind the first check */
	assert_in_range(good, n / 50, n - n / 10);
}

/* The same with a program a link editor made, this one, part of it behind a descriptor. */
static void
test_mutated_headers_of_a_real_file_do_no_harm(void **state)
{
	int n = getenv("MUTATIONS") ? atoi(getenv("MUTATIONS")) : 5000, good = 0;
	static u8 whole[4096], head[4096];
	struct elfsrc s = { open("/proc/self/exe", O_RDONLY), 0, head, sizeof head };
	u64 full = (u64)lseek(s.fd, 0, SEEK_END);

	(void)state;
	assert_int_equal(pread(s.fd, whole, sizeof whole, 0), sizeof whole);
	rng = getenv("SEED") ? strtoull(getenv("SEED"), 0, 0) : (u64)time(0);
	for (int i = 0; i < n; i++) {
		struct elf e;
		const char *why = 0;

		memcpy(head, whole, sizeof head);
		size = full;
		for (u32 k = 1 + rnd(4); k; k--)
			mutate(head, 64 + 13 * 56);
		s.size = size;
		s.n = size < sizeof head ? size : sizeof head;
		if (elf_read(&e, &s, 4096, &why)) {
			assert_non_null(why);
			continue;
		}
		good++;
		check_promises(&e);
		elf_free(&e);
	}
	close(s.fd);
	assert_in_range(good, n / 50, n - n / 10);
}

int
main(void)
{
	const struct CMUnitTest t[] = {
		cmocka_unit_test(test_a_good_file),
		cmocka_unit_test(test_big_endian_and_32_bit),
		cmocka_unit_test(test_damaged_files_are_refused),
		cmocka_unit_test(test_mutated_headers_do_no_harm),
		cmocka_unit_test(test_mutated_headers_of_a_real_file_do_no_harm),
	};
	return cmocka_run_group_tests(t, 0, 0);
}
