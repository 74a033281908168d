#!/bin/bash
# run.sh BUILD: the micro set natively, under qemu-user and under dragoman, in one interleaved run per
# guest; ratios of CPU time to native, and dragoman's speed-up over qemu-user in brackets; then a line a class
# against its limits (file limits).  Then start-up (start.sh) and real programs (real.sh).
#   GUESTS="aarch64 riscv64"  which guests       RUNS=5   rounds         SCALE=60  work in percent
#   QEMU=qemu-                prefix of the peer's programs (a directory of a newer one may precede)
#   KEEP=regex                only kernels whose "class name" matches
set -eu
B=$(cd "$1" && pwd) here=$(cd "$(dirname "$0")" && pwd)
guests=${GUESTS:-aarch64 riscv64}
# shellcheck disable=SC2086
[ -e "$B/mb/xtime" ] || "$here/build.sh" "$B/mb" native $guests
tsv=$(mktemp -d) DRAGOMAN_CACHE=$B/bench-cache         # translations kept from run to run, as users have them
export DRAGOMAN_CACHE
trap 'rm -rf "$tsv"' EXIT
rm -rf "$DRAGOMAN_CACHE"
for g in $guests; do
	"$here/bench.sh" -d "$B/mb" -g "$g" -r "${RUNS:-5}" -s "${SCALE:-60}" -k "${KEEP:-.}" -t "$tsv/$g" \
		"qemu=${QEMU:-qemu-}$g" "dragoman=$B/dragoman-static"
	echo
done
# shellcheck disable=SC2086
(cd "$tsv" && awk -f "$here/table.awk" "$here/limits" $guests)
echo
[ "${KEEP:-.}" = . ] || exit 0
"$here/start.sh" "$B"
echo
"$here/cold.sh" "$B"
echo
"$here/real.sh" "$B"
