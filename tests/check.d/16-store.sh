#!/bin/bash
# The store of translations under attack: writers that are killed, files that are torn, flipped and
# exchanged, full and read-only file systems, other users.  Whatever happens, the guest's output is
# right, nothing is printed, and no file of another user is believed.
#   STRESS=full   10,000 damaged files instead of a few hundred
set -u
B=$(cd "$1" && pwd) here=$(cd "$(dirname "$0")/.." && pwd)
dragoman=${DRAGOMAN:-$B/dragoman} W=$B/store
damages=300 writers=8 rounds=6
[ "${STRESS:-}" != full ] || damages=10000 rounds=60
seed=${CHECK_SEED:-1}
unset DRAGOMAN_CACHE XDG_CACHE_HOME
p=0 f=0 k=0
pass() { p=$((p + 1)); }
fail() { echo "FAIL $*"; f=$((f + 1)); }
skip() { echo "SKIP $*"; k=$((k + 1)); }
rnd() { [ "$1" -gt 0 ] || set -- 1; seed=$(((seed * 1103515245 + 12345) & 0x7fffffff)); r=$(((seed >> 8) % $1)); }

export DRAGOMAN_QUICK=0        # so that the first process has something to keep
rm -rf "$W" 2>/dev/null || { chmod -R u+rwx "$W"; rm -rf "$W"; }
mkdir -p "$W"
cat >"$W/work.c" <<'EOF'
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
static int cmp(const void *a, const void *b) { return *(const int *)a - *(const int *)b; }
int main(int argc, char **argv)
{
	static int v[500];
	unsigned h = 1, n = argc > 1 ? atoi(argv[1]) : 3;
	char s[64];
	if (argc > 2 && !chdir("/"))
		return execl(argv[2], argv[2], argv[1], (char *)0);
	for (unsigned k = 0; k < n; k++) {
		for (int i = 0; i < 500; i++)
			v[i] = (int)((h = h * 1103515245u + 12345u) >> 8 & 0xffff);
		qsort(v, 500, sizeof *v, cmp);
		snprintf(s, sizeof s, "%d %g %s", v[250], v[3] / 7.0, strchr("abcdef", 'd'));
		for (char *c = s; *c; c++)
			h = h * 31 + (unsigned char)*c;
	}
	printf("%08x %s\n", h, s);
	return 0;
}
EOF
declare -A want
build() {
	local cc
	for g in aarch64 riscv64; do
		cc=$g-linux-gnu-gcc
		command -v $cc >/dev/null || { skip "$g: no $cc"; continue; }
		$cc -O1 -static -o "$W/work.$g" "$W/work.c" || { fail "$g: work.c"; continue; }
		want[$g]=$("$dragoman" --cache off "$W/work.$g" 3)
		guests="${guests:-} $g"
	done
	cc -O1 -o "$W/work.native" "$W/work.c" && [ "$("$W/work.native" 3)" = "${want[aarch64]:-x}" ] || fail "the guest's output differs from the host's"
}
# same NAME CACHE [words before]: the right output, nothing on stderr
same() {
	local name=$1 cache=$2 g out
	shift 2
	for g in $guests; do
		out=$(timeout 60 "$@" "$dragoman" --cache "$cache" "$W/work.$g" 3 2>&1)
		[ "$out" = "${want[$g]}" ] || { fail "$name: $g: rc $?: $(head -c 300 <<<"$out")"; return 1; }
	done
}
check() { same "$@" && pass; }
files() { find "$1" -name '*.dgm' 2>/dev/null; }

build
sleep 3        # contents of files that have just changed are not remembered
[ -n "${guests:-}" ] || { echo "$p passed, $f failed, $k skipped"; exit 0; }

# -- where it is --
mkdir "$W/home" "$W/xdg"
chmod 700 "$W/home" "$W/xdg"
HOME=$W/home "$dragoman" "$W/work.${guests##* }" >/dev/null
[ -d "$W/home/.cache/dragoman" ] && [ "$(stat -c %a "$W/home/.cache/dragoman")" = 700 ] && pass || fail "no ~/.cache/dragoman of mode 700"
HOME=$W/home XDG_CACHE_HOME=$W/xdg "$dragoman" "$W/work.${guests##* }" >/dev/null
[ -d "$W/xdg/dragoman" ] && pass || fail "no \$XDG_CACHE_HOME/dragoman"
[ -n "$(files "$W/xdg")" ] && pass || fail "nothing is kept"
HOME=$W/home XDG_CACHE_HOME=relative "$dragoman" "$W/work.${guests##* }" >/dev/null
[ ! -e relative ] && pass || fail "a relative XDG_CACHE_HOME"
mkdir "$W/none" && chmod 700 "$W/none"
HOME=$W/none DRAGOMAN_CACHE=off "$dragoman" "$W/work.${guests##* }" >/dev/null
[ -z "$(ls -A "$W/none")" ] && pass || fail "off is not off"
HOME=/nonexistent check "no home" "$W/nodir/none/at/all"
(cd "$W" && same "relative name" here) && [ -d "$W/here" ] && pass || fail "--cache with a relative name"

