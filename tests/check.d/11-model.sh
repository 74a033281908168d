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
check foreign-model $'cpuinfo 1\nexecuted\nstatus 0' "$dragoman" -cpu cortex-a53 "$T/riscv64"
hint="(try 'dragoman --help')"
check unknown "dragoman: -cpu: no processor model 'vax' ('-cpu help' lists them) $hint"$'\nstatus 255' "$dragoman" -cpu vax "$T/riscv64"
check promise "dragoman: -cpu: aarch64 has no feature 'sve' here ('-cpu help' lists them) $hint"$'\nstatus 255' "$dragoman" -cpu max,sve=on "$T/aarch64"
check needed "dragoman: -cpu: aarch64 cannot do without 'fp' $hint"$'\nstatus 255' "$dragoman" -cpu max,fp=off "$T/aarch64"
check malformed "dragoman: -cpu: 'aes' is not FEATURE=on or FEATURE=off $hint"$'\nstatus 255' "$dragoman" -cpu max,aes "$T/aarch64"
echo "$p passed, $f failed, 0 skipped"
[ $f = 0 ]
