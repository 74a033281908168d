/* SPDX-License-Identifier: MIT */
/* program.c - blocks as one program, and engines that run it */
#include <elf.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include "stream.h"

static u8 code[CODE];
static u32 ncode;
static struct { u32 from, to; u32 at[MAXITEM + 1]; } place[MAXBLOCK];
static int nplace;
int program_failures;

void
emit(u32 w, int len)
{
	if (ncode + 4 > CODE) {
		fprintf(stderr, "stream: too much code\n");
		exit(2);
	}
	stn(code + ncode, len, 0, w);
	ncode += (u32)len;
}

u64 here(void) { return BASE + ncode; }

static u64 stateat(const struct stream *s, int k) { return BASE + CODE + (u64)k * s->size; }

/* Puts items where they are; their distances do not depend on where that is. */
static void
layout(const struct stream *s, struct piece *b, int k)
{
	u32 *at = place[k].at, pc = ncode, w[MAXBEFORE];

	for (int i = 0; i < b->n; i++) {
		struct item *it = &b->item[i];
		at[i] = pc;
		if (it->to >= 0)
			pc += 4 * (u32)s->before(it, it->to <= i, 0, w);
		pc += it->len;
	}
	at[b->n] = pc;
	for (int i = 0; i < b->n; i++) {
		struct item it = b->item[i];
		if (it.to >= 0) {
			s64 target = (s64)BASE + at[(int)it.to];
			int n = s->before(&it, it.to <= i, target - (s64)here(), w);
			for (int j = 0; j < n; j++)
				emit(w[j], 4);
			if (!s->aim(&it, target - (s64)here())) {
				fprintf(stderr, "stream: a branch reaches too far\n");
				exit(2);
			}
		}
		emit(it.word, it.len);
	}
}

static u32
codesize(const struct stream *s, const struct piece *b)
{
	u32 w[MAXBEFORE], n = 100;

	for (int i = 0; i < b->n; i++)
		n += b->item[i].len + (b->item[i].to >= 0 ? 4 * (u32)s->before(&b->item[i], b->item[i].to <= i, 0, w) : 0);
	return n;
}

/* How many of the blocks fit into one program. */
int
program_fits(const struct stream *s, struct piece **b, int n)
{
	u32 size = 4096;
	int k = 0;

	while (k < n && k < MAXBLOCK && (size += codesize(s, b[k])) < CODE)
		k++;
	return k;
}

void program_begin(void) { ncode = 0; nplace = 0; }

static u64
build(const struct stream *s, struct piece **b, int n)
{
	program_begin();
	nplace = n;
	u64 handler = s->common(stateat(s, n));
	for (int k = 0; k < n; k++) {
		s->enter(stateat(s, k));
		place[k].from = ncode;
		layout(s, b[k], k);
		place[k].to = ncode;
		s->leave(stateat(s, k), b[k]);
	}
	s->finish(stateat(s, 0), (u64)n * s->size);
	return handler;
}

/* struct sigaction as the kernel has it, and its stack_t at 32; the stack follows. */
static void
arguments(u8 *p, u64 at, u64 handler)
{
	enum { SIGINFO_ONSTACK = 0x08000004 };

	memset(p, 0, ARGS);
	st64(p, handler);
	st64(p + 8, SIGINFO_ONSTACK);
	st64(p + 32, at + ARGS);
	st64(p + 48, STACK);
}

