// guest: riscv64
// flags: -march=rv64gcv
/* SPDX-License-Identifier: MIT */
/* rv_vloops.c - vector loops of all lengths, and vector code that finds vl and vtype as its caller left them: what is
 * translated for one vl must be right for all (src/frontend/riscv/vtranslate.c).  The output is QEMU 11's. */
#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum { SIZE = 1024, MOST = 70 };
static uint8_t a[SIZE], b[SIZE], c[SIZE], out[SIZE + 64];
static uint64_t seed = 88172645463325252;

static uint64_t
rnd(void)
{
	seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;
	return seed;
}

static void
fill(void)
{
	for (int i = 0; i < SIZE; i++)
		a[i] = (uint8_t)rnd(), b[i] = (uint8_t)rnd(), c[i] = (uint8_t)rnd();
	memset(out, 0x5a, sizeof out);
}

static uint64_t
sum(const void *p, int n)
{
	const uint8_t *q = p;
	uint64_t h = 14695981039346656037u;

	for (int i = 0; i < n; i++)
		h = (h ^ q[i]) * 1099511628211;
	return h;
}

/* A strip-mined loop over n elements; the body has operands in v8 and v16 (and v0 as a mask), its result in v24. */
#define LOOP(name, type, bytes, outbytes, body) \
static __attribute__((noinline)) void name(long n, long x) \
{ \
	uint8_t *p = a, *q = b, *r = out; \
	__asm__ volatile("vsetvli t0, zero, e8, m8, ta, ma\n\tvle8.v v0, (%4)\n\tli t1, 37\n\t" \
	    "vmv.v.i v24, 3\n1: vsetvli t0, %0, " type ", ta, mu\n\tvle" #bytes ".v v8, (%1)\n\tvle" #bytes ".v v16, (%2)\n\t" \
	    body "\n\tvse" #outbytes ".v v24, (%3)\n\tsub %0, %0, t0\n\tslli t2, t0, " SHIFT##bytes "\n\tadd %1, %1, t2\n\t" \
	    "add %2, %2, t2\n\tslli t2, t0, " SHIFT##outbytes "\n\tadd %3, %3, t2\n\tbnez %0, 1b" \
	    : "+r"(n), "+r"(p), "+r"(q), "+r"(r) : "r"(c), "r"(x) : "t0", "t1", "t2", "memory"); \
}
#define SHIFT8 "0"
#define SHIFT16 "1"
#define SHIFT32 "2"
#define SHIFT64 "3"

