/* SPDX-License-Identifier: MIT */
/* vdso.c - makes a shared object of a guest's vDSO code
 *
 * What C libraries and Go look for: PT_LOAD and PT_DYNAMIC; DT_STRTAB, SYMTAB, HASH, VERSYM, VERDEF
 * with addresses relative to the object; every symbol with the kernel's version.  One page, data
 * first, code at VDSO_TEXT.  64-bit little-endian guests. */
#include <elf.h>
#include <errno.h>
#include <sys/mman.h>
#include "loader/loader.h"

enum { NSYM_MAX = 16, STR_MAX = 512, VDSO_SIZE = 4096 };

struct object {                        /* everything before the code */
	Elf64_Ehdr eh;
	Elf64_Phdr ph[2];
	Elf64_Dyn dyn[10];
	Elf64_Sym sym[NSYM_MAX];
	u32 hash[2 + 1 + NSYM_MAX];
	u16 versym[NSYM_MAX];
	struct { Elf64_Verdef d; Elf64_Verdaux a; } ver[2];
	char str[STR_MAX];
};
_Static_assert(sizeof(struct object) <= VDSO_TEXT, "the code starts behind the tables");

static u32
sysvhash(const char *s)
{
	u32 h = 0;

	for (; *s; s++) {
		h = (h << 4) + (u8)*s;
		h = (h ^ (h >> 24 & 0xf0)) & 0x0fffffff;
	}
	return h;
}

static u32
addstr(struct object *o, u32 *at, const char *s)
{
	u32 p = *at;

	strcpy(o->str + p, s);
	*at += (u32)strlen(s) + 1;
	return p;
}

static void
fill_version(struct object *o, int i, u32 name, const char *s)
{
	o->ver[i].d = (Elf64_Verdef){ .vd_version = VER_DEF_CURRENT,
		.vd_flags = i ? 0 : VER_FLG_BASE, .vd_ndx = (u16)(i + 1), .vd_cnt = 1,
		.vd_hash = sysvhash(s), .vd_aux = sizeof(Elf64_Verdef),
		.vd_next = i ? 0 : sizeof o->ver[0] };
	o->ver[i].a = (Elf64_Verdaux){ .vda_name = name };
}

static void
fill_symbols(struct object *o, const struct vdso *v, u32 *at)
{
	o->hash[0] = 1;                        /* one bucket: a chain of all */
	o->hash[1] = v->nsym + 1u;
	o->hash[2] = 1;
	for (int i = 0; i < v->nsym; i++) {
		o->sym[i + 1] = (Elf64_Sym){ .st_name = addstr(o, at, v->sym[i].name),
			.st_info = ELF64_ST_INFO(STB_GLOBAL, STT_FUNC), .st_shndx = 1,
			.st_value = VDSO_TEXT + 4u * v->sym[i].word,
			.st_size = 4u * v->sym[i].nwords };
		o->hash[3 + i + 1] = i + 1 < v->nsym ? (u32)i + 2 : 0;
		o->versym[i + 1] = 2;
	}
}

#define AT(member) offsetof(struct object, member)

size_t
vdso_build(const struct vdso *v, u16 machine, u8 *buf, size_t n)
{
	size_t size = VDSO_TEXT + 4u * v->ncode, names = 64;
	struct object *o = (struct object *)buf;
	u32 at = 1, soname, version;

	for (int i = 0; i < v->nsym; i++)
		names += strlen(v->sym[i].name) + 1;
	if (size > n || v->nsym + 1 > NSYM_MAX || names > STR_MAX)
		return 0;
	memset(buf, 0, n);
	soname = addstr(o, &at, v->soname);
	version = addstr(o, &at, v->version);
	o->eh = (Elf64_Ehdr){ .e_ident = { 0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT },
		.e_type = ET_DYN, .e_machine = machine, .e_version = EV_CURRENT,
		.e_phoff = AT(ph), .e_ehsize = sizeof o->eh, .e_phentsize = sizeof o->ph[0],
		.e_phnum = NELEM(o->ph), .e_shentsize = sizeof(Elf64_Shdr) };
	o->ph[0] = (Elf64_Phdr){ .p_type = PT_LOAD, .p_flags = PF_R | PF_X, .p_filesz = size,
		.p_memsz = size, .p_align = VDSO_SIZE };
	o->ph[1] = (Elf64_Phdr){ .p_type = PT_DYNAMIC, .p_flags = PF_R, .p_offset = AT(dyn),
		.p_vaddr = AT(dyn), .p_paddr = AT(dyn), .p_filesz = sizeof o->dyn,
		.p_memsz = sizeof o->dyn, .p_align = 8 };
	fill_symbols(o, v, &at);
	fill_version(o, 0, soname, v->soname);
	fill_version(o, 1, version, v->version);
	const Elf64_Dyn dyn[] = {
		{ DT_SONAME, { soname } }, { DT_STRTAB, { AT(str) } }, { DT_STRSZ, { at } },
		{ DT_SYMTAB, { AT(sym) } }, { DT_SYMENT, { sizeof o->sym[0] } },
		{ DT_HASH, { AT(hash) } }, { DT_VERSYM, { AT(versym) } },
		{ DT_VERDEF, { AT(ver) } }, { DT_VERDEFNUM, { 2 } }, { DT_NULL, { 0 } },
	};
	_Static_assert(sizeof dyn == sizeof o->dyn, "all dynamic entries fit");
	memcpy(o->dyn, dyn, sizeof dyn);
	memcpy(buf + VDSO_TEXT, v->code, 4u * v->ncode);
	return size;
}

int
vdso_map(struct image *img)
{
	const struct vdso *v = img->guest->vdso;
	gaddr top = aligndown(img->guest->space->end - gmem.pagesize, gmem.pagesize);
	s64 a;

	if (!v)
		return 0;
	a = gmem_map(top - gmem.pagesize, VDSO_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0,
		     "[vdso]");
	if (a < 0)
		return (int)a;
	if (!vdso_build(v, img->guest->elf.machine, g2h((gaddr)a), VDSO_SIZE))
		bug("the vDSO of %s is too large", img->guest->name);
	gmem_protect((gaddr)a, VDSO_SIZE, PROT_READ | PROT_EXEC);
	if (gmem_watch && gmem_watch->vdso)
		gmem_watch->vdso((gaddr)a, VDSO_SIZE);
	img->vdso = gmem.vdso0 = (gaddr)a;
	gmem.vdso1 = (gaddr)a + VDSO_SIZE;
	img->sigreturn = img->vdso + VDSO_TEXT + 4u * v->sigreturn;
	return 0;
}
