#!/bin/bash
# The static program has a place of its own (tools/prelink.c): it relocates next to nothing when it starts, wherever its
# pointers are; debuggers find its functions; the tool refuses what it cannot place.
set -u
B=$(cd "$1" && pwd) T=$B/static-test place=0x7e0000000000
p=0 f=0 k=0
same() { # what, want, got
	[ "$2" = "$3" ] && { p=$((p + 1)); return; }
	f=$((f + 1)); echo "FAIL $1: want $2, got $3"
}
address() { printf '0x%x\n' "0x$(nm "$1" | awk -v s="$2" '$3 == s { print $1; exit }')"; }
rm -rf "$T"
mkdir -p "$T"
# more pointers than one word of packed relocations is for, and gaps between them; errno is thread-local
cat >"$T/a.c" <<-'EOF'
	#include <errno.h>
	#include <stdio.h>
	#include <unistd.h>
	static int a, b;
	static struct { int *p; long gap[3]; } table[100] = {[0 ... 49] = {&a, {0}}, [50 ... 99] = {&b, {0}}};
	int main(void)
	{
		for (volatile int i = 0; i < 100; i++)
			++*table[i].p;
		close(-1);
		printf("%d %d %d %p\n", a, b, errno, (void *)main);
		return 3;
	}
EOF
cc -O1 -fPIE -static-pie -Wl,-z,pack-relative-relocs -o "$T/a" "$T/a.c" && "$B/prelink" "$T/a" $place
same "a program that was placed: its end" "0 3" "$? $("$T/a" >"$T/out"; echo $?)"
same "a program that was placed: pointers and symbols" "50 50 9 $(address "$T/a" main)" "$(cat "$T/out")"
same "symbols are where the place is" 1 "$(($(address "$T/a" main) > place))"
if [ -x "$B/dragoman-static" ]; then
	same "the static program has its place" EXEC "$(readelf -hW "$B/dragoman-static" | awk '$1 == "Type:" { print $2 }')"
	same "and no line numbers, which would be those of another place" 0 "$(readelf -SW "$B/dragoman-static" | grep -c debug_line)"
	same "and no relative relocations" 0 "$(readelf -dW "$B/dragoman-static" | awk '/RELRSZ/ { print $3 }')"
fi
cc -O1 -no-pie -static -o "$T/b" "$T/a.c"
cc -O1 -fPIE -static-pie -o "$T/c" "$T/a.c"
echo >"$T/d"
for bad in b c d; do
	before=$(sha1sum <"$T/$bad")
	"$B/prelink" "$T/$bad" $place 2>"$T/err"
	same "prelink of $bad is refused" "1 1 $before" "$? $(wc -l <"$T/err") $(sha1sum <"$T/$bad")"
done
# Its first thread's data lie among its other data, not in a heap of their own.
for g in aarch64 riscv64; do
	command -v $g-linux-gnu-gcc >/dev/null || { echo "SKIP $g: no $g-linux-gnu-gcc"; k=$((k + 1)); continue; }
	printf '#include <unistd.h>\nint main(void) { char c; return (int)read(0, &c, 1); }\n' >"$T/waits.c"
	$g-linux-gnu-gcc -O2 -static -o "$T/waits-$g" "$T/waits.c"
	mkfifo "$T/in-$g"
	"$B/dragoman-static" --cache off "$T/waits-$g" <"$T/in-$g" &
	exec 9>"$T/in-$g"
	for ((i = 0; i < 50; i++)); do
		grep -q "waits-$g" "/proc/$!/maps" && break
		sleep 0.1
	done
	same "$g: mappings beside the static program that are of no file" 1 "$(grep -c '^7e00.* 00:00 0' "/proc/$!/maps")"
	exec 9>&-
	wait $!
done
echo "$p passed, $f failed, $k skipped"
[ $f = 0 ]