LOOP(add8m1, "e8, m1", 8, 8, "vadd.vv v24, v8, v16")
LOOP(add16m2, "e16, m2", 16, 16, "vadd.vx v24, v8, %5")
LOOP(sub32m4, "e32, m4", 32, 32, "vsub.vv v24, v8, v16\n\tvrsub.vi v24, v24, 5")
LOOP(xor64m8, "e64, m8", 64, 64, "vxor.vv v24, v8, v16\n\tvand.vi v24, v24, -3")
LOOP(mul32f2, "e32, mf2", 32, 32, "vmul.vv v24, v8, v16\n\tvor.vx v24, v24, %5")
LOOP(shift8, "e8, m2", 8, 8, "vsll.vv v24, v8, v16\n\tvsrl.vi v8, v8, 3\n\tvadd.vv v24, v24, v8")
LOOP(shift32, "e32, m1", 32, 32, "vsra.vx v24, v8, %5\n\tvsll.vi v8, v16, 7\n\tvxor.vv v24, v24, v8\n\tvsrl.vv v8, v8, v16\n\tvadd.vv v24, v24, v8")
LOOP(shift64, "e64, m2", 64, 64, "vsra.vi v24, v8, 9\n\tvsrl.vx v8, v16, %5\n\tvxor.vv v24, v24, v8")
LOOP(minmax16, "e16, m1", 16, 16, "vmin.vv v24, v8, v16\n\tvmaxu.vx v24, v24, %5")
LOOP(masked8, "e8, m8", 8, 8, "vadd.vv v24, v8, v16, v0.t")
LOOP(masked16, "e16, m4", 16, 16, "vmul.vv v24, v8, v16, v0.t")
LOOP(masked32, "e32, m8", 32, 32, "vsll.vi v24, v8, 3, v0.t\n\tvxor.vx v24, v24, %5, v0.t")
LOOP(masked64, "e64, m4", 64, 64, "vmacc.vv v24, v8, v16, v0.t")
LOOP(merge8, "e8, m4", 8, 8, "vmerge.vvm v24, v8, v16, v0")
LOOP(merge32, "e32, m2", 32, 32, "vmerge.vxm v24, v8, %5, v0\n\tvmerge.vim v24, v24, -2, v0")
LOOP(macc16, "e16, m2", 16, 16, "vmv.v.v v24, v8\n\tvmacc.vx v24, %5, v16\n\tvnmsac.vv v24, v8, v16\n\tvmadd.vv v24, v8, v16\n\tvnmsub.vx v24, %5, v16")
LOOP(index8, "e8, m8", 8, 8, "vid.v v24\n\tvadd.vv v24, v24, v8")
LOOP(index64, "e64, m8", 64, 64, "vid.v v24\n\tvadd.vv v24, v24, v8")
LOOP(splat, "e32, m4", 32, 32, "vmv.v.x v24, %5\n\tvadd.vv v24, v24, v8\n\tvmv.s.x v24, t1")
LOOP(moves, "e16, m2", 16, 16, "vmv2r.v v24, v8\n\tvmv.x.s t2, v16\n\tvadd.vx v24, v24, t2")
LOOP(narrow8, "e8, m2", 16, 8, "vnsrl.wi v24, v8, 4")
LOOP(narrow32, "e32, m4", 64, 32, "vnsrl.wi v24, v8, 0")
LOOP(extend16, "e16, m4", 8, 16, "vzext.vf2 v24, v8\n\tvsext.vf2 v4, v16\n\tvsub.vv v24, v24, v4")
LOOP(extend64, "e64, m2", 32, 64, "vsext.vf2 v24, v8")
LOOP(slides, "e32, m1", 32, 32, "vslidedown.vi v24, v8, 2\n\tvslideup.vi v24, v16, 1")
LOOP(slides8, "e8, m2", 8, 8, "vslidedown.vi v24, v8, 5\n\tvslide1up.vx v4, v24, %5\n\tvadd.vv v24, v4, v16")
LOOP(gather, "e8, m1", 8, 8, "vand.vi v16, v16, 15\n\tvrgather.vv v24, v8, v16")
LOOP(slides32m2, "e32, m2", 32, 32, "vmv.v.v v24, v16\n\tvslidedown.vi v4, v8, 2\n\tvslideup.vi v24, v4, 4\n\tvslidedown.vi v4, v8, 7\n\tvadd.vv v24, v24, v4")
LOOP(slides8m4, "e8, m4", 8, 8, "vslidedown.vi v4, v8, 19\n\tvslideup.vi v24, v8, 21\n\tvslidedown.vi v24, v4, 16, v0.t")
LOOP(slides64m4, "e64, m4", 64, 64, "vslidedown.vi v24, v8, 31\n\tvslideup.vi v24, v8, 3, v0.t\n\tvslidedown.vi v8, v8, 0\n\tvadd.vv v24, v24, v8")
LOOP(slide1s8, "e8, m1", 8, 8, "vslide1up.vx v24, v8, %5\n\tvslide1down.vx v8, v16, %5\n\tvadd.vv v24, v24, v8")
LOOP(slide1s16, "e16, m4", 16, 16, "vslide1down.vx v24, v8, %5, v0.t\n\tvslide1up.vx v4, v24, t1\n\tvadd.vv v24, v24, v4")
LOOP(slide1s32, "e32, m2", 32, 32, "vslide1up.vx v24, v8, %5, v0.t\n\tvslide1down.vx v24, v24, t1")
LOOP(slide1sf, "e64, m2", 64, 64, "fmv.d.x ft0, %5\n\tvfslide1up.vf v24, v8, ft0\n\tvfslide1down.vf v16, v16, ft0\n\tvxor.vv v24, v24, v16")
LOOP(gather8m2, "e8, m2", 8, 8, "vand.vi v16, v16, 15\n\tvsll.vi v16, v16, 2\n\tvrgather.vv v24, v8, v16")
LOOP(gather16, "e16, m1", 16, 16, "vand.vi v16, v16, 15\n\tvrgather.vv v24, v8, v16\n\tvrgather.vi v4, v24, 3\n\tvadd.vv v24, v24, v4")
LOOP(gather32, "e32, m2", 32, 32, "vand.vi v16, v16, 11\n\tvrgather.vv v24, v8, v16\n\tvrgather.vi v4, v8, 6, v0.t\n\tvadd.vv v24, v24, v4")
LOOP(gather64, "e64, m2", 64, 64, "vand.vi v16, v16, 5\n\tvrgather.vv v24, v8, v16, v0.t\n\tvrgather.vi v4, v8, 31\n\tvadd.vv v24, v24, v4")
LOOP(gatherx, "e16, m2", 16, 16, "andi t2, %5, 15\n\tvrgather.vx v24, v8, t2\n\tvrgather.vx v4, v16, %5\n\tvadd.vv v24, v24, v4")
LOOP(gatherx8, "e8, m1", 8, 8, "andi t2, %5, 31\n\tvrgather.vx v24, v8, t2\n\tslli t2, t2, 8\n\tvrgather.vx v4, v16, t2\n\tvadd.vv v24, v24, v4")
LOOP(strided8, "e8, m1", 8, 8, "li t2, 3\n\tvlse8.v v24, (%4), t2\n\tli t2, -1\n\taddi t1, %3, 512\n\tvsse8.v v16, (t1), t2\n\tvadd.vv v24, v24, v8")
LOOP(strided32, "e32, m1", 32, 32, "li t2, 12\n\tvlse32.v v24, (%4), t2\n\tli t2, -4\n\taddi t1, %3, 512\n\tvsse32.v v16, (t1), t2\n\tvadd.vv v24, v24, v8")
LOOP(strided64, "e64, m4", 64, 64, "vlse64.v v24, (%4), zero\n\tli t2, 5\n\tvlse32.v v4, (%4), t2, v0.t\n\taddi t1, %3, 512\n\tvsse64.v v16, (t1), zero\n\tvadd.vv v24, v24, v8")
LOOP(indexed32, "e32, m2", 32, 32, "vand.vi v8, v8, 15\n\tvluxei32.v v24, (%4), v8\n\taddi t1, %3, 512\n\tvsoxei32.v v16, (t1), v8\n\tvadd.vv v24, v24, v8")
LOOP(indexed16, "e16, m1", 16, 16, "vand.vi v8, v8, 15\n\tvloxei16.v v24, (%4), v8\n\tvluxei8.v v4, (%4), v8\n\taddi t1, %3, 512\n\tvsuxei16.v v16, (t1), v8\n\tvadd.vv v24, v24, v4")
LOOP(indexed64, "e64, m2", 64, 64, "vand.vi v8, v8, 15\n\tvluxei64.v v24, (%4), v8\n\taddi t1, %3, 512\n\tvluxseg2ei64.v v4, (%4), v8\n\tvsuxseg2ei64.v v4, (t1), v8\n\tvadd.vv v24, v24, v6")
LOOP(fields8, "e8, m2", 8, 8, "vlseg4e8.v v0, (%4)\n\tvadd.vv v24, v2, v4\n\tvlseg2e8.v v0, (%4)\n\tvadd.vv v24, v24, v2\n\taddi t1, %3, 512\n\tvsseg2e8.v v0, (t1)\n\tvsseg4e8.v v0, (t1)")
LOOP(fields16, "e16, m1", 16, 16, "vlseg4e16.v v4, (%4)\n\tvadd.vv v24, v4, v5\n\tvlseg2e16.v v0, (%4)\n\tvadd.vv v24, v24, v1\n\taddi t1, %3, 512\n\tvsseg4e16.v v4, (t1)\n\tvadd.vv v24, v24, v7")
LOOP(fields32, "e32, m1", 32, 32, "vlseg3e32.v v4, (%4)\n\tvadd.vv v24, v4, v6\n\tvlseg2e32.v v0, (%4)\n\tvadd.vv v24, v24, v1\n\taddi t1, %3, 512\n\tvsseg3e32.v v4, (t1)\n\tvsseg2e32.v v0, (t1)")
LOOP(fields64, "e64, m2", 64, 64, "vlseg2e64.v v4, (%4)\n\tvadd.vv v24, v4, v6\n\taddi t1, %3, 512\n\tvsseg4e64.v v0, (t1)\n\tvsseg2e64.v v4, (t1)\n\tvlseg4e64.v v0, (%4)\n\tvadd.vv v24, v24, v6")
LOOP(threes, "e32, m2", 32, 32, "vsetivli zero, 3, e32, m1, tu, mu\n\tvle32.v v8, (%4)\n\tvle32.v v17, (%4)\n\taddi t1, %3, 512\n\tvse32.v v16, (t1)\n\t"
    "vlseg2e32.v v4, (%4)\n\tvsseg2e32.v v4, (t1)\n\tvsetivli zero, 5, e16, m1, tu, mu\n\tvle16.v v9, (%4)\n\tvse16.v v8, (t1)\n\t"
    "vsetvli zero, t0, e32, m2, ta, mu\n\tvadd.vv v24, v8, v16\n\tvadd.vv v24, v24, v4")
