/* SPDX-License-Identifier: MIT */
/* test_image.c - from a file's name to mapped memory and an initial stack */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>
#include "base/diag.h"
#include "base/vdso.h"
#include "elfmake.h"
#include "loader/image.h"

extern const struct vdso arm64_vdso;
static const struct gspace space = {
	.end = 0x550000000000, .brk = 0x2000000000,
	.zone = {ZONE_LOW, {0x1000000000, 0x7f00000000}, {0x10000000000, 0x400000000000}},
};
static const struct guest fake = { .name = "fake", .bits = 64, .space = &space,
	.elf = { EM_AARCH64, ELFCLASS64, ELFDATA2LSB, 0, 0 }, .vdso = &arm64_vdso };
const struct guest *const guests[] = { &fake, 0 };

static char dir[64];

static char *
in(const char *name)
{
	static char path[8][256];
	static int k;
	char *p = path[k++ % 8];

	snprintf(p, sizeof path[0], "%s/%s", dir, name);
	return p;
}

static void
put(const char *name, const void *data, size_t n, int mode)
{
	int fd = open(in(name), O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, data, n), n);
	fchmod(fd, (mode_t)mode);
	close(fd);
}

static void
putelf(const char *name, u16 type, u16 machine, u64 base, const char *interp)
{
	static u8 f[0x2000];

	put(name, f, elf_make(f, sizeof f, type, machine, base, interp), 0755);
}

static int
setup(void **state)
{
	(void)state;
	strcpy(dir, "/tmp/test_image.XXXXXX");
	assert_non_null(mkdtemp(dir));
	mkdir(in("lib"), 0755);
	mkdir(in("usr"), 0755);
	assert_int_equal(symlink("/lib", in("usr/lib")), 0);
	assert_int_equal(symlink("../lib/ld-real.so", in("lib/ld.so")), 0);
	assert_int_equal(symlink("loop", in("loop")), 0);
	putelf("lib/ld-real.so", ET_DYN, EM_AARCH64, 0, 0);
	putelf("dyn", ET_DYN, EM_AARCH64, 0, "/lib/ld.so");
	putelf("exec", ET_EXEC, EM_AARCH64, 0x400000, 0);
	putelf("other", ET_EXEC, EM_SPARC, 0x400000, 0);
	putelf("needs", ET_DYN, EM_AARCH64, 0, "/lib/none.so");
	putelf("wrong", ET_DYN, EM_AARCH64, 0, "/other");
	put("script", "#! /dyn  -x y \nfoo", 18, 0755);
	put("script2", "#!/script", 9, 0755);
	put("endless", "#!/endless\n", 11, 0755);
	put("lost", "#!/nowhere/sh\n", 14, 0755);
	put("text", "hello", 5, 0755);
	put("plain", "hello", 5, 0644);
	gmem_init(&space, 4096);
	return 0;
}

static int
teardown(void **state)
{
	char cmd[128];

	(void)state;
	snprintf(cmd, sizeof cmd, "rm -rf %s", dir);
	return system(cmd);
}

static struct program prog;

static int
find(const char *name)
{
	char *argv[] = { "arg0", "arg1", 0 };
	char g[128];

	snprintf(g, sizeof g, "/%s", name);
	return image_find(&prog, in(name), g, argv, dir);
}

static void
test_links_stay_inside_the_prefix(void **state)
{
	char out[IMAGE_PATH];

	(void)state;
	assert_int_equal(image_lookup(dir, "/usr/lib/../lib/./ld.so", out), 0);
	assert_string_equal(out, in("lib/ld-real.so"));
	assert_int_equal(image_lookup(dir, "/../../lib/ld.so", out), 0);
	assert_string_equal(out, in("lib/ld-real.so"));
	assert_int_equal(image_lookup(dir, "/loop", out), -ELOOP);
	assert_int_equal(image_lookup(dir, "/dev/null", out), 0);
	assert_string_equal(out, "/dev/null");
	assert_int_equal(image_lookup(dir, "/dev/nulll", out), -ENOENT);
	assert_int_equal(image_lookup(0, "/dev/null", out), 0);
}

