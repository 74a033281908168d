#!/bin/bash
# -cpu: what the guest is told (hwcaps, /proc/cpuinfo, hwprobe) and what it can execute are the model's
set -u
B=$(cd "$1" && pwd)
dragoman=${DRAGOMAN:-$B/dragoman}
T=$(mktemp -d)
trap 'rm -rf "$T"' EXIT
p=0 f=0
check() { # name, expected, command...
	local name=$1 want=$2 got
	shift 2
	got=$("$@" 2>&1; echo "status $?")
	if [ "$got" = "$want" ]; then p=$((p + 1)); else f=$((f + 1)); echo "FAIL $name: expected '$want', got '$got'"; fi
}
cat >"$T/a.c" <<'C'
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>
static void ill(int s) { (void)s; write(1, "SIGILL\n", 7); _exit(0); }
static int told(const char *word)
{
	char line[1024], *w;
	FILE *f = fopen("/proc/cpuinfo", "r");
	int yes = 0;
	while (fgets(line, sizeof line, f))
		for (w = strtok(line, " \t\n_"); w; w = strtok(0, " \t\n_"))
			yes |= !strcmp(w, word);
	return yes;
}
int main(void)
{
	unsigned long x = 1;
	signal(SIGILL, ill);
#ifdef __aarch64__
	unsigned midr;
	__asm__("mrs %0, midr_el1" : "=r"(midr));
	printf("%x cpuinfo %d hwcap %d\n", midr, told("atomics"), !!(getauxval(AT_HWCAP) & 1 << 8));
	fflush(stdout);
	__asm__ volatile(".arch armv8.1-a\n\tldadd %0, %0, [%1]" : "+r"(x) : "r"(&x) : "memory");
#else
	printf("cpuinfo %d\n", told("zba"));
	fflush(stdout);
	__asm__ volatile(".insn r 0x33, 2, 0x10, %0, %0, %0" : "+r"(x));       /* sh1add */
#endif
	puts("executed");
	return 0;
}
C
for g in aarch64 riscv64; do
	"$g-linux-gnu-gcc" -O1 -static -o "$T/$g" "$T/a.c" || { echo "0 passed, 1 failed, 0 skipped"; exit 1; }
done
check default $'413fd0c1 cpuinfo 1 hwcap 1\nexecuted\nstatus 0' "$dragoman" "$T/aarch64"
check n1 $'414fd0c1 cpuinfo 1 hwcap 1\nexecuted\nstatus 0' "$dragoman" -cpu neoverse-n1 "$T/aarch64"
check a53 $'410fd034 cpuinfo 0 hwcap 0\nSIGILL\nstatus 0' "$dragoman" -cpu cortex-a53 "$T/aarch64"
check a53+atomics $'410fd034 cpuinfo 1 hwcap 1\nexecuted\nstatus 0' "$dragoman" -cpu cortex-a53,atomics=on "$T/aarch64"
check off $'413fd0c1 cpuinfo 0 hwcap 0\nSIGILL\nstatus 0' "$dragoman" -cpu max,atomics=off,sve=off "$T/aarch64"
check variable $'410fd034 cpuinfo 0 hwcap 0\nSIGILL\nstatus 0' env QEMU_CPU=cortex-a53 "$dragoman" "$T/aarch64"
check interp $'410fd034 cpuinfo 0 hwcap 0\nSIGILL\nstatus 0' "$dragoman" -host interp -cpu cortex-a53 "$T/aarch64"
check rv64 $'cpuinfo 1\nexecuted\nstatus 0' "$dragoman" -cpu rv64 "$T/riscv64"
check rva20 $'cpuinfo 0\nSIGILL\nstatus 0' "$dragoman" -cpu rva20u64 "$T/riscv64"
check rva20+zba $'cpuinfo 1\nexecuted\nstatus 0' "$dragoman" -cpu rva20u64,zba=true "$T/riscv64"
check capital $'cpuinfo 1\nexecuted\nstatus 0' "$dragoman" -cpu rva20u64,g=true,c=on,Zba=true "$T/riscv64"
check foreign-model $'cpuinfo 1\nexecuted\nstatus 0' "$dragoman" -cpu cortex-a53 "$T/riscv64"
hint="(try 'dragoman --help')"