LOOP(narrow16, "e16, m1", 32, 16, "vnsrl.wx v24, v8, zero\n\tvnsra.wi v4, v16, 9, v0.t\n\tvnsra.wx v5, v8, %5\n\tvnsrl.wx v7, v16, %5\n\tvadd.vv v24, v24, v5\n\tvxor.vv v24, v24, v7")
LOOP(rotate8, "e8, m1", 8, 8, ".insn r 0x57, 0, 0x2b, x24, x16, x8\n\t.insn r 0x57, 4, 0x29, x4, %5, x16\n\tvadd.vv v24, v24, v4")
LOOP(rotate32, "e32, m2", 32, 32, ".insn r 0x57, 4, 0x2b, x24, %5, x8\n\t.insn r 0x57, 0, 0x28, x24, x16, x24\n\tvadd.vv v24, v24, v8")
LOOP(rotate64, "e64, m2", 64, 64, ".insn r 0x57, 0, 0x29, x24, x16, x8\n\t.insn r 0x57, 0, 0x2b, x16, x8, x16\n\tvadd.vv v24, v24, v16")
LOOP(mulh8, "e8, m2", 8, 8, "vmulh.vv v24, v8, v16\n\tvmulhu.vx v4, v8, %5\n\tvmulhsu.vv v16, v8, v16, v0.t\n\tvxor.vv v24, v24, v4\n\tvadd.vv v24, v24, v16")
LOOP(mulh16, "e16, m1", 16, 16, "vmulh.vx v24, v8, %5\n\tvmulhu.vv v4, v8, v16\n\tvmulhsu.vv v16, v8, v16, v0.t\n\tvxor.vv v24, v24, v4\n\tvadd.vv v24, v24, v16")
LOOP(mulh32, "e32, m2", 32, 32, "vmulh.vv v24, v8, v16\n\tvmulhu.vv v4, v8, v16\n\tvmulhsu.vx v16, v8, %5, v0.t\n\tvxor.vv v24, v24, v4\n\tvadd.vv v24, v24, v16")
LOOP(mulh64, "e64, m2", 64, 64, "vmulh.vv v24, v8, v16\n\tvmulhu.vv v4, v8, v16\n\tvmulhsu.vv v16, v8, v16, v0.t\n\tvxor.vv v24, v24, v4\n\tvadd.vv v24, v24, v16")
LOOP(setmask8, "e8, m2", 8, 8, "vmslt.vx v4, v8, %5\n\tvmsbf.m v5, v4\n\tvmsif.m v6, v4, v0.t\n\tvmsof.m v7, v4\n\tvmxor.mm v0, v5, v6\n\tvmor.mm v0, v0, v7\n\tvmerge.vvm v24, v8, v16, v0")
LOOP(setmask32, "e32, m1", 32, 32, "vmslt.vx v4, v8, %5\n\tvmsbf.m v5, v4, v0.t\n\tvmsif.m v6, v4\n\tvmsof.m v7, v4\n\tvmxor.mm v0, v5, v6\n\tvmor.mm v0, v0, v7\n\tvmerge.vvm v24, v8, v16, v0")
LOOP(fmask32, "e32, m2", 32, 32, "csrw fflags, zero\n\tvfcvt.f.x.v v16, v16\n\tvmv.v.i v4, 0\n\tvfcvt.f.xu.v v4, v8, v0.t\n\tvfdiv.vv v24, v16, v4, v0.t\n\t"
    "vfmacc.vv v24, v16, v4, v0.t\n\tvfsqrt.v v24, v8, v0.t\n\tvmflt.vv v0, v16, v4, v0.t\n\tvfcvt.x.f.v v16, v24, v0.t\n\tvfmin.vv v24, v24, v8, v0.t\n\t"
    "frflags t1\n\tvadd.vx v24, v24, t1\n\tvadd.vv v24, v24, v16")
