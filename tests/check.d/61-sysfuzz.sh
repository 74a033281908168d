#!/bin/bash
# Random system calls with corner values by a guest (tests/fuzz/sysfuzz.c), as root of namespaces of their own, chrooted to a
# small tmpfs.  A report of dragoman's own (bug, crash) is a failure.  CHILDREN, CALLS: how much; SEED: which.
set -u
B=$(cd "$1" && pwd) here=$(cd "$(dirname "$0")/.." && pwd)
T=$(mktemp -d)
trap 'rm -rf "$T"' EXIT
p=0 f=0 k=0
for g in aarch64 riscv64; do
	"$g-linux-gnu-gcc" -O1 -w -static -o "$T/$g" "$here/fuzz/sysfuzz.c" || { echo "FAIL $g: sysfuzz.c does not build"; f=$((f + 1)); continue; }
	mkdir -p "$T/$g.root"
	# the guest's calls see nothing of this machine: mount, pid, net, ipc, uts and user namespaces, and a root of 16 MiB
	timeout 540 unshare -Urmpnui --fork --kill-child setsid -w bash -c '
		set -e
		mount -t tmpfs -o size=16m none "$1"
		mkdir "$1/proc" "$1/d" "$1/bin"
		mount -t tmpfs none "$1/bin"
		cp "$2" "$1/bin/dragoman"; cp "$3" "$1/bin/prog"
		mount -o remount,ro "$1/bin"   # no kernel denies writes to what a translator runs
		mount -t proc none "$1/proc"
		exec chroot "$1" /bin/dragoman /bin/prog "$4" "$5" "$6"' \
		sysfuzz "$T/$g.root" "${DRAGOMAN:-$B/dragoman-static}" "$T/$g" "${SEED:-1}" "${CHILDREN:-150}" "${CALLS:-40}" >"$B/log.sysfuzz-$g" 2>&1
	rc=$?
	if grep -aq '^unshare: ' "$B/log.sysfuzz-$g"; then
		echo "SKIP $g: no user namespaces here: $(grep -am1 '^unshare: ' "$B/log.sysfuzz-$g")"; k=$((k + 1))
	elif [ $rc = 0 ] && ! grep -aq 'dragoman: ' "$B/log.sysfuzz-$g"; then
		p=$((p + 1)); grep -ao '[0-9]* children, [0-9]* killed.*' "$B/log.sysfuzz-$g"
		echo "summary $g random-system-calls $((${CHILDREN:-150} * ${CALLS:-40}))"
	else
		f=$((f + 1)); echo "FAIL $g: exit $rc, seed ${SEED:-1}: $(grep -a 'dragoman: ' "$B/log.sysfuzz-$g" | head -3)"
	fi
done
echo "$p passed, $f failed, $k skipped"
[ $f = 0 ]
