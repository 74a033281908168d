#!/bin/bash
# real.sh BUILD: CPU time of real programs, Debian's foreign ones against Debian's native ones: ratios to native of
# qemu-user and of dragoman, interleaved medians, their geometric means, and what is above the limit.
#   GUESTS="aarch64 riscv64"  which guests       RUNS=3   rounds       KEEP=regex    rows
#   QEMU=qemu-                prefix of the peer's programs
#   ROOT_aarch64=DIR ROOT_riscv64=DIR            userlands (tools/rootfs.sh); a guest without one is left out
#   DRAGOMAN_CACHE=off        cold: without translations of earlier rounds
#   ROOT_native=DIR           a userland of the host's architecture and the same release; else the host's own
#                             programs are run, which may be of other versions.  With gcc-aarch64-linux-gnu and
#                             gcc-riscv64-linux-gnu in it there is a row for a native compiler that makes the guest's code
set -eu
export XTIME_LIMIT=60 LC_ALL=C PYTHONHASHSEED=0 PYTHONDONTWRITEBYTECODE=1
B=$(cd "$1" && pwd) here=$(cd "$(dirname "$0")" && pwd) W=$B/real
as= guests=${GUESTS:-aarch64 riscv64} mean=1.8 most=2.5
# shellcheck disable=SC2086
[ -e "$B/mb/xtime" ] || "$here/build.sh" "$B/mb" native $guests
prime=FFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD129024E088A67CC74020BBEA63B139B22514A08798E3404DDEF9519B3CD3A431B
prime=${prime}302B0A6DF25F14374FE1356D6D51C245E485B576625E7EC6F44C42E9A637ED6B0BFF5CB6F406B7EDEE386BFB5A899FA5AE9F24117C4B1FE6
prime=${prime}49286651ECE45B3DC2007CB8A163BF0598DA48361C55D39A69163FA8FD24CF5F83655D23DCA3AD961C62F356208552BB9ED529077096966D
prime=${prime}670C354E4ABC9804F1746C08CA18217C32905E462E36CE3BE39E772C180E86039B2783A2EC07A28FB5C55DF06F4C52C9DE2BCBF695581718
prime=${prime}3995497CEA956AE515D2261898FA051015728E5A8AACAA68FFFFFFFFFFFFFFFF    # RFC 3526, 2048 bits
inputs() {
	mkdir -p "$W"
	seq 1 120000 | awk '{ x = ($1 * 1103515245 + 12345) % 2147483648
	    printf "%d word%d the quick brown fox %x\n", $1, x % 977, x }' >"$W/text"
	cat "$W/text" "$W/text" "$W/text" "$W/text" "$W/text" "$W/text" "$W/text" "$W/text" >"$W/big"
	cat "$W/big" "$W/big" "$W/big" "$W/big" >"$W/huge"
	xz -T1 -3 -k -c "$W/text" >"$W/text.xz"
	gzip -k -c "$W/big" >"$W/big.gz"
	zstd -q -k -c "$W/big" >"$W/big.zst"
	awk -f "$here/real/unit.awk" >"$W/unit.c"
}
native() { # program: the words that run it, in cmd
	local R=${ROOT_native:-} p=/usr/$1
	case $1 in libexec/gcc/*) p=$(gcc -print-prog-name=cc1) ;; esac
	if [ -z "$R" ]; then
		[ -e "$p" ] || p=${p%[0-9].*}          # python3.13 there, python3 here
		cmd=("$p")
	else
		p=("$R"/usr/$1)
		cmd=(env "PYTHONHOME=$R/usr" "$R/lib64/ld-linux-x86-64.so.2" --library-path
		    "$R/usr/lib/x86_64-linux-gnu" "${p[0]}")
	fi
}
row() { # name, program below /usr of the root (may be a pattern), arguments; as: the native one, if that is another
	local name=$1 prog=$2 exe cmd
	shift 2
	[[ $name =~ ${KEEP:-.} ]] || return 0
	exe=("$root"/usr/$prog)
	native "${as:-$prog}"
	[ -e "${exe[0]}" ] || { echo "$g $name 0 0 0 0 0 0 missing"; return 0; }
	"$B/mb/xtime" "${RUNS:-3}" -- "${cmd[@]}" "$@" -- "${peer[@]}" -L "$root" "${exe[0]}" "$@" -- \
	    "$B/dragoman" -L "$root" "${exe[0]}" "$@" |
	    awk -v g="$g" -v name="$name" '{ t[NR] = $1; st[NR] = $6; h[NR] = $7 }
		END { print g, name, t[1], t[2], t[3], st[1], st[2], st[3], st[2] || st[3] || h[2] == h[3] ? "" : "differs" }'
}
rows() {
	row nbody bin/python3.13 "$here/real/nbody.py"
	row objects bin/python3.13 "$here/real/objects.py"
	row text.py bin/python3.13 "$here/real/text.py" "$W/text"
	row perl bin/perl "$here/real/regex.pl" "$W/text"
	row lua bin/lua5.4 "$here/real/mix.lua"
	row sqlite3 bin/sqlite3 :memory: ".read $here/real/query.sql"
	row bash bin/bash "$here/real/loop.sh"
	row xz bin/xz -T1 -3 -k -c "$W/text"
	row unxz bin/xz -T1 -d -k -c "$W/text.xz" "$W/text.xz" "$W/text.xz" "$W/text.xz"
	row gzip bin/gzip -k -c "$W/text"
	row gunzip bin/gzip -d -k -c "$W/big.gz"
	row zstd bin/zstd --single-thread -q -9 -k -c "$W/big"
	row unzstd bin/zstd --single-thread -q -d -k -c "$W/big.zst" "$W/big.zst" "$W/big.zst"
	row sha256 bin/openssl dgst -sha256 "$W/huge"
	row aes bin/openssl enc -aes-128-cbc -K 00112233445566778899aabbccddeeff -iv 00 -in "$W/huge"
	row chacha20 bin/openssl enc -chacha20 -K 00112233445566778899aabbccddeeff -iv 00 -in "$W/huge"
	row modexp2048 bin/openssl prime -checks 100 -hex "$prime"
	row cc1 'libexec/gcc/*/*/cc1' -quiet -O2 "$W/unit.c" -o /dev/null
	# gcc for the host has less to do than gcc for the guest
	as=libexec/gcc-cross/$g-linux-gnu/14/cc1
	[ ! -e "${ROOT_native:-}/usr/$as" ] || row cc1,same-code 'libexec/gcc/*/*/cc1' -quiet -O2 "$W/unit.c" -o /dev/null
	as=
}
[ -e "$W/unit.c" ] || inputs
for g in $guests; do
	root=ROOT_$g root=${!root:-}
	peer=("${QEMU:-qemu-}$g")
	[ "$g" != aarch64 ] || peer+=(-cpu max,pauth-impdef=on)        # the peer's pointer authentication is slow
	if [ -n "$root" ]; then rows; else echo "real.sh: no ROOT_$g: $g left out" >&2; fi
