/* SPDX-License-Identifier: MIT */
/* ipc.c - System V IPC: commands that decide what their argument is */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include "base/gmem.h"
#include "base/util.h"
#include "syscall/layout.h"
#include "syscall/linux/hostnr.h"

#define ABI(cpu) ((cpu)->guest->abi)

enum { C_RMID = 0, C_SET = 1, C_STAT = 2, C_INFO = 3, C_GETALL = 13, C_SETVAL = 16, C_SETALL = 17,
       C_IPC64 = 0x100 };
enum { MSG, SEM, SHM };
enum dir { D_NUM, D_IN, D_OUT };

static const struct ctl { u8 call, cmd, dir; u8 layout; } ctls[] = {
	{ MSG, C_RMID, D_NUM, 0 }, { MSG, C_SET, D_IN, S_msqid_ds }, { MSG, C_STAT, D_OUT, S_msqid_ds },
	{ MSG, C_INFO, D_OUT, S_msginfo }, { MSG, 11, D_OUT, S_msqid_ds }, { MSG, 12, D_OUT, S_msginfo },
	{ MSG, 13, D_OUT, S_msqid_ds },
	{ SEM, C_RMID, D_NUM, 0 }, { SEM, C_SET, D_IN, S_semid_ds }, { SEM, C_STAT, D_OUT, S_semid_ds },
	{ SEM, C_INFO, D_OUT, S_seminfo }, { SEM, 11, D_NUM, 0 }, { SEM, 12, D_NUM, 0 },
	{ SEM, 14, D_NUM, 0 }, { SEM, 15, D_NUM, 0 }, { SEM, 16, D_NUM, 0 },
	{ SEM, 18, D_OUT, S_semid_ds }, { SEM, 19, D_OUT, S_seminfo }, { SEM, 20, D_OUT, S_semid_ds },
	{ SHM, C_RMID, D_NUM, 0 }, { SHM, C_SET, D_IN, S_shmid_ds }, { SHM, C_STAT, D_OUT, S_shmid_ds },
	{ SHM, C_INFO, D_OUT, S_shminfo }, { SHM, 11, D_NUM, 0 }, { SHM, 12, D_NUM, 0 },
	{ SHM, 13, D_OUT, S_shmid_ds }, { SHM, 14, D_OUT, S_shm_info }, { SHM, 15, D_OUT, S_shmid_ds },
};
_Static_assert(S_shm_info < 256, "struct ctl holds a layout in eight bits");

/* nr(id[, num], cmd, arg) with the argument the command wants */
static s64
control(struct cpu *cpu, u8 call, long nr, u64 id, u64 num, u64 cmd, u64 arg)
{
	u8 host[LAYOUT_MAX];
	u64 p = arg;
	const struct ctl *c = 0;
	s64 r;

	cmd &= ~(u64)C_IPC64;
	for (size_t i = 0; i < NELEM(ctls) && !c; i++)
		if (ctls[i].call == call && ctls[i].cmd == cmd)
			c = &ctls[i];
	if (!c)
		return -EINVAL;
	if (c->dir != D_NUM)
		p = (u64)host;
	if (c->dir == D_IN && abi_in(ABI(cpu), c->layout, host, arg))
		return -EFAULT;
	r = call == SEM ? host_call(nr, id, num, cmd, p, 0, 0) : host_call(nr, id, cmd, p, 0, 0, 0);
	if (r >= 0 && c->dir == D_OUT && abi_out(ABI(cpu), c->layout, arg, host))
		return -EFAULT;
	return r;
}

s64
sys_msgctl(struct cpu *cpu, const u64 *a)
{
	return control(cpu, MSG, __NR_msgctl, a[0], 0, (u32)a[1], a[2]);
}

s64
sys_shmctl(struct cpu *cpu, const u64 *a)
{
	return control(cpu, SHM, __NR_shmctl, a[0], 0, (u32)a[1], a[2]);
}

