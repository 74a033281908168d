#!/bin/bash
# Debian's programs at work: tests/userland.sh on small roots in BUILD/root-ARCH, which are made with
# tools/rootfs.sh from the packages below and kept.  FULL=1 takes python's slow test suites, the compilers and runtimes
# that make code of their own (tests/userland/runtimes.sh) too.
set -u
B=$(cd "$1" && pwd) here=$(cd "$(dirname "$0")/.." && pwd)
dragoman=${DRAGOMAN:-$B/dragoman}
packages="base-files libc6 libc-bin bash coreutils busybox grep sed gawk findutils tar gzip bzip2 xz-utils zstd perl
 python3 libpython3.13-testsuite git openssl sqlite3 lua5.4 luajit make"
pattern='!(python-test_@(re|threading|subprocess|signal))'
runtimes="gcc g++ libasan8 nodejs golang-go rustc openjdk-21-jdk-headless erlang-base ruby sbcl php-cli guile-3.0 shellcheck"
[ -z "${FULL:-}" ] || export SETS="debian runtimes"
[ -z "${FULL:-}" ] || packages="$packages $runtimes" pattern='*'
p=0 f=0 k=0
one() { # Debian's name of the architecture
	local root=$B/root-$1 log=$B/log.userland-$1 last
	if [ ! -e "$root/.userland${FULL:+-full}" ]; then
		# shellcheck disable=SC2086
		if ! "$here/../tools/rootfs.sh" $1 "$root" trixie $packages >"$B/log.rootfs-$1" 2>&1; then
			echo "SKIP $1: no userland, the packages cannot be fetched: $(tail -1 "$B/log.rootfs-$1")"
			echo "0 passed, 0 failed, 1 skipped" >"$log"
			return
		fi
		touch "$root/.userland${FULL:+-full}"
	fi
	timeout ${FULL:+2}840 "$here/userland.sh" "$dragoman" "$root" "$pattern" >"$log" 2>&1
	grep -E '^(FAIL|SKIP)' "$log" | sed -E "s/^(FAIL|SKIP)/& $1/"
	last=$(tail -1 "$log")
	[[ $last == *' passed, '* ]] || { echo "FAIL $1: userland.sh did not finish: $last"; echo "0 passed, 1 failed, 0 skipped" >>"$log"; }
}
mkdir -p "$B"
for a in arm64 riscv64; do
	one $a &
done
wait
for a in arm64 riscv64; do
	read -r ap _ af _ ak _ <<<"$(tail -1 "$B/log.userland-$a" | tr -d ,)"
	p=$((p + ap)) f=$((f + af)) k=$((k + ak))
done
echo "$p passed, $f failed, $k skipped"
[ $f = 0 ]