LOOP(fmask64, "e64, m2", 64, 64, "csrw fflags, zero\n\tvfmul.vv v24, v8, v16, v0.t\n\tvfadd.vv v24, v24, v8, v0.t\n\tvfnmsub.vv v24, v16, v8, v0.t\n\tvmfeq.vv v4, v8, v8, v0.t\n\t"
    "vfcvt.rtz.x.f.v v16, v16, v0.t\n\tfrflags t1\n\tvadd.vx v24, v24, t1\n\tvadd.vv v24, v24, v16")
LOOP(maskload8, "e8, m2", 8, 8, "vle8.v v24, (%4), v0.t\n\tvle8.v v16, (%3), v0.t\n\tvadd.vv v24, v24, v16")
LOOP(maskload32, "e32, m4", 32, 32, "vle32.v v24, (%4), v0.t\n\tvle16.v v4, (%4), v0.t\n\tvadd.vv v24, v24, v4")
LOOP(compress8, "e8, m2", 8, 8, "vmv.v.v v24, v16\n\tvcompress.vm v24, v8, v0\n\tviota.m v4, v16, v0.t\n\tvadd.vv v24, v24, v4")
LOOP(compress16, "e16, m1", 16, 16, "vmv.v.v v24, v16\n\tvadd.vv v8, v8, v16\n\tvcompress.vm v24, v8, v0\n\tviota.m v4, v24\n\tvadd.vv v24, v24, v4")
LOOP(compress32, "e32, m4", 32, 32, "vmv.v.v v24, v16\n\tvadd.vv v8, v8, v16\n\tvcompress.vm v24, v8, v0\n\tviota.m v4, v8\n\tvadd.vv v24, v24, v4\n\tvid.v v4\n\tviota.m v4, v8, v0.t\n\tvxor.vv v24, v24, v4")
LOOP(compress64, "e64, m2", 64, 64, "vmv.v.v v24, v16\n\tvadd.vv v8, v8, v16\n\tvcompress.vm v24, v8, v0\n\tviota.m v4, v8\n\tvadd.vv v24, v24, v4")
LOOP(divide8, "e8, m1", 8, 8, "vdivu.vv v24, v8, v16\n\tvrem.vx v4, v8, %5\n\tvand.vi v16, v16, 1\n\tvdiv.vv v16, v8, v16\n\tvadd.vv v24, v24, v4\n\tvxor.vv v24, v24, v16")
LOOP(divide32, "e32, m2", 32, 32, "vdiv.vv v24, v8, v16\n\tvremu.vv v4, v8, v16, v0.t\n\tvsra.vi v16, v16, 31\n\tvdiv.vv v6, v8, v16\n\tvrem.vv v16, v8, v16\n\tvxor.vv v4, v4, v6\n\tvadd.vv v24, v24, v4\n\tvxor.vv v24, v24, v16")
LOOP(divide64, "e64, m2", 64, 64, "vdivu.vx v24, v8, %5\n\tvrem.vv v4, v8, v16, v0.t\n\tvsra.vi v16, v16, 31\n\tvsra.vi v16, v16, 31\n\tvdiv.vv v16, v8, v16\n\tvadd.vv v24, v24, v4\n\tvxor.vv v24, v24, v16")
LOOP(maskwide8, "e8, m1", 16, 16, "vwmulu.vv v24, v8, v16, v0.t\n\tvwadd.vx v24, v8, %5, v0.t\n\tvwmacc.vv v24, v9, v16, v0.t\n\tvsetvli zero, zero, e16, m2, ta, mu")
LOOP(maskwide32, "e32, m1", 64, 64, "vwmulu.vv v24, v8, v16, v0.t\n\tvwsubu.wv v24, v24, v8, v0.t\n\tvid.v v16, v0.t\n\tvwmaccsu.vv v24, v9, v16, v0.t\n\tvsetvli zero, zero, e64, m2, ta, mu\n\tvsext.vf2 v8, v16, v0.t\n\tvadd.vv v24, v24, v8")
LOOP(reduce8, "e8, m4", 8, 8, "vredsum.vs v24, v8, v16\n\tvredmaxu.vs v25, v8, v16\n\tvmv.v.v v24, v24")
LOOP(reduce32, "e32, m1", 32, 32, "vredsum.vs v24, v8, v16\n\tvredmin.vs v4, v8, v16\n\tvredxor.vs v5, v8, v16\n\tvadd.vv v24, v24, v4")
LOOP(types, "e32, m2", 32, 32, "vsetvli zero, zero, e16, m1, ta, mu\n\tvnsrl.wi v4, v8, 3\n\tvadd.vv v4, v4, v4\n\t"
    "vsetvli zero, zero, e32, m2, ta, mu\n\tvzext.vf2 v24, v4\n\tvadd.vv v24, v24, v16")
