#!/bin/bash
# start.sh BUILD: what it costs to start programs: CPU milliseconds (user and system, children included, median) natively,
# under qemu-user, under dragoman with an empty cache of translations (cold) and with one that
# earlier runs have filled (warm), interleaved; ratios, judged against the limits in the last columns.
# "-": failed or not installed here.  qemu-user can start foreign children only where the kernel knows it:
# those rows run in a private user namespace with binfmt_misc, over a copy-on-write mount of the userland.
#   GUESTS="aarch64 riscv64"  which guests       RUNS=11  rounds         HEAVY=3  rounds of script and make
#   PROCS=3000  processes of the script          FILES=100  files of the project      KEEP=regex  rows
#   QEMU=qemu-  prefix of the peer's programs; QEMU=none: without it
#   ROOT_aarch64=DIR ROOT_riscv64=DIR            userlands (tools/rootfs.sh); rows without one are left out
#   ROOT_native=DIR           a userland of the host's architecture and the same release, from where rows whose programs
#                             start others take their native ones; else the host's own, which may be of other versions.
#                             With gcc-aarch64-linux-gnu and gcc-riscv64-linux-gnu in it there are rows for a native gcc that
#                             makes the code that the guest's makes
set -eu
export LC_ALL=C PYTHONDONTWRITEBYTECODE=1 CC=gcc
B=$(cd "$1" && pwd) here=$(cd "$(dirname "$0")" && pwd) W=$B/start
AS= guests=${GUESTS:-aarch64 riscv64} procs=${PROCS:-3000} files=${FILES:-100} dragoman=$B/dragoman-static
# shellcheck disable=SC2086
[ -e "$B/mb/xtime" ] || "$here/build.sh" "$B/mb" native $guests
cc -O2 -Wall -o "$B/mb/xtime" "$here/xtime.c"

inputs() {
	rm -rf "$W"
	mkdir -p "$W/project" "$W/cold" "$W/warm"
	chmod 700 "$W/cold" "$W/warm"
	printf '#include <stdio.h>\nint main(void) { return puts("hello") < 0; }\n' >"$W/hello.c"
	# what configure scripts do most: small programs, one after another
	cat >"$W/script" <<-'EOF'
		n=0
		while [ $n -lt $1 ]; do
			expr $n + 1 >/dev/null
			echo "checking for $n... yes" | sed 's/yes/no/' | grep -c no >/dev/null
			rm -f "conftest.$n"
			uname -m >/dev/null
			n=$((n + 6))
		done
	EOF
	for i in $(seq 1 "$files"); do
		awk -v i="$i" 'BEGIN { print "#include <stdio.h>\n#include <string.h>\n#include <stdlib.h>"
			for (k = 0; k < 12; k++) printf "int f%d_%d(const char *s, int n)\n{\n\tint v = n * %d;\n\tfor (size_t j = 0; j < strlen(s); j++)\n\t\tv = v * 31 + (s[j] ^ %d);\n\tif (v %% %d == 3)\n\t\tprintf(\"%%d %%s\\n\", v, s);\n\treturn v %% 2 ? v : abs(v) / 3;\n}\n", i, k, i + k, k, k + 7 }' >"$W/project/f$i.c"
	done
	cat >"$W/project/Makefile" <<-'EOF'
		.RECIPEPREFIX = >
		OBJ := $(patsubst %.c,%.o,$(wildcard *.c))
		all: lib.a
		lib.a: $(OBJ)
		> ar rc $@ $(OBJ)
		%.o: %.c
		> $(CC) -O1 -c -o $@ $<
	EOF
}

# qemu-user as the kernel's interpreter of g's programs, and g's root with what qemu-user itself needs, at $W/q
peer() {
	local q r root
	q=$(command -v "${QEMU:-qemu-}$1") || return 1
	root=ROOT_$1 root=${!root:-}
	[ -n "$root" ] && [ "$(cat /proc/self/uid_map 2>/dev/null | wc -l)" = 1 ] || return 1
	{ mount -t binfmt_misc none /proc/sys/fs/binfmt_misc || [ -e /proc/sys/fs/binfmt_misc/register ]; } 2>/dev/null || return 1
	[ -e "/proc/sys/fs/binfmt_misc/$1" ] || "$dragoman" guests | awk -v g="$1" -v q="$q" '
		/^[a-z]/ { on = $1 == g } on && $1 == "magic" { m = $2 } on && $1 == "mask" { print ":" g ":M::" m ":" $2 ":" q ":F" }' \
		>/proc/sys/fs/binfmt_misc/register || return 1
	mkdir -p "$W/q" "$W/up"
	mount -t tmpfs none "$W/up" && mkdir "$W/up/u" "$W/up/w" || return 1
	mount -t overlay -o "lowerdir=$root,upperdir=$W/up/u,workdir=$W/up/w" none "$W/q" || return 1
	for r in /lib64 /usr/lib/x86_64-linux-gnu "$W"; do
		mkdir -p "$W/q$r" && mount --rbind "$r" "$W/q$r" || return 1
	done
	mkdir -p "$W/q/dev" && mount --rbind /dev "$W/q/dev"
}