# RISC-V: everything that tells of extensions
cat >"$T/probe.c" <<'C'
#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/syscall.h>
#include <unistd.h>
#ifndef AT_MINSIGSTKSZ
#define AT_MINSIGSTKSZ 51
#endif
int main(void)
{
	struct { long key; unsigned long value; } p[] = {{4, 0}, {6, 0}, {8, 0}, {10, 0}, {12, 0}, {15, 0}, {99, 0}};
	char line[1024];
	FILE *f = fopen("/proc/cpuinfo", "r");
	printf("hwcap %lx frame %lu", getauxval(AT_HWCAP), getauxval(AT_MINSIGSTKSZ));
	if (syscall(258, p, 7, 0, 0, 0))
		puts(" hwprobe failed");
	for (int i = 0; i < 7; i++)
		printf(" %ld=%lx", p[i].key, p[i].value);
	puts("");
	while (fgets(line, sizeof line, f))
		if (!strncmp(line, "isa", 3))
			return fputs(strchr(line, 'r'), stdout) < 0;
	return 1;
}
C
riscv64-linux-gnu-gcc -O1 -static -o "$T/probe" "$T/probe.c" || { echo "0 passed, 1 failed, 0 skipped"; exit 1; }
probe() { # name, -cpu, hwcap, frame, key 4, other keys, ISA string
	check "$1" "hwcap $3 frame $4 4=$5 $6 -1=0"$'\n'"$7"$'\nstatus 0' "$dragoman" -cpu "$2" "$T/probe"
}
base=_zicntr_zicsr_zifencei_zihpm_zaamo_zalrsc_zca_zcd
probe rva20 rva20u64 112d 1088 30c280000000003 '6=0 8=989680 10=4 12=0 15=0' rv64imafdc$base
probe rva22 rva22u64 112d 1088 138c28101000007b '6=40 8=989680 10=4 12=40 15=40' \
	rv64imafdc_zicbom_zicbop_zicboz_zicntr_zicsr_zifencei_zihintpause_zihpm_zaamo_zalrsc_zfhmin_zca_zcd_zba_zbb_zbs
probe rva23 rva23u64 20112d 1664 138dbff9b00a007f '6=40 8=989680 10=3 12=40 15=40' "rv64imafdcv_zicbom_zicbop_zicboz_zicntr_zicond_zicsr_\
zifencei_zihintntl_zihintpause_zihpm_zimop_zaamo_zalrsc_zawrs_zfa_zfhmin_zca_zcb_zcd_zcmop_zba_zbb_zbs_zvbb_zve32f_zve32x_zve64d_\
zve64f_zve64x_zvfhmin_zvkb"
probe vector rva20u64,v=true,vlen=128,elen=64,vext_spec=v1.0 20112d 1664 30c2be000000007 '6=0 8=989680 10=3 12=0 15=0' \
	rv64imafdcv${base}_zve32f_zve32x_zve64d_zve64f_zve64x
probe vector-crypto rva20u64,zvbb=true,zvkned=on 20112d 1664 30c2be0002a0007 '6=0 8=989680 10=3 12=0 15=0' \
	rv64imafdcv${base}_zvbb_zve32f_zve32x_zve64d_zve64f_zve64x_zvkb_zvkned
probe needs-vector rva20u64,zvfh=on,zvkb=on,v=off 112d 1088 30c280000000003 '6=0 8=989680 10=4 12=0 15=0' rv64imafdc$base
probe needs-zvkb rva20u64,zvbb=on,zvkb=off 20112d 1664 30c2be000000007 '6=0 8=989680 10=3 12=0 15=0' \
	rv64imafdcv${base}_zve32f_zve32x_zve64d_zve64f_zve64x