LOOP(again, "e32, m2", 32, 32, "vadd.vv v24, v8, v16\n\tvsetvli t0, t0, e32, m2, ta, mu\n\tvxor.vv v24, v24, v8")
LOOP(first, "e16, m1", 16, 16, "vmv.v.v v24, v16\n\tvle16ff.v v24, (%1)\n\tvadd.vv v24, v24, v16")
LOOP(fadd32, "e32, m2", 32, 32, "vand.vx v8, v8, %5\n\tvfcvt.f.x.v v8, v8\n\tvfcvt.f.x.v v16, v16\n\tvfadd.vv v24, v8, v16\n\tvfmacc.vv v24, v8, v16")
LOOP(fmul64, "e64, m4", 64, 64, "vfcvt.f.x.v v8, v8\n\tvfcvt.f.x.v v16, v16\n\tvfmul.vv v24, v8, v16\n\tvfnmsub.vv v24, v8, v16\n\tvfsub.vv v24, v24, v16")
LOOP(fscalar, "e64, m1", 64, 64, "fcvt.d.l ft0, %5\n\tvfmv.v.f v24, ft0\n\tvfcvt.f.x.v v16, v16\n\tvfmadd.vf v24, ft0, v16\n\tvfrdiv.vf v24, v24, ft0")