table() { # guest, name, limit of warm
	awk -v g="$1" -v name="$2" -v limit="$3" '
	function ms(i) { return t[i] > 0 ? sprintf("%.2f", t[i] * 1000) : "-" }
	function over(i, k) { return t[i] > 0 && t[k] > 0 ? sprintf("%.2f", t[i] / t[k]) : "-" }
	function judge(ok) { return ok == "-" ? "-" : ok ? "pass" : "miss" }
	{ t[NR] = $6 == 0 ? $1 : 0 }
	END { printf "%-8s %-16s %9s %9s %9s %9s  %7s %7s  %s %-5s %s\n", g, name, ms(1), ms(2), ms(3), ms(4),
	    over(4, 1), over(2, 3), judge(over(4, 1) == "-" ? "-" : over(4, 1) + 0 <= limit + 0), "<=" limit,
	    judge(over(2, 3) == "-" ? "-" : over(2, 3) + 0 >= 5) }'
}

# The cache is filled when a run translates nothing, or hardly less than the one before (what many processes translate a
# little of is written by few of them); what the last has written is believed without being read once it has not changed
# for two seconds.
fill() {
	local i new last=1000000
	for i in $(seq 40); do
		new=$( (cd "$W/project" && "$dragoman" --cache "$W/warm" -d stats "${ours[@]}" 2>&1 >/dev/null </dev/null) |
		    awk '/regions translated$/ { n += $1 } END { print n + 0 }') || :
		[ "$new" != 0 ] && { [ "$i" -lt 4 ] || [ $((new * 20)) -lt $((last * 19)) ]; } || break
		last=$new
	done
	sleep 3
	"$dragoman" --cache "$W/warm" "${ours[@]}" >/dev/null 2>&1 </dev/null || :
}