static void
test_programs_are_told_apart(void **state)
{
	(void)state;
	assert_int_equal(find("exec"), 0);
	assert_int_equal(prog.kind, IMAGE_GUEST);
	assert_string_equal(prog.interp, "");
	image_done(&prog);
	assert_int_equal(find("dyn"), 0);
	assert_string_equal(prog.interp_path, in("lib/ld-real.so"));
	image_done(&prog);
	assert_int_equal(find("other"), 0);
	assert_int_equal(prog.kind, IMAGE_FOREIGN);
	image_done(&prog);
	assert_int_equal(image_find(&prog, "/proc/self/exe", "me", 0, 0), 0);
	assert_int_equal(prog.kind, IMAGE_NATIVE);
	image_done(&prog);
	assert_int_equal(find("text"), 0);
	assert_int_equal(prog.kind, IMAGE_FOREIGN);
	image_done(&prog);
}

static void
test_errors_are_those_of_execve_with_a_line_for_the_user(void **state)
{
	static const struct { const char *name; int err, status; const char *text; } c[] = {
		{ "absent", -ENOENT, 127, "no such file" },
		{ "plain", -EACCES, 126, "chmod" },
		{ "lib", -EACCES, 126, "directory" },
		{ "needs", -ENOENT, 127, "point -L" },
		{ "wrong", -ELIBBAD, 126, "another machine" },
		{ "lost", -ENOENT, 127, "script interpreter /nowhere/sh" },
		{ "endless", -ELOOP, 126, "" },
	};

	(void)state;
	for (size_t i = 0; i < NELEM(c); i++) {
		assert_int_equal(find(c[i].name), c[i].err);
		assert_int_equal(prog.err.status, c[i].status);
		assert_non_null(strstr(prog.err.text, c[i].text));
		assert_int_equal(prog.fd, -1);
	}
}

static void
test_scripts_put_their_interpreter_in_front(void **state)
{
	(void)state;
	assert_int_equal(find("script"), 0);
	assert_int_equal(prog.kind, IMAGE_GUEST);
	assert_string_equal(prog.path, in("dyn"));
	assert_int_equal(prog.argc, 4);
	assert_string_equal(prog.argv[0], "/dyn");
	assert_string_equal(prog.argv[1], "-x y");
	assert_string_equal(prog.argv[2], "/script");
	assert_string_equal(prog.argv[3], "arg1");
	assert_null(prog.argv[4]);
	assert_int_equal(prog.script_arg, 2);
	image_done(&prog);
	assert_int_equal(find("script2"), 0);
	assert_int_equal(prog.argc, 5);
	assert_string_equal(prog.argv[3], "/script2");
	image_done(&prog);
}

static void
check_segments(gaddr bias, gaddr base)
{
	struct vma v;

	assert_int_equal(gmem_prot(bias + base), GM_READ | GM_EXEC);
	assert_int_equal(gmem_prot(bias + base + 0x1000), 0);
	assert_int_equal(gmem_prot(bias + base + 0x11000), GM_READ | GM_WRITE);
	assert_int_equal(gmem_prot(bias + base + 0x13000), GM_READ | GM_WRITE);
	assert_int_equal(gmem_prot(bias + base + 0x14000), 0);
	assert_int_equal(*(u8 *)g2h(bias + base + 0x11233), 0x5a);
	for (int i = 0x11234; i < 0x13500; i++)
		assert_int_equal(*(u8 *)g2h(bias + base + i), 0);
	assert_int_equal(gmem_find(bias + base, &v), 0);
	assert_non_null(v.path);
}

