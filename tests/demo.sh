#!/bin/bash
# demo.sh BUILD: fetches a few Debian packages of arm64 and riscv64, unpacks them to BUILD/root-ARCH
# (nothing is installed, no foreign code runs on the host by itself) and runs them with dragoman.
set -eu
B=$1 here=$(cd "$(dirname "$0")" && pwd)
show() { printf '\n$ %s\n' "$*" | sed "s,$PWD/,,g"; "$@"; }
for arch in arm64 riscv64; do
	root=$B/root-$arch
	[ -e "$root/usr/bin/python3" ] ||
		"$here/../tools/rootfs.sh" $arch "$root" trixie base-files libc6 libc-bin bash coreutils busybox python3 sqlite3 perl-base
	show "$B/dragoman" -L "$root" "$root/usr/bin/uname" -m
	# shellcheck disable=SC2016
	show "$B/dragoman" -L "$root" "$root/usr/bin/bash" -c 'echo "bash $BASH_VERSION on $HOSTTYPE"'
	show "$B/dragoman" -L "$root" "$root/usr/bin/busybox" sh -c 'seq 1000 | awk "{ s += \$1 } END { print s }"'
	show "$B/dragoman" -L "$root" "$root/usr/bin/perl" -e 'print join(" ", map { $_ ** 2 } 1 .. 9), "\n"'
	show "$B/dragoman" -L "$root" "$root/usr/bin/python3" -c 'import platform, math; print(platform.python_version(), platform.machine(), math.factorial(25))'
	show "$B/dragoman" -L "$root" "$root/usr/bin/sqlite3" :memory: 'select sqlite_version(), sum(value) from json_each("[1,2,3]")'
done