probe part rva20u64,v=on,zve64d=on,zve32x=on 20112d 1664 30c2be000000007 '6=0 8=989680 10=3 12=0 15=0' \
	rv64imafdcv${base}_zve32f_zve32x_zve64d_zve64f_zve64x
# ... and what can be executed of those whose instructions have 16 bits, look like others, or depend on vtype
cat >"$T/words.c" <<'C'
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
static sigjmp_buf env;
static void ill(int s) { (void)s; siglongjmp(env, 1); }
#define TRY(name, word) if (sigsetjmp(env, 1)) printf(" no " name); else { __asm__ volatile(word ::: "a0"); printf(" " name); }
int main(void)
{
	signal(SIGILL, ill);
	TRY("c.not", ".2byte 0x9d75")
	TRY("c.mop.1", ".2byte 0x6081")
	TRY("mop.r.0", ".4byte 0x81c54573")
	TRY("fli.s", ".4byte 0xf0180053")
	TRY("vadd", "vsetivli zero, 4, e16, m1, ta, ma\n vadd.vv v1, v2, v3")
	TRY("vfwcvt", "vsetivli zero, 4, e16, m1, ta, ma\n vfwcvt.f.f.v v4, v2")
	TRY("vfadd", "vsetivli zero, 4, e16, m1, ta, ma\n vfadd.vv v1, v2, v3")
	TRY("vlenb", "csrr a0, vlenb")
	puts("");
	return 0;
}
C
riscv64-linux-gnu-gcc -march=rv64gcv -O1 -static -o "$T/words" "$T/words.c" || { echo "0 passed, 1 failed, 0 skipped"; exit 1; }
check words $' c.not c.mop.1 mop.r.0 fli.s vadd vfwcvt vfadd vlenb\nstatus 0' "$dragoman" "$T/words"
check words-rva22 $' no c.not no c.mop.1 no mop.r.0 no fli.s no vadd no vfwcvt no vfadd no vlenb\nstatus 0' "$dragoman" -cpu rva22u64 "$T/words"
check words-rva23 $' c.not c.mop.1 mop.r.0 fli.s vadd vfwcvt no vfadd vlenb\nstatus 0' "$dragoman" -cpu rva23u64 "$T/words"
check words-zcb $' c.not no c.mop.1 no mop.r.0 no fli.s no vadd no vfwcvt no vfadd no vlenb\nstatus 0' "$dragoman" -cpu rva22u64,zcb=on "$T/words"
check vlen "dragoman: -cpu: riscv64 has vlen=128 here, no other $hint"$'\nstatus 255' "$dragoman" -cpu max,vlen=256 "$T/riscv64"
check part-alone "dragoman: -cpu: riscv64 has 'zve32x' with 'v', not alone $hint"$'\nstatus 255' \
	"$dragoman" -cpu rva20u64,zve32x=on "$T/riscv64"
check letter "dragoman: -cpu: riscv64 cannot do without 'c' $hint"$'\nstatus 255' "$dragoman" -cpu rv64,c=false "$T/riscv64"
check unknown "dragoman: -cpu: no processor model 'vax' ('-cpu help' lists them) $hint"$'\nstatus 255' "$dragoman" -cpu vax "$T/riscv64"
check promise "dragoman: -cpu: aarch64 has no feature 'sve' here ('-cpu help' lists them) $hint"$'\nstatus 255' "$dragoman" -cpu max,sve=on "$T/aarch64"
check needed "dragoman: -cpu: aarch64 cannot do without 'fp' $hint"$'\nstatus 255' "$dragoman" -cpu max,fp=off "$T/aarch64"
check malformed "dragoman: -cpu: 'aes' is not FEATURE=on or FEATURE=off $hint"$'\nstatus 255' "$dragoman" -cpu max,aes "$T/aarch64"
echo "$p passed, $f failed, 0 skipped"
[ $f = 0 ]