int
program_find(u64 pc, int *item)
{
	u32 at = (u32)(pc - BASE);
	int lo = 0, hi = nplace;

	while (lo < hi) {
		int mid = (lo + hi) / 2;
		if (place[mid].to <= at)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (lo == nplace || at < place[lo].from)
		return -1;
	*item = 0;
	while (place[lo].at[*item + 1] <= at && place[lo].at[*item + 1] < place[lo].to)
		++*item;
	return lo;
}

/* The states in their places, with their memory. */
static u8 *
states(const struct stream *s, struct piece **b, int n)
{
	u8 *p = malloc((size_t)n * s->size + ARGS);

	for (int k = 0; k < n; k++) {
		u8 *t = p + (size_t)k * s->size;
		u64 seed = stream_seed;
		memcpy(t, b[k]->state, s->size);
		stream_seed = b[k]->memseed;
		for (size_t i = 0; i < s->memsize; i += 16)
			if (b[k]->memseed)
				stream_vector(t + s->mem + i);
			else
				memset(t + s->mem + i, 0, 16);
		stream_seed = seed;
		s->place(t, stateat(s, k));
	}
	return p;
}

static void
writeelf(const struct stream *s, FILE *f, const struct image *m)
{
	Elf64_Ehdr h = {.e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB, EV_CURRENT},
		.e_type = ET_EXEC, .e_machine = s->guest->elf.machine, .e_version = EV_CURRENT, .e_entry = BASE,
		.e_phoff = sizeof h, .e_ehsize = sizeof h, .e_phentsize = sizeof(Elf64_Phdr), .e_phnum = 2,
		.e_flags = s->elfflags};
	Elf64_Phdr ph[2] = {
		{.p_type = PT_LOAD, .p_flags = PF_R | PF_X, .p_offset = 4096, .p_vaddr = BASE, .p_paddr = BASE,
			.p_filesz = CODE, .p_memsz = CODE, .p_align = 4096},
		{.p_type = PT_LOAD, .p_flags = PF_R | PF_W, .p_offset = 4096 + CODE, .p_vaddr = BASE + CODE,
			.p_paddr = BASE + CODE, .p_filesz = m->size, .p_memsz = m->room, .p_align = 4096},
	};

	if (fwrite(&h, sizeof h, 1, f) != 1 || fwrite(ph, sizeof ph, 1, f) != 1 || fseek(f, 4096, SEEK_SET)
	    || fwrite(code, CODE, 1, f) != 1 || fwrite(m->data, m->size, 1, f) != 1 || fclose(f)) {
		perror("stream");
		exit(2);
	}
}

static int
runcommand(const struct stream *s, const char *command, const struct image *m, u8 *out)
{
	char path[] = "/tmp/stream-XXXXXX", cmd[500];
	int fd = mkstemp(path), status = -1;
	size_t got = 0;
	FILE *f;

	fchmod(fd, 0700);
	writeelf(s, fdopen(fd, "w"), m);
	snprintf(cmd, sizeof cmd, "timeout 300 %s %s 2>/dev/null", command, path);
	if ((f = popen(cmd, "r"))) {
		got = fread(out, 1, m->n, f);
		status = pclose(f);
	}
	unlink(path);
	if (got == m->n && !status)
		return 1;
	fprintf(stderr, "stream: %zu bytes of %zu, wait status %#x: %s\n", got, m->n, (unsigned)status, cmd);
	return 0;
}

static int
runhere(const struct stream *s, int step, const struct image *m, u8 *out)
{
	int prot = PROT_READ | PROT_WRITE, flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE;
	u8 *p = mmap((void *)BASE, CODE + m->room, prot, flags, -1, 0);
	u64 pc;
	int ok;

	if (p != (u8 *)BASE) {
		perror("stream: mmap");
		exit(2);
	}
	memcpy(p, code, CODE);
	memcpy(p + CODE, m->data, m->size);
	ok = evaluate(s, step, BASE + ncode, &pc);
	if (!ok)
		fprintf(stderr, "stream: the evaluator stopped at %llx\n", (unsigned long long)pc);
	memcpy(out, p + CODE + m->from, m->n);
	munmap(p, CODE + m->room);
	return ok;
}

int
program_exec(const struct stream *s, const char *engine, const struct image *m, u8 *out)
{
	int step = !strcmp(engine, "step");

	return step || !strcmp(engine, "eval") ? runhere(s, step, m, out) : runcommand(s, engine, m, out);
}

void
program_run(const struct stream *s, const char *engine, struct piece **b, int n, u8 *out)
{
	size_t size = (size_t)n * s->size;
	u8 *data;
	int ok;

	u64 handler = build(s, b, n);
	data = states(s, b, n);
	arguments(data + size, stateat(s, n), handler);
	ok = program_exec(s, engine, &(struct image){data, size + ARGS, size + ARGS + STACK, 0, size}, out);
	free(data);
	if (ok)
		return;
	if (n == 1) {
		fprintf(stderr, "stream: brings down %s:\n", engine);
		piece_print(s, *b, stderr);
		program_failures++;
		memset(out, 0xa5, s->size);
		return;
	}
	program_run(s, engine, b, n / 2, out);
	program_run(s, engine, b + n / 2, n - n / 2, out + (size_t)(n / 2) * s->size);
}