(cd "$W" && "$dragoman" --cache here -d cache -D "$W/log" "$W/work.${guests##* }" 3 "$W/work.${guests##* }") >"$W/out" 2>&1
[ "$(cat "$W/out")" = "${want[${guests##* }]}" ] && [ "$(grep -c "directory $W/here: used" "$W/log")" = 1 ] && pass ||
	fail "a program that the guest starts has another cache: $(cat "$W/log")"

# -- it is used: the second run translates next to nothing --
mkdir -m 700 "$W/c"
for g in $guests; do
	for i in 1 2 3; do "$dragoman" --cache "$W/c" "$W/work.$g" 3 >/dev/null; done
	cold=$("$dragoman" --cache off -d stats "$W/work.$g" 3 2>&1 | awk '/regions translated/ { print $1 }')
	warm=$("$dragoman" --cache "$W/c" -d stats "$W/work.$g" 3 2>&1 | awk '/regions translated/ { print $1 }')
	[ "$((warm * 20))" -lt "$cold" ] && pass || fail "$g: $warm of $cold regions translated with a filled cache"
done

# -- ahead of time: the very first run finds most --
mkdir -m 700 "$W/w"
for g in $guests; do
	"$dragoman" --cache "$W/w" cache warm "$W/work.$g" >"$W/out" 2>&1 || fail "warm $g: $(cat "$W/out")"
	cold=$("$dragoman" --cache off -d stats "$W/work.$g" 3 2>&1 | awk '/regions translated/ { print $1 }')
	warm=$("$dragoman" --cache "$W/w" -d stats "$W/work.$g" 3 2>&1 | awk '/regions translated/ { print $1 }')
	[ "$((warm * 4))" -lt "$cold" ] && pass || fail "$g: $warm of $cold regions translated after cache warm"
done
check "after cache warm" "$W/w"
"$dragoman" --cache "$W/w" cache list | grep -q "work.${guests##* }" && pass || fail "list does not name the program"

# -- damage: bits, lengths, contents, one file for another --
cp -a "$W/c" "$W/good"
damaged=0
damage() {
	local all name size n
	mapfile -t all < <(files "$W/c")
	[ ${#all[@]} -gt 0 ] || { rm -rf "$W/c"; cp -a "$W/good" "$W/c"; mapfile -t all < <(files "$W/c"); }
	rnd ${#all[@]}
	name=${all[r]} size=$(stat -c %s "$name")
	rnd 8
	case $r in
	0) rnd "$size"; truncate -s "$r" "$name" ;;
	1) truncate -s 0 "$name" ;;
	2) rnd 4096; truncate -s +"$r" "$name" ;;
	3) rnd "$size"; n=$r; dd if=/dev/urandom of="$name" bs=1 count=64 seek="$n" conv=notrunc status=none ;;
	4) mapfile -t all < <(files "$W/good"); rnd ${#all[@]}; cp "${all[r]}" "$name" ;;
	5) rnd 512; n=$r; rnd 256; printf "\\x$(printf %x "$r")" | dd of="$name" bs=1 seek="$n" conv=notrunc status=none ;;
	*) rnd "$size"; n=$r; rnd 256; printf "\\x$(printf %x "$r")" | dd of="$name" bs=1 seek="$n" conv=notrunc status=none ;;
	esac
	damaged=$((damaged + 1))
}
ok=1
while [ $damaged -lt $damages ] && [ $ok = 1 ]; do
	for i in 1 2 3; do damage; done
	[ $((damaged % 30)) != 0 ] || dd if=/dev/urandom of="$W/c/identities" bs=200 count=2 seek=$((damaged % 999)) conv=notrunc status=none
	[ $((damaged % 60)) != 0 ] || dd if=/dev/urandom of="$W/c/ran" bs=4096 count=2 seek=$((damaged % 99)) conv=notrunc status=none
	[ $((damaged % 45)) != 0 ] || cp "$W/c/identities" "$W/c/usage"
	same "damage $damaged (CHECK_SEED=${CHECK_SEED:-1})" "$W/c" || ok=0
done
[ $ok = 1 ] && pass