run() { # rounds, guest, name, limit, native words : qemu words : dragoman's words after -L root
	local rounds=$1 g=$2 name=$3 limit=$4 i
	shift 4
	local native=() qemu=() ours=()
	while [ "$1" != :: ]; do native+=("$1"); shift; done
	shift
	while [ "$1" != :: ]; do qemu+=("$1"); shift; done
	shift
	ours=(-L "$root" "$@")
	[ ${#qemu[@]} != 0 ] || qemu=(false)
	command -v "${native[0]}" >/dev/null || native=(false)
	fill
	(cd "$W/project" && XTIME_LIMIT=600 XTIME_BEFORE="rm -rf $W/cold; mkdir -m 700 $W/cold; ${BEFORE:-:}" \
	    "$B/mb/xtime" "$rounds" -- "${native[@]}" -- "${qemu[@]}" -- "$dragoman" --cache "$W/cold" "${ours[@]}" -- \
	    "$dragoman" --cache "$W/warm" "${ours[@]}") | table "$g" "$name" "$limit"
}

simple() { # name, limit, native program, path below the root, arguments...: programs that start no other
	local name=$1 limit=$2 native=$3 exe=$root$4
	shift 4
	[[ $name =~ ${KEEP:-.} ]] || return 0
	[ "$exe" = "$root" ] && exe=$B/mb/$g/nop
	[ -e "$exe" ] || return 0
	run "${RUNS:-11}" "$g" "$name" "$limit" "$native" "$@" :: "${QEMU:-qemu-}$g" -L "$root" "$exe" "$@" :: "$exe" "$@"
}

family() { # rounds, name, limit, path below the root, native program, arguments...: programs that start others
	local rounds=$1 name=$2 limit=$3 exe=$4 native=$5 q=()
	shift 5
	[[ $name =~ ${KEEP:-.} ]] && [ -e "$root$exe" ] || return 0
	[ -z "$hasnative" ] || native="chroot $W/n /usr/bin/env -C$W/project ${AS:-$exe}"
	[ -z "$haspeer" ] || q=(chroot "$W/q" /usr/bin/env "-C$W/project" "$exe" "$@")
	# shellcheck disable=SC2086
	run "$rounds" "$g" "$name" "$limit" $native "$@" :: "${q[@]}" :: "$root$exe" "$@"
}

# The native gcc makes code for the host, which is less work than to make code for the guest.  This one makes the same.
hascross() { [ "$hasnative" ] && [ -e "$ROOT_native/usr/bin/$g-linux-gnu-gcc" ]; }

# The native userland with the work directory in it, at $W/n.
natives() {
	mkdir -p "$W/n" "$W/nu" && mount -t tmpfs none "$W/nu" && mkdir "$W/nu/u" "$W/nu/w" &&
	    mount -t overlay -o "lowerdir=$ROOT_native,upperdir=$W/nu/u,workdir=$W/nu/w" none "$W/n" &&
	    mkdir -p "$W/n$W" "$W/n/dev" && mount --rbind "$W" "$W/n$W" && mount --rbind /dev "$W/n/dev"
}

guest() {
	local g=$1 root haspeer=
	root=ROOT_$g root=${!root:-/}
	[ "$root" = / ] || ! peer "$g" 2>"$W/peer" || haspeer=1
	simple 'static true' 2 "$B/mb/native/nop" ''
	[ "$root" != / ] || return 0
	simple 'true' 2 /usr/bin/true /usr/bin/true
	simple 'bash -c :' 2 /usr/bin/bash /usr/bin/bash -c :
	simple 'perl -e 1' 2 /usr/bin/perl /usr/bin/perl -e 1
	simple 'python3 -c pass' 1.8 /usr/bin/python3 /usr/bin/python3 -c pass
	simple 'git --version' 1.8 /usr/bin/git /usr/bin/git --version
	family "${RUNS:-11}" 'gcc -c hello.c' 1.8 /usr/bin/gcc /usr/bin/gcc -c -o /dev/null "$W/hello.c"
	! hascross || AS=/usr/bin/$g-linux-gnu-gcc \
		family "${RUNS:-11}" 'gcc, same code' 1.8 /usr/bin/gcc /usr/bin/gcc -c -o /dev/null "$W/hello.c"
	family "${HEAVY:-3}" "script, $procs" 2 /usr/bin/sh /usr/bin/sh "$W/script" "$procs"
	BEFORE="rm -f $W/project/*.o $W/project/lib.a"
	family "${HEAVY:-3}" "make -j2, $files" 2 /usr/bin/make /usr/bin/make -B -s -j2 -C "$W/project"
	! hascross || AS="CC=$g-linux-gnu-gcc /usr/bin/make" \
		family "${HEAVY:-3}" 'make, same code' 2 /usr/bin/make /usr/bin/make -B -s -j2 -C "$W/project"
	BEFORE=:
	[[ make =~ ${KEEP:-.} ]] || return 0
	project() { # builds the project in $W/cold, and adds up what -d stats says
		rm -f "$W"/log.*
		"$dragoman" --cache "$W/cold" -d stats -D "$W/log.%d" -L "$root" "$root/usr/bin/make" -B -s -j2 -C "$W/project" >/dev/null 2>&1 || :
		cat "$W"/log.* | awk '/regions translated$/ { made += $1 } /guest instructions in them/ { insns += $1 } /found in them/ { found += $1 }
			END { print made + 0, insns + 0, found + 0 }'
	}
	bytes() { "$dragoman" --cache "$W/cold" cache stat | awk '/^bytes/ { print $2 }'; }
	rm -rf "$W/cold" && mkdir -m 700 "$W/cold"
	made=$(project)
	echo "$g: after the project: $(bytes) bytes in cache files; regions made, guest instructions in them, look-ups that found code: $made"
	for _ in 1 2; do made=$(project); done
	echo "$g: when it is built the third time: $made; $(bytes) bytes"
	rm -rf "$W/cold" && mkdir -m 700 "$W/cold"
	"$dragoman" --cache "$W/cold" --quick 0 -d stats -D "$W/log" -L "$root" "$root/usr/bin/bash" -c :
	awk -v g="$g" -v bytes="$(bytes)" '/guest instructions in them/ { printf "%s: %.1f bytes of cache file a guest instruction\n", g, bytes / $1 }' "$W/log"
	"$dragoman" --cache off -d stats -L "$root" "$root/usr/bin/bash" -c : 2>&1 | awk -v g="$g" '
		/a guest instruction/ { print g ": bash -c :", $0 }'
}

if [ "${1-}" ] && [ "${START_INSIDE-}" != 1 ] && START_INSIDE=1 unshare -Urm true 2>/dev/null; then
	START_INSIDE=1 exec unshare -Urm "$0" "$@"
fi
inputs
hasnative=
[ -z "${ROOT_native:-}" ] || ! natives 2>"$W/natives" || hasnative=1
printf '%-8s %-16s %9s %9s %9s %9s  %7s %7s  %s\n' guest 'CPU ms' native qemu cold warm warm/nat qemu/cold 'warm     cold >= 5'
for g in $guests; do
	guest "$g"
done
