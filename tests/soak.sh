#!/bin/bash
# soak.sh BUILD HOURS: acceptance programs in random order, two at a time, each with engine switches drawn at random, until the
# time is up (fractions are allowed) or something differs.  What differs is printed with the command that replays it.
#   ROOT_arm64=DIR ROOT_riscv64=DIR   userlands (tools/rootfs.sh) for Debian's programs; without them the build's own, if there
#   SEED=N                            another order       KEEP=1   go on after a failure
# Expects the programs of tests/check.d/10-prog.sh to be built.
set -u
B=$(cd "$1" && pwd) here=$(cd "$(dirname "$0")" && pwd)
until=$(awk -v h="$2" -v now="$(date +%s)" 'BEGIN { printf "%d", now + h * 3600 }')
RANDOM=${SEED:-1}
dragoman=$B/dragoman T=$(mktemp -d)
trap 'rm -rf "$T"' EXIT
export DRAGOMAN_CACHE=off
ulimit -c 0
progs=(deep faults smc cipher sig_basic sig_claim sig_jump sig_storm thr_basic thr_smc thr_atomic thr_exec thr_litmus vfork_kill proc_self)
cases=(busybox bash bash-pipelines coreutils grep-sed-awk find-tar xz zstd perl python python-threads git openssl sqlite3 lua luajit
	python-test_signal python-test_subprocess python-test_threading gcc-c g++-exceptions-threads make-j2)
switches=("" "" "--cache $T/warm" "--cache $T/warm" "--cache $T/new" "--host-off avx512" "--host-off avx512,avx2,avx,bmi2" "--host-off callret"
	"--host-off jumpcache" "--code-size 1" "--code-size 4" "-d nochain -D /dev/null")
one() { # number, guest, kind, name, switches: prints what went wrong, or nothing
	local g=$2 debian=arm64 root log=$T/log.$1 want got
	[ "$g" = riscv64 ] && debian=riscv64
	root=ROOT_$debian root=${!root:-$B/root-$debian}
	[ "$5" != "--cache $T/new" ] || rm -rf "$T/new"
	if [ "$3" = prog ]; then
		[ -x "$B/prog/$g-static-$4" ] || return 0
		want=$(cat "$here/prog/$4.out" 2>/dev/null || timeout 100 "$dragoman" "$B/prog/$g-static-$4" 2>&1 </dev/null)
		# shellcheck disable=SC2086
		got=$(timeout 200 "$dragoman" $5 "$B/prog/$g-static-$4" 2>&1 </dev/null)
		[ "$got" = "$want" ] || echo "$g $4 with '$5': $(diff <(echo "$want") <(echo "$got") | head -c 300); replay: $dragoman $5 $B/prog/$g-static-$4"
	elif [ -d "$root" ]; then
		TMO=800 "$here/userland.sh" "$dragoman $5" "$root" "$4" >"$log" 2>&1
		! grep -q '^FAIL' "$log" || echo "$g $(grep -m1 '^FAIL' "$log") with '$5'; replay: tests/userland.sh '$dragoman $5' $root '$4'"
	fi
}
n=0 bad=0
while [ "$(date +%s)" -lt "$until" ] && { [ $bad = 0 ] || [ -n "${KEEP:-}" ]; }; do
	for slot in 1 2; do
		g=aarch64; [ $((RANDOM % 2)) = 0 ] || g=riscv64
		if [ $((RANDOM % 3)) = 0 ]; then kind=prog name=${progs[RANDOM % ${#progs[@]}]}; else kind=case name=${cases[RANDOM % ${#cases[@]}]}; fi
		one $slot $g $kind "$name" "${switches[RANDOM % ${#switches[@]}]}" >"$T/out.$slot" 2>&1 &
	done
	wait
	for slot in 1 2; do
		n=$((n + 1))
		[ ! -s "$T/out.$slot" ] || { bad=$((bad + 1)); echo "FAIL run $n: $(cat "$T/out.$slot")"; }
	done
done
echo "$n runs, seed ${SEED:-1}"
echo "$((n - bad)) passed, $bad failed, 0 skipped"
[ $bad = 0 ]