static void
test_mapping(void **state)
{
	static struct image img;
	struct vma v;

	(void)state;
	assert_int_equal(find("exec"), 0);
	assert_int_equal(image_load(&img, &prog), 0);
	free(img.real);
	image_done(&prog);
	assert_int_equal(img.entry, 0x400900);
	assert_int_equal(img.phdr, 0x400040);
	assert_int_equal(img.interp_base, 0);
	check_segments(0, 0x400000);
	assert_int_equal(img.code0, 0x400000);
	assert_int_equal(img.data1, 0x411234);
	gmem_find(0x400000, &v);
	assert_string_equal(v.path, "/exec");
	gmem_unmap(img.vdso, 4096);

	assert_int_equal(find("dyn"), 0);
	assert_int_equal(image_load(&img, &prog), 0);
	free(img.real);
	image_done(&prog);
	assert_true(img.bias && img.bias % 0x10000 == 0 && img.bias < 0x7fff0000);
	check_segments(img.bias, 0);
	check_segments(img.interp_base, 0);
	assert_int_equal(img.entry, img.interp_base + 0x900);
	assert_int_equal(img.prog_entry, img.bias + 0x900);
	assert_int_equal(img.property, 3);
	assert_false(img.execstack);
	gmem_unmap(img.vdso, 4096);
}

/* -- the vDSO, as a C library looks at it -- */

static u32
hashof(const char *s)
{
	u32 h = 0, g;

	for (; *s; s++) {
		h = (h << 4) + (u8)*s;
		if ((g = h & 0xf0000000))
			h ^= g >> 24;
		h &= ~g;
	}
	return h;
}

static void
test_vdso_symbols_are_found_by_name_and_version(void **state)
{
	static struct image img;
	const u8 *b;
	const Elf64_Phdr *p;
	const Elf64_Dyn *d;
	const char *str = 0;
	const Elf64_Sym *sym = 0;
	const u32 *hash = 0;
	const u16 *ver = 0;
	const Elf64_Verdef *def = 0;
	int found = 0;

	(void)state;
	assert_int_equal(find("exec"), 0);
	gmem_unmap(0x400000, 0x14000);
	assert_int_equal(image_load(&img, &prog), 0);
	free(img.real);
	image_done(&prog);
	b = g2h(img.vdso);
	assert_true(vdso_holds(img.sigreturn));
	assert_int_equal(gmem_prot(img.sigreturn), GM_READ | GM_EXEC);
	assert_int_equal(ld32(g2h(img.sigreturn)), 0xd2801168);
	p = (const Elf64_Phdr *)(b + ((const Elf64_Ehdr *)b)->e_phoff);
	assert_int_equal(p[1].p_type, PT_DYNAMIC);
	for (d = (const Elf64_Dyn *)(b + p[1].p_vaddr); d->d_tag; d++) {
		const void *at = b + d->d_un.d_ptr;

		switch (d->d_tag) {
		case DT_STRTAB: str = at; break;
		case DT_SYMTAB: sym = at; break;
		case DT_HASH: hash = at; break;
		case DT_VERSYM: ver = at; break;
		case DT_VERDEF: def = at; break;
		}
	}
	for (u32 i = hash[2]; i; i = hash[3 + i]) {
		const Elf64_Verdef *v = def;
		const Elf64_Verdaux *a;

		while (v->vd_ndx != ver[i])
			v = (const Elf64_Verdef *)((const u8 *)v + v->vd_next);
		a = (const Elf64_Verdaux *)((const u8 *)v + v->vd_aux);
		assert_string_equal(str + a->vda_name, "LINUX_2.6.39");
		assert_int_equal(v->vd_hash, hashof("LINUX_2.6.39"));
		if (!strcmp(str + sym[i].st_name, "__kernel_clock_gettime")) {
			found = 1;
			assert_int_equal(ld32(b + sym[i].st_value), 0xd7a0);
		}
	}
	assert_true(found);
	gmem_unmap(img.vdso, 4096);
}