/* Vector code that sets nothing. */
#define BARE(name, body) \
static __attribute__((noinline)) void name(void) { __asm__ volatile(body); }
BARE(bareadd, "vadd.vv v24, v8, v16\n\tvxor.vi v24, v24, 3")
BARE(bareshift, "vsll.vi v24, v8, 2\n\tvsub.vv v24, v24, v16\n\tvmv.v.v v8, v24")
BARE(baremove, "vmv.v.v v24, v8\n\tvid.v v16\n\tvadd.vv v24, v24, v16")
BARE(bareload, "la t0, a\n\tvle8.v v8, (t0)\n\tvadd.vi v24, v8, 1\n\tla t0, out\n\tvse8.v v24, (t0)")

static uint64_t
bare(void (*f)(void), long avl, long type)
{
	uint8_t *p = a, *q = b, *r = out;

	__asm__ volatile("vl8re8.v v8, (%0)\n\tvl8re8.v v16, (%1)\n\tvl8re8.v v24, (%2)\n\tvsetvl zero, %3, %4\n\tjalr %5\n\t"
	    "vs8r.v v24, (%2)" : : "r"(p), "r"(q), "r"(r), "r"(avl), "r"(type), "r"(f)
	    : "ra", "t0", "memory");
	return sum(out, 128);
}

