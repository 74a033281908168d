#!/bin/bash
# cold.sh BUILD: what code costs that is met for the first time.  For python3 and cc1 of a Debian userland, run
# cold (no translations kept from before), interleaved with qemu-user: CPU milliseconds of the whole process
# (user+sys, median), and for dragoman, by -d stats in runs of their own, the guest instructions translated and
# the nanoseconds for each (of the clock on the wall, less what it costs to ask for the time); those that were run the first
# time without being translated, likewise; and both together by instruction that was met, all of which qemu-user translates.
#   GUESTS="aarch64 riscv64"  which guests       RUNS=11  rounds
#   QEMU=qemu-                prefix of the peer's programs
#   ROOT_aarch64=DIR ROOT_riscv64=DIR            userlands (tools/rootfs.sh); without one the guest is left out
set -eu
export LC_ALL=C DRAGOMAN_CACHE=off
B=$(cd "$1" && pwd) here=$(cd "$(dirname "$0")" && pwd)
guests=${GUESTS:-aarch64 riscv64} runs=${RUNS:-11}
# shellcheck disable=SC2086
[ -e "$B/mb/xtime" ] || "$here/build.sh" "$B/mb" native $guests
W=$(mktemp -d)
trap 'rm -rf "$W"' EXIT
cat >"$W/small.c" <<'C'
typedef unsigned long size_t;
extern int printf(const char *, ...);
extern void *malloc(size_t);
struct node { struct node *next; int key; double v; };
static struct node *add(struct node *l, int key, double v)
{
	struct node *n = malloc(sizeof *n);
	n->next = l, n->key = key, n->v = v * 2;
	return n;
}
int main(int argc, char **argv)
{
	struct node *l = 0;
	double sum = 0;
	for (int i = 0; i < argc; i++)
		l = add(l, i, argv[i][0]);
	for (; l; l = l->next)
		switch (l->key & 3) { case 0: sum += l->v; break; case 1: sum -= l->v; break; default: sum *= 1.5; }
	return printf("%f\n", sum) < 0;
}
C
row() { # guest, name, root, program, arguments...
	local g=$1 name=$2 root=$3 exe=$4
	shift 4
	"$B/mb/xtime" "$runs" -- "${QEMU:-qemu-}$g" -L "$root" "$exe" "$@" -- "$B/dragoman" -L "$root" "$exe" "$@" >"$W/ms"
	for ((i = 0; i < runs; i++)); do
		"$B/dragoman" -d stats -D "$W/stats" -L "$root" "$exe" "$@" >/dev/null
		awk '/ guest instructions in them$/ { n = $1 } / regions translated$/ { r = $1 } / ns spent translating$/ { t = $1 }
			/ guest instructions run the first time/ { f = $1 } / ns spent running them$/ { ft = $1 }
			END { met = f > n ? f : n; printf "%.1f %d %d %.1f %d %.1f\n", t / n, n, r, (t + ft) / met, f, f ? ft / f : 0 }' "$W/stats"
	done | sort -n | sed -n $(((runs + 1) / 2))p >"$W/ns"
	awk -v g="$g" -v name="$name" -v ms="$W/ms" '
		BEGIN { while ((getline <ms) > 0) t[++n] = $6 == 0 ? $1 * 1000 : 0 }
		{ printf "%-8s %-16s %8.1f %8.1f  [%s] %8d %8d %8.1f %8d %8.1f %8.1f\n", g, name, t[1], t[2],
		    t[1] && t[2] ? sprintf("%.1f", t[1] / t[2]) : "-", $3, $2, $1, $5, $6, $4 }' "$W/ns"
}
printf '%-8s %-16s %8s %8s  %s %8s %8s %8s %8s %8s %8s\n' guest 'CPU ms' qemu dragoman '[q/d]' regions insns ns/insn first ns/insn ns/met
for g in $guests; do
	root=ROOT_$g root=${!root:-}
	[ -n "$root" ] || { echo "skip $g: no ROOT_$g"; continue; }
	for exe in "$root"/usr/bin/python3 "$root"/usr/libexec/gcc/*/14/cc1; do
		case $exe in
		*python3) set -- -c pass ;;
		*) set -- -quiet -O1 -o /dev/null "$W/small.c" ;;
		esac
		if [ -x "$exe" ]; then row "$g" "${exe##*/}" "$root" "$exe" "$@"; else echo "skip $g: no $exe"; fi
	done
done