/* GETALL and SETALL: as many u16 as the set has semaphores. */
static s64
semctl_all(struct cpu *cpu, const u64 *a)
{
	struct { u8 bytes[LAYOUT_MAX]; } ds;
	int big = ABI(cpu)->model.big, get = (a[2] & 0xff) == C_GETALL;
	u8 b[2];
	const struct shape *s = shape_of(&abi_host, S_semid_ds);
	const struct layoutrow *row = &layouts[s->as];
	u64 n = 0;
	u16 *v;
	s64 r = host_call(__NR_semctl, a[0], 0, C_STAT, (u64)&ds, 0, 0);

	if (r < 0)
		return r;
	for (int i = 0; i < s->n; i++)         /* sem_nsems is the only unsigned long of the struct */
		if (row->m[i].type == MT_ulong)
			n = ld64(ds.bytes + s->at[i].off);
	v = xmalloc((n + 1) * sizeof *v);
	for (u64 i = 0; !get && i < n && r >= 0; i++) {
		r = gmem_read(b, a[3] + 2 * i, 2);
		v[i] = (u16)ldn(b, 2, big);
	}
	if (r >= 0)
		r = host_call(__NR_semctl, a[0], 0, get ? C_GETALL : C_SETALL, (u64)v, 0, 0);
	for (u64 i = 0; get && i < n && r >= 0; i++) {
		stn(b, 2, big, v[i]);
		if (gmem_write(a[3] + 2 * i, b, 2))
			r = -EFAULT;
	}
	free(v);
	return r;
}

s64
sys_semctl(struct cpu *cpu, const u64 *a)
{
	u32 cmd = (u32)a[2] & ~(u32)C_IPC64;

	if (cmd == C_GETALL || cmd == C_SETALL)
		return semctl_all(cpu, a);
	return control(cpu, SEM, __NR_semctl, a[0], a[1], cmd, a[3]);
}

/* -- messages -- : a long, then the bytes */
s64
sys_msgsnd(struct cpu *cpu, const u64 *a)
{
	const struct linux_abi *abi = ABI(cpu);
	u64 type, size = a[2];
	s64 *m, r;

	if (abi->model.word == 8 && !abi->model.big)
		return host_syscall(cpu, __NR_msgsnd, a[0], (u64)g2h(a[1]), size, a[3], 0, 0);
	if (size > 1 << 20)
		return -EINVAL;
	if (abi_word(abi, a[1], &type))
		return -EFAULT;
	m = xmalloc(size + sizeof *m);
	*m = sext(type, 8 * abi->model.word);
	r = gmem_read(m + 1, a[1] + abi->model.word, size);
	if (r == 0)
		r = host_syscall(cpu, __NR_msgsnd, a[0], (u64)m, size, a[3], 0, 0);
	free(m);
	return r;
}

s64
sys_msgrcv(struct cpu *cpu, const u64 *a)
{
	const struct linux_abi *abi = ABI(cpu);
	u64 size = a[2];
	u8 word[8];
	s64 *m, r;

	if (abi->model.word == 8 && !abi->model.big) {
		if (gmem_watch && size < INT_MAX)
			gmem_watch->unprotect(a[1], size + 8);
		return host_syscall(cpu, __NR_msgrcv, a[0], (u64)g2h(a[1]), size, a[3], a[4], 0);
	}
	if (size > 1 << 20)
		return -EINVAL;
	m = xmalloc(size + sizeof *m);
	r = host_syscall(cpu, __NR_msgrcv, a[0], (u64)m, size, a[3], a[4], 0);
	stn(word, abi->model.word, abi->model.big, (u64)*m);
	if (r >= 0 && (gmem_write(a[1], word, abi->model.word) ||
	               gmem_write(a[1] + abi->model.word, m + 1, (size_t)r)))
		r = -EFAULT;
	free(m);
	return r;
}