static void
bares(void)
{
	static void (*const f[])(void) = {bareadd, bareshift, baremove, bareload};
	static const int types[] = {0x00, 0xc1, 0x02, 0xc3, 0x08, 0xc9, 0x0b, 0x10, 0xd1, 0x13, 0x18, 0xd9, 0x1b, 0x0f, 0x07, 0xd7};

	for (unsigned k = 0; k < sizeof f / sizeof *f; k++) {
		uint64_t h = 0;

		fill();
		for (int n = 0; n < 400; n++) {
			long type = types[rnd() % 3 ? n / 40 % 16 : rnd() % 16];

			h = h * 31 + bare(f[k], rnd() % 4 ? 1000 : (long)(rnd() % 18), type);
		}
		printf("bare %u: %016llx\n", k, (unsigned long long)h);
	}
}

#define K(name) {#name, name}
static const struct { const char *name; void (*f)(long, long); } kernel[] = {
	K(add8m1), K(add16m2), K(sub32m4), K(xor64m8), K(mul32f2), K(shift8), K(shift32), K(shift64), K(minmax16),
	K(masked8), K(masked16), K(masked32), K(masked64), K(merge8), K(merge32), K(macc16), K(index8), K(index64),
	K(splat), K(moves), K(narrow8), K(narrow32), K(extend16), K(extend64), K(slides), K(slides8), K(gather),
	K(slides32m2), K(slides8m4), K(slides64m4), K(slide1s8), K(slide1s16), K(slide1s32), K(slide1sf),
	K(gather8m2), K(gather16), K(gather32), K(gather64), K(gatherx), K(gatherx8),
	K(strided8), K(strided32), K(strided64), K(indexed32), K(indexed16), K(indexed64),
	K(fields8), K(fields16), K(fields32), K(fields64), K(threes),
	K(divide8), K(divide32), K(divide64), K(maskwide8), K(maskwide32),
	K(maskload8), K(maskload32), K(compress8), K(compress16), K(compress32), K(compress64),
	K(narrow16), K(rotate8), K(rotate32), K(rotate64), K(mulh8), K(mulh16), K(mulh32), K(mulh64),
	K(setmask8), K(setmask32), K(fmask32), K(fmask64),
	K(reduce8), K(reduce32), K(types), K(again), K(first), K(fadd32), K(fmul64), K(fscalar),
};

int
main(void)
{
	for (unsigned k = 0; k < sizeof kernel / sizeof *kernel; k++) {
		uint64_t h = 0;

		fill();
		for (int n = 1; n <= MOST; n++) {
			kernel[k].f(n, (long)rnd());
			h = h * 31 + sum(out, sizeof out);
		}
		printf("%s: %016llx\n", kernel[k].name, (unsigned long long)h);
	}
	bares();
	return 0;
}
