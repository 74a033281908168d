#!/bin/bash
# Processes and threads by the thousand (tests/prog/storm.c), and what is left of them: the second half must leave no more
# memory, mappings and descriptors than the first did, as the host's /proc has it.  STORM: how many (10000 in make check-full).
set -u
B=$(cd "$1" && pwd) here=$(cd "$(dirname "$0")/.." && pwd)
dragoman=${DRAGOMAN:-$B/dragoman} n=${STORM:-1000}
W=$(mktemp -d)
trap 'rm -rf "$W"' EXIT
p=0 f=0 k=0
fail() { echo "FAIL $*"; f=$((f + 1)); }
ulimit -c 0
mkfifo "$W/in" "$W/out"
held() { # pid: KiB resident, mappings, descriptors, threads
	echo "$(awk '/^VmRSS/ { print $2 }' "/proc/$1/status") $(wc -l <"/proc/$1/maps") $(ls "/proc/$1/fd" | wc -l) $(ls "/proc/$1/task" | wc -l)"
}
storm() { # guest, mode, count, switches
	local g=$1 mode=$2 count=$3 what="$1 $2 $3 ${*:4}" line first= second= last= pid
	shift 3
	"$dragoman" "$@" "$W/$g" "$mode" "$count" <"$W/in" >"$W/out" 2>&1 &
	pid=$!
	exec 3>"$W/in" 4<"$W/out"
	while read -r line <&4; do
		case $line in
		mark)
			if [ -z "$first" ]; then first=$(held "$pid"); else second=$(held "$pid"); fi
			echo go >&3 ;;
		*) last=$line ;;
		esac
	done
	exec 3>&- 4<&-
	wait "$pid"
	[ "$last" = ok ] || { fail "$what: $last"; return; }
	# shellcheck disable=SC2086
	set -- $first $second
	# what the allocator keeps varies by some pages
	if [ "$5" -gt $(($1 + 1024)) ] || [ "$6" -gt $(($2 + 4)) ] || [ "$7" -gt "$3" ] || [ "$8" -gt "$4" ]; then
		fail "$what leaks: KiB, mappings, descriptors, threads were $first, are $second"
	else
		p=$((p + 1))
		echo "ok   $what: $first, then $second"
	fi
}
for g in ${GUEST:-aarch64 riscv64}; do
	command -v $g-linux-gnu-gcc >/dev/null || { echo "SKIP $g: no $g-linux-gnu-gcc"; k=$((k + 1)); continue; }
	$g-linux-gnu-gcc -O2 -w -pthread -static -o "$W/$g" "$here/prog/storm.c" || { fail "$g: storm.c does not build"; continue; }
	storm $g threads "$n"
	storm $g threads "$n" --code-size 1
	storm $g threads $((n / 10)) --host interp
	storm $g forks "$n"
	storm $g execs $((n / 2))
	crowd=$((n > 1000 ? 2000 : n))
	storm $g crowd $crowd
	echo "summary $g threads-created $((2 * n + n / 10 + crowd)), $((crowd / 2)) alive at once"
	echo "summary $g processes-created $((n + n / 2))"
done
echo "$p passed, $f failed, $k skipped"
[ $f = 0 ]