done | awk -v mean=$mean -v most=$most '
function show(st, t) { return st || $3 <= 0 ? "-" : sprintf("%.2f", t / $3) }
$9 == "missing" || $6 { print $1, $2 ": not there" >"/dev/stderr"; next }
{
	if (!head++) printf "%-8s %-12s %9s %8s %8s   limit %s, geomean %s\n", "guest", "program", "native s", "qemu", "dragoman", most, mean
	printf "%-8s %-12s %9.3f %8s %8s %s\n", $1, $2, $3, show($7, $4), show($8, $5), $9
	if ($8) { failed = failed " " $1 ":" $2; next }
	s[$1] += log($5 / $3); n[$1]++; all += log($5 / $3); m++
	if ($5 / $3 > most) over = over sprintf(" %s:%s %.2f", $1, $2, $5 / $3)
	if (!$7 && $5 > $4) slow = slow " " $1 ":" $2
}
END {
	if (!m) exit
	for (g in n) printf "geomean %-8s %.2f\n", g, exp(s[g] / n[g])
	printf "real     %.2f  limit %s  %s %s\n", exp(all / m), mean, exp(all / m) <= mean && over == "" ? "pass" : "miss", over
	printf "slower than qemu-user:%s\n", slow == "" ? " none" : slow
	if (failed != "") printf "failed:%s\n", failed
}'
