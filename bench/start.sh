#!/bin/bash
# start.sh BUILD: what it costs to start programs and to meet code for the first time: CPU milliseconds
# (user+sys, median) of short programs natively, under qemu-user and under dragoman, interleaved.
# "-" failed: not installed here, or (qemu-user) starts foreign programs, which takes binfmt_misc.
#   GUESTS="aarch64 riscv64"  which guests       RUNS=11  rounds
#   QEMU=qemu-                prefix of the peer's programs
#   ROOT_aarch64=DIR ROOT_riscv64=DIR            userlands (tools/rootfs.sh); rows without one are left out
set -eu
export LC_ALL=C
B=$(cd "$1" && pwd) here=$(cd "$(dirname "$0")" && pwd)
guests=${GUESTS:-aarch64 riscv64}
# shellcheck disable=SC2086
[ -e "$B/mb/xtime" ] || "$here/build.sh" "$B/mb" native $guests
printf 'int main(void) { return 0; }\n' >"$B/mb/hello.c"
row() { # guest, name, path below the root or absolute, arguments...
	local g=$1 name=$2 root path=$3 native=$3 exe
	shift 3
	root=ROOT_$g root=${!root:-/}
	exe=$root$path
	case $path in
	nop) exe=$B/mb/$g/nop native=$B/mb/native/nop ;;
	*) [ "$root" != / ] && [ -e "$exe" ] || return 0 ;;
	esac
	command -v "$native" >/dev/null || native=${native%[0-9].*}    # python3.13 there, python3 here
	command -v "$native" >/dev/null || native=false    # shown as -
	"$B/mb/xtime" "${RUNS:-11}" -- "$native" "$@" -- "${QEMU:-qemu-}$g" -L "$root" "$exe" "$@" -- \
		"$B/dragoman" -L "$root" "$exe" "$@" |
		awk -v g="$g" -v name="$name" '
		{ t[NR] = $6 == 0 ? sprintf("%.1f", $1 * 1000) : "-" }
		END { printf "%-8s %-22s %10s %10s %10s  [%s]\n", g, name, t[1], t[2], t[3],
		    (t[2] != "-" && t[3] != "-") ? sprintf("%.1f", t[2] / t[3]) : "-" }'
}
printf '%-8s %-22s %10s %10s %10s  %s\n' guest 'CPU ms' native qemu dragoman '[qemu/dragoman]'
for g in $guests; do
	row "$g" 'static nop' nop
	row "$g" 'true' /usr/bin/true
	row "$g" 'bash -c :' /usr/bin/bash -c :
	row "$g" 'python3 -c pass' /usr/bin/python3.13 -c pass
	row "$g" 'perl -e 1' /usr/bin/perl -e 1
	row "$g" 'gcc -c hello.c' /usr/bin/gcc -c -o /dev/null "$B/mb/hello.c"
done