# -- damage to files that an earlier process has found sound; a forged mtime does not hide it --
ok=1
for percent in 1 25 50 75 99; do
	rm -rf "$W/c" && cp -a "$W/good" "$W/c"
	sleep 3        # as above
	same "sound files" "$W/c" || { ok=0; break; }
	for x in $(files "$W/c"); do
		touch -r "$x" "$W/stamp"
		printf '\377\376\375' | dd of="$x" bs=1 seek=$(($(stat -c %s "$x") * percent / 100)) conv=notrunc status=none
		touch -r "$W/stamp" "$x"
	done
	"$dragoman" --cache "$W/c" -d cache "$W/work.${guests##* }" 3 >"$W/out" 2>&1
	grep -q 'is broken: removed' "$W/out" && grep -qx "${want[${guests##* }]}" "$W/out" || { fail "damage to sound files at $percent %"; ok=0; }
	same "damage to sound files at $percent %" "$W/c" || ok=0
done
[ $ok = 1 ] && pass

# -- many writers of one key, killed at any time --
rm -rf "$W/c" && mkdir -m 700 "$W/c"
ok=1
for ((i = 0; i < rounds; i++)); do
	pids=()
	for ((j = 0; j < writers; j++)); do
		set -- $guests
		[ $((j % 2)) = 0 ] || shift $(($# - 1))
		(exec "$dragoman" --cache "$W/c" "$W/work.$1" $((3 + j % 3)) >"$W/out.$j" 2>&1) &
		pids+=($!)
	done
	for ((j = 0; j < writers / 2; j++)); do
		rnd 30
		sleep "0.0$((r + 10))"
		kill -9 "${pids[j]}" 2>/dev/null
	done
	for ((j = 0; j < writers; j++)); do
		wait "${pids[j]}" 2>/dev/null
		rc=$?
		[ $rc = 137 ] || [ $rc = 0 ] || { fail "writer $j of round $i: rc $rc: $(head -c 200 "$W/out.$j")"; ok=0; }
	done
	[ $((i % 3)) != 0 ] || same "after kills" "$W/c" || ok=0
done 2>/dev/null
[ $ok = 1 ] && pass
"$dragoman" --cache "$W/c" cache verify >"$W/verify" 2>&1 && pass || fail "killed writers left broken files: $(tail -1 "$W/verify")"
find "$W/c" -name 'tmp.*' -exec touch -d '2 hours ago' {} +
"$dragoman" --cache "$W/c" cache prune >/dev/null
[ -z "$(find "$W/c" -name 'tmp.*')" ] && pass || fail "prune leaves leftovers"

# -- verify finds what is broken --
set -- $(files "$W/c")
if [ $# -gt 0 ]; then
	printf x | dd of="$1" bs=1 seek=700 conv=notrunc status=none
	"$dragoman" --cache "$W/c" cache verify >"$W/verify" 2>&1
	[ $? = 1 ] && [ ! -e "$1" ] && pass || fail "verify: $(tail -1 "$W/verify")"
	"$dragoman" --cache "$W/c" cache verify >"$W/verify" 2>&1 && pass || fail "verify finds what it has removed"
fi
"$dragoman" --cache "$W/c" cache clear >/dev/null && [ -z "$(files "$W/c")" ] && pass || fail "clear"

# -- links and modes --
mkdir -m 700 "$W/target"
ln -s target "$W/link"
check "a link of our own" "$W/link"
[ -n "$(files "$W/target")" ] && pass || fail "a link of our own is not followed"
mkdir "$W/open" && chmod 777 "$W/open"
check "a directory all may write" "$W/open"
[ -z "$(ls -A "$W/open")" ] && pass || fail "a directory all may write is used"
rm -rf "$W/c" && cp -a "$W/good" "$W/c"
for x in $(files "$W/c"); do mv "$x" "$x.away" && ln -s "$x.away" "$x"; done
check "files that are links" "$W/c"
rm -rf "$W/c" && cp -a "$W/good" "$W/c"
for x in $(files "$W/c"); do rm "$x" && mkfifo "$x"; done
check "files that are pipes" "$W/c"
rm -rf "$W/c" && cp -a "$W/good" "$W/c"
for x in $(files "$W/c"); do rm "$x" && mkdir "$x"; done
check "files that are directories" "$W/c"

# -- file systems --
if unshare -Urm true 2>/dev/null; then
	mkdir "$W/small"
	for size in 4k 64k 256k 600k; do
		unshare -Urm bash -c 'mount -t tmpfs -o mode=700,size='$size' none "$1" && shift && for i in 1 2 3; do "$@" || exit; done' \
			- "$W/small" "$dragoman" --cache "$W/small" "$W/work.${guests##* }" 3 >"$W/out" 2>&1
		[ "$(sort -u "$W/out")" = "${want[${guests##* }]}" ] && pass || fail "a full disk of $size: $(head -c 300 "$W/out")"
	done
	unshare -Urm bash -c 'mount --bind "$1" "$1" && mount -o remount,bind,ro "$1" && shift && "$@" && "$@"' \
		- "$W/good" "$dragoman" --cache "$W/good" "$W/work.${guests##* }" 3 >"$W/out" 2>&1
	[ "$(sort -u "$W/out")" = "${want[${guests##* }]}" ] && pass || fail "a read-only file system: $(head -c 300 "$W/out")"
	mkdir "$W/ro"
	unshare -Urm bash -c 'mount -t tmpfs -o ro none "$1" && HOME=$1 && shift && export HOME && "$@"' \
		- "$W/ro" "$dragoman" "$W/work.${guests##* }" 3 >"$W/out" 2>&1
	[ "$(cat "$W/out")" = "${want[${guests##* }]}" ] && pass || fail "a read-only home: $(head -c 300 "$W/out")"
else
	skip "full and read-only file systems: no user namespaces here"
fi

# -- a store that is only read --
mkdir -m 700 "$W/own"
g=${guests##* }
out=$("$dragoman" --cache off --cache-ro "$W/nowhere:$W/good" -d stats "$W/work.$g" 3 2>&1 | awk '/regions translated/ { print $1 }')
cold=$("$dragoman" --cache off -d stats "$W/work.$g" 3 2>&1 | awk '/regions translated/ { print $1 }')
[ "$((out * 20))" -lt "$cold" ] && pass || fail "a read-only store: $out of $cold regions translated"

# -- limits --
rm -rf "$W/c" && cp -a "$W/good" "$W/c"
check "a small limit" "$W/c" env DRAGOMAN_CACHE_LIMIT=1000
"$dragoman" --cache "$W/c" cache prune 0 >/dev/null
[ -z "$(files "$W/c")" ] && pass || fail "prune 0"
check "a guest that may not write files" "$W/own" prlimit --fsize=1000

# -- other users --
if [ "$(id -u)" = 0 ] && command -v setpriv >/dev/null; then
	U="setpriv --reuid=54321 --regid=54321 --clear-groups"
	T=$(mktemp -d /tmp/dragoman-store.XXXXXX)
	chmod 755 "$T"
	cp "$dragoman" "$T/dragoman" && cp "$W/work.$g" "$T/work" && cp -a "$W/good" "$T/good" && chmod 755 "$T/dragoman" "$T/work"
	mkdir -m 700 "$T/theirs" && chown 54321:54321 "$T/theirs"
	other() { # name, words: the other user's run
		local name=$1
		shift
		out=$(cd "$T" && "$@" 2>&1)
		[ "$out" = "${want[$g]}" ] && pass || fail "$name: $(head -c 300 <<<"$out")"
	}
	other "another user's directory" "$T/dragoman" --cache "$T/theirs" "$T/work" 3
	[ -z "$(ls -A "$T/theirs")" ] && pass || fail "root writes to another user's directory"
	other "the other user's own" $U "$T/dragoman" --cache "$T/theirs" "$T/work" 3
	[ -n "$(files "$T/theirs")" ] && pass || fail "the other user's own is not used"
	[ -z "$(find "$T/theirs" ! -uid 54321)" ] && pass || fail "whose files are these?"
	chmod -R a+rX "$T/good"
	other "root's directory" $U "$T/dragoman" --cache "$T/good" "$T/work" 3
	out=$(cd "$T" && $U "$T/dragoman" --cache off --cache-ro "$T/good" -d stats "$T/work" 3 2>&1 | awk '/regions translated/ { print $1 }')
	[ "$((out * 20))" -lt "$cold" ] && pass || fail "root's read-only store is not used: $out of $cold"
	chown -R 54322 "$T/good"
	out=$(cd "$T" && $U "$T/dragoman" --cache off --cache-ro "$T/good" -d stats "$T/work" 3 2>&1 | awk '/regions translated/ { print $1 }')
	[ "$((out * 2))" -gt "$cold" ] && pass || fail "a third user's read-only store is used: $out of $cold"
	# files of another user in a directory of our own: as if he had moved them in
	cp -a "$W/good" "$T/mixed" && chown 54321 "$T"/mixed/*
	out=$("$T/dragoman" --cache "$T/mixed" -d stats "$T/work" 3 2>&1 | awk '/regions translated/ { print $1 }')
	[ "$((out * 2))" -gt "$cold" ] && pass || fail "another user's files are used: $out of $cold"
	# a link another user left in a directory all may write
	mkdir -m 1777 "$T/tmp" && $U ln -s "$T/good" "$T/tmp/cache"
	chown -R 0 "$T/good"
	find "$T/good" -type f -newer "$T/tmp" -delete
	before=$(ls -la --time-style=full-iso "$T/good" | sum)
	other "another user's link" "$T/dragoman" --cache "$T/tmp/cache" "$T/work" 3
	[ "$before" = "$(ls -la --time-style=full-iso "$T/good" | sum)" ] && pass || fail "another user's link is followed"
	rm -rf "$T"
else
	skip "two users: not root, or no setpriv"
fi
echo "$p passed, $f failed, $k skipped"
[ $f = 0 ]