static void
test_vdso_call_tells_the_time(void **state)
{
	gaddr a = (gaddr)gmem_map(0, 4096, 3, 0x22, -1, 0, 0);
	s64 t[2] = { 0, 0 };

	(void)state;
	assert_int_equal(vdso_call(0, VDSO_GETTIME, 0, a), 0);
	gmem_read(t, a, 16);
	assert_in_range(time(0) - t[0], 0, 1);
	assert_int_equal(vdso_call(0, VDSO_GETTIME, 12345, a), -EINVAL);
	assert_int_equal(vdso_call(0, VDSO_GETRES, 1, 0), 0);
	assert_int_equal(vdso_call(0, VDSO_GETTIMEOFDAY, a, a + 16), 0);
	assert_int_equal(vdso_call(0, VDSO_GETCPU, a, 0), 0);
	gmem_unmap(a, 4096);
}

/* -- the stack -- */

static void
test_stack_is_laid_out_as_linux_does(void **state)
{
	static struct image img;
	char *argv[] = { "prog", "", "three", 0 }, *envp[] = { "A=1", "BB=22", 0 };
	struct start s = { .argv = argv, .envp = envp, .execfn = "/bin/prog", .platform = "aarch64",
		.hwcap = { 0xabc, 2 }, .minsigstack = 4720 };
	u64 *w, seen = 0;

	(void)state;
	assert_int_equal(find("exec"), 0);
	gmem_unmap(0x400000, 0x14000);
	assert_int_equal(image_load(&img, &prog), 0);
	free(img.real);
	image_done(&prog);
	assert_int_equal(image_stack(&img, &s), 0);
	assert_int_equal(img.sp % 16, 0);
	w = g2h(img.sp);
	assert_int_equal(*w++, 3);
	for (int i = 0; i < 3; i++)
		assert_string_equal((char *)g2h(*w++), argv[i]);
	assert_int_equal(*w++, 0);
	for (int i = 0; i < 2; i++)
		assert_string_equal((char *)g2h(*w++), envp[i]);
	assert_int_equal(*w++, 0);
	for (int i = 0;; i++, w += 2) {
		assert_int_equal(w[0], img.auxv[i][0]);
		assert_int_equal(w[1], img.auxv[i][1]);
		seen |= (u64)1 << w[0];
		if (w[0] == AT_PLATFORM)
			assert_string_equal((char *)g2h(w[1]), "aarch64");
		if (w[0] == AT_EXECFN)
			assert_string_equal((char *)g2h(w[1]), "/bin/prog");
		if (w[0] == AT_HWCAP)
			assert_int_equal(w[1], 0xabc);
		if (w[0] == AT_PHDR)
			assert_int_equal(w[1], 0x400040);
		if (w[0] == AT_NULL) {
			assert_int_equal(i + 1, img.nauxv);
			break;
		}
	}
	for (int i = AT_PHDR; i <= AT_EGID; i++)
		assert_true(i == AT_NOTELF || seen >> i & 1);
	assert_true(seen >> AT_RANDOM & 1 && seen >> AT_SYSINFO_EHDR & 1 && seen >> AT_SECURE & 1);
	assert_int_equal(img.env1 - img.env0, 10);
	assert_int_equal(img.arg1 - img.arg0, 12);
	/* it grows */
	*(volatile char *)g2h(img.sp - (1 << 20)) = 1;
	assert_int_equal(gmem_prot(img.sp - (1 << 20)), GM_READ | GM_WRITE);
}

int
main(void)
{
	const struct CMUnitTest t[] = {
		cmocka_unit_test(test_links_stay_inside_the_prefix),
		cmocka_unit_test(test_programs_are_told_apart),
		cmocka_unit_test(test_errors_are_those_of_execve_with_a_line_for_the_user),
		cmocka_unit_test(test_scripts_put_their_interpreter_in_front),
		cmocka_unit_test(test_mapping),
		cmocka_unit_test(test_vdso_symbols_are_found_by_name_and_version),
		cmocka_unit_test(test_vdso_call_tells_the_time),
		cmocka_unit_test(test_stack_is_laid_out_as_linux_does),
	};
	return cmocka_run_group_tests(t, setup, teardown);
}
