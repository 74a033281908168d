#!/bin/bash
# The command line and bad input: what is said, and with which exit status.  A failure is one line on
# stderr that starts with "dragoman:"; 127 not found, 126 cannot run, 255 options and limits.
set -u
B=$(cd "$1" && pwd)
dragoman=${DRAGOMAN:-$B/dragoman}
p=0 f=0 k=0
W=$(mktemp -d)
trap 'rm -rf "$W"' EXIT
chmod 755 "$W"
cd "$W" || exit 1
ulimit -c 0
unset "${!QEMU_@}" "${!DRAGOMAN_@}"
fail() { echo "FAIL $*"; f=$((f + 1)); }
skip() { echo "SKIP $*"; k=$((k + 1)); }
# bad NAME STATUS TEXT command...: one line with TEXT, that status, nothing on stdout
bad() {
	local what=$1 want=$2 text=$3 rc
	shift 3
	timeout 20 "$@" >out 2>err </dev/null
	rc=$?
	if [ $rc != "$want" ] || [ "$(wc -l <err)" != 1 ] || ! grep -q '^dragoman: ' err || ! grep -qF -- "$text" err || [ -s out ]; then
		fail "$what: exit $rc, expected $want with '$text'; $(head -c 300 err)"
	else p=$((p + 1)); fi
}
# good NAME OUTPUT command...: that output, status 0, silence on stderr
good() {
	local what=$1 want=$2 got rc
	shift 2
	got=$(timeout 20 "$@" 2>err </dev/null)
	rc=$?
	if [ $rc != 0 ] || [ "$got" != "$want" ] || [ -s err ]; then
		fail "$what: exit $rc, got '$(head -c 200 <<<"$got")', expected '$want'; $(head -c 300 err)"
	else p=$((p + 1)); fi
}
has() { # NAME PATTERN FILE
	if grep -qE -- "$2" "$3"; then p=$((p + 1)); else fail "$1: no line like '$2'; $(head -3 "$3")"; fi
}
cat >args.c <<'C'
#include <stdio.h>
#include <poll.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>
extern char **environ;
int main(int c, char **v)
{
	struct utsname u;
	if (c > 1 && !strcmp(v[1], "forks")) {
		for (int i = 0; i < 20; i++)
			if (fork())
				return wait(0) < 0;
		execl("/proc/self/exe", "args", "uname", (char *)0);
	}
	for (int i = 0; i < c; i++)
		printf("%s%s", i ? " " : "", i || *v[0] != '/' ? v[i] : strrchr(v[0], '/') + 1);
	for (char **e = environ; *e; e++)
		if (!strncmp(*e, "T_", 2))
			printf(" %s", *e);
	uname(&u);
	if (c > 1 && !strcmp(v[1], "stack"))
		printf(" %d", (int)((unsigned long)&u >> 30));
	if (c > 1 && !strcmp(v[1], "data"))
		printf(" %d", mmap(0, 600 << 20, 3, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED);
	if (c > 1 && !strcmp(v[1], "poll"))
		printf(" %d", poll(0, 0, 1));
	if (c > 1 && !strcmp(v[1], "uname"))
		printf(" %s %s", u.machine, u.release);
	puts("");
	if (c > 1 && !strcmp(v[1], "closes"))          /* as GNU's programs do, and daemons */
		for (int fd = 0; fd < 1024; fd++)
			close(fd);
	return 0;
}
C
cat >refuse.c <<'C'
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>
int main(int c, char **v)              /* NUMBER COMMAND...: that system call is refused */
{
	struct sock_filter f[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, atoi(v[1]), 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog p = {4, f};
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &p) ? 9 : execv(v[2], v + 2);
}
C
# patch FILE OFFSET BYTES (printf form)
patch() { printf "$3" | dd of="$1" bs=1 seek="$2" conv=notrunc status=none; }
copy() { cp "$exe" "$1"; chmod 755 "$1"; }

badfiles() { # of guest $g
	: >empty; chmod +x empty
	printf 'hello' >text; chmod +x text
	bad "$g missing file" 127 "absent: no such file" "$dragoman" absent
	bad "$g not a directory" 127 "no such file" "$dragoman" "$exe/x"
	bad "$g directory" 126 "directory" "$dragoman" .
	bad "$g empty file" 126 "empty: not an ELF program" "$dragoman" ./empty
	bad "$g text" 126 "not an ELF program" "$dragoman" ./text
	rm -f fifo; mkfifo -m 755 fifo
	bad "$g pipe" 126 "regular file" timeout 9 "$dragoman" ./fifo
	bad "$g device" 126 "regular file" "$dragoman" /dev/null
	copy plain; chmod 644 plain
	bad "$g no execute bit" 126 "chmod +x" "$dragoman" ./plain
	for n in 1 16 63 64 100 300; do
		head -c $n "$exe" >cut; chmod +x cut
		bad "$g first $n bytes" 126 "cut: " "$dragoman" ./cut
	done
	head -c 3000 "$exe" >cut
	bad "$g first 3000 bytes" 126 "damaged ELF file" "$dragoman" ./cut
	copy mips; patch mips 18 '\x08\x00'
	bad "$g machine changed to MIPS" 126 "MIPS" "$dragoman" ./mips
	copy class; patch class 4 '\x07'
	bad "$g class 7" 126 "header" "$dragoman" ./class
	copy rel; patch rel 16 '\x01\x00'
	bad "$g object file" 126 "object file" "$dragoman" ./rel
	copy phnum; patch phnum 56 '\xff\xff'
	bad "$g 65535 program headers" 126 "program header" "$dragoman" ./phnum
	copy phoff; patch phoff 32 '\xf0\xff\xff\xff\xff\xff\xff\xff'
	bad "$g headers wrap around" 126 "program header" "$dragoman" ./phoff
	# the second PT_LOAD of a static program: find it
	local i at=64 seen=0
	for ((i = 0; i < 12; i++, at += 56)); do
		[ "$(od -An -tu4 -j$at -N4 "$exe" | tr -d ' ')" = 1 ] && seen=$((seen + 1))
		[ $seen = 2 ] && break
	done
	copy seg; patch seg $((at + 40)) '\xff\xff\xff\xff\xff\xff\xff\x7f'
	bad "$g memsz huge" 126 "address space" "$dragoman" ./seg
	copy seg; patch seg $((at + 40)) '\x00\x00\x00\x00\x00\x7f\x00\x00'
	bad "$g memsz 127 TiB" 255 "cannot reserve" "$dragoman" ./seg
	copy seg; patch seg $((at + 16)) '\x00\xf0\xff\xff\xff\xff\xff\xff'
	bad "$g vaddr wraps around" 126 "damaged" "$dragoman" ./seg
	copy seg; patch seg $((at + 16)) '\x01'
	bad "$g vaddr misaligned" 126 "damaged" "$dragoman" ./seg
	copy seg; patch seg $((at + 48)) '\x03'
	bad "$g alignment 3" 126 "power of two" "$dragoman" ./seg
	copy seg; patch seg $((at + 8)) '\x00\x00\x00\x7f'
	bad "$g segment beyond the file" 126 "complete" "$dragoman" ./seg
	copy seg; patch seg $((at + 16)) '\x00\x00\x00\x00\x00\x00\x00\x00'
	bad "$g segments out of order" 126 "damaged" "$dragoman" ./seg
	copy seg; patch seg 24 '\x00\x00\x00\x00\x00\x00\xff\xff'
	{ timeout 20 "$dragoman" ./seg; } >out 2>err
	[ $? = 139 ] && p=$((p + 1)) || fail "$g entry point nowhere: $? $(cat err)"
}

interpreters() { # of guest $g
	mkdir -p nolib
	if [ ! -e "/lib/$loader" ]; then
		bad "$g no interpreter" 127 "/lib/$loader" "$dragoman" "$dyn"
		has "$g says how" "point -L" err
		bad "$g -L of nothing" 127 "/lib/$loader" "$dragoman" -L "$W/nothing" "$dyn"
		bad "$g -L without it" 127 "point -L" "$dragoman" -L nolib "$dyn"
	fi
	mkdir -p "root/lib"
	cp text "root/lib/$loader"
	bad "$g interpreter is text" 126 "/lib/$loader cannot be used" "$dragoman" -L root "$dyn"
	ln -sfn "/usr/$g-linux-gnu" rootlink
	good "$g relative -L" "dyn a" "$dragoman" -L rootlink "$dyn" a
	good "$g -L with slashes" "dyn a" "$dragoman" -L "/usr//$g-linux-gnu///" "$dyn" a
	good "$g -L /" "args a" "$dragoman" -L / "$exe" a
}

scripts() { # of guest $g
	printf '#!%s one  two \nrest\n' "$exe" >s1; printf '#!/nowhere/x\n' >s2
	printf '#!%s/s3\n' "$W" >s3; printf '#!\n' >s4; printf '#! \t%s' "$exe" >s5
	printf '#!%s/s1\n' "$W" >s6
	chmod +x s?
	good "$g script with arguments" "args one  two ./s1 a b" "$dragoman" ./s1 a b
	good "$g script without newline" "args ./s5 a" "$dragoman" ./s5 a
	good "$g script of a script" "args one  two $W/s1 ./s6 a" "$dragoman" ./s6 a
	bad "$g script without interpreter" 127 "/nowhere/x does not exist" "$dragoman" ./s2
	bad "$g interpreter loop" 126 "s3" "$dragoman" ./s3
	bad "$g empty #! line" 126 "s4" "$dragoman" ./s4
}

options() { # of guest $g
	bad "$g unknown option" 255 "unknown option '-nonsense'" "$dragoman" -nonsense "$exe"
	bad "$g missing argument" 255 "needs" "$dragoman" -L
	bad "$g no program" 255 "no program" "$dragoman"
	bad "$g no program after options" 255 "no program" "$dragoman" -strace
	bad "$g no program after --" 255 "no program" "$dragoman" --
	bad "$g -d of nothing" 255 "unknown log item" "$dragoman" -d in_asm,x "$exe"
	bad "$g -s no number" 255 "not a number" "$dragoman" -s many "$exe"
	bad "$g -s negative" 255 "not a number" "$dragoman" -s -1 "$exe"
	bad "$g -s too large a number" 255 "not a number" "$dragoman" -s 99999999999999999999999 "$exe"
	bad "$g -s more than there is" 255 "the stack" "$dragoman" -s 255T "$exe"
	bad "$g -s overflows" 255 "not a number" "$dragoman" -s 17179869184G "$exe"
	bad "$g -p odd" 255 "page size" "$dragoman" -p 5000 "$exe"
	bad "$g --host of nothing" 255 "host" "$dragoman" --host none "$exe"
	bad "$g -D in no directory" 126 "cannot open" "$dragoman" -D "$W/no/log" "$exe"
	good "$g options after the program" "args -L x -strace -- --help" "$dragoman" "$exe" -L x -strace -- --help
	good "$g --" "args -a" "$dragoman" -- "$exe" -a
	good "$g long names" "zero a" "$dragoman" --argv0=zero --root / "$exe" a
	good "$g -E" "args T_A=1 T_B=2" "$dragoman" -E T_A=1 -E T_B=2 "$exe"
	good "$g -E with comma" "args T_A=1 T_B=2" "$dragoman" -E T_A=1,T_B=2 "$exe"
	good "$g -E replaces" "args T_A=2" env T_A=1 "$dragoman" -E T_A=2 "$exe"
	good "$g -U" "args T_B=2" env T_A=1 T_B=2 "$dragoman" -U T_A "$exe"
	good "$g -0" "zero a" "$dragoman" -0 zero "$exe" a
	good "$g -0 empty" " a" "$dragoman" -0 "" "$exe" a
	good "$g QEMU_ARGV0" "q a" env QEMU_ARGV0=q "$dragoman" "$exe" a
	good "$g DRAGOMAN_ARGV0 wins" "d a" env QEMU_ARGV0=q DRAGOMAN_ARGV0=d "$dragoman" "$exe" a
	good "$g the command line wins" "c a" env DRAGOMAN_ARGV0=d "$dragoman" -0 c "$exe" a
	good "$g QEMU_SET_ENV" "args T_Q=1" env QEMU_SET_ENV=T_Q=1 "$dragoman" "$exe"
	good "$g QEMU_LD_PREFIX" "dyn a" env QEMU_LD_PREFIX="/usr/$g-linux-gnu" "$dragoman" "$dyn" a
	good "$g -r" "args uname $g 4.5.6" "$dragoman" -r 4.5.6 "$exe" uname
	good "$g -r after forks" "args uname $g 4.5.6" "$dragoman" -r 4.5.6 "$exe" forks
	good "$g -s" "args a" "$dragoman" -s 64M "$exe" a
	good "$g -s small" "args a" "$dragoman" -s 1 "$exe" a
	good "$g -cpu max" "args a" "$dragoman" -cpu max "$exe" a
	good "$g -cpu of QEMU's" "args a" "$dragoman" -cpu cortex-a57 "$exe" a
	good "$g -B -R" "args a" "$dragoman" -B 0x1000 -R 4G "$exe" a
	good "$g -R too small" "args stack 15" "$dragoman" -R 4G "$exe" stack
	good "$g -R" "args stack 31" "$dragoman" -R 32G "$exe" stack
	good "$g --seed" "args a" "$dragoman" --seed 7 "$exe" a
	good "$g -one-insn-per-tb" "args a" "$dragoman" -one-insn-per-tb "$exe" a
	good "$g -tb-size" "args a" "$dragoman" -tb-size 2 "$exe" a
}

logs() { # of guest $g
	"$dragoman" -d in_asm,op,out_asm -D "log.%d" "$exe" a >out 2>err
	set -- log.*
	[ $# = 1 ] && [ -s "$1" ] && [ ! -s err ] && p=$((p + 1)) || fail "$g -D log.%d: $*"
	has "$g in_asm" '^(0x)?[0-9a-f]+:.*[a-z]' "$1"
	rm -f log.*
	"$dragoman" -strace "$exe" a >out 2>err
	has "$g strace write" 'write\(1, "args a\\n", 7\) *= 7' err
	has "$g strace exit" 'exit_group\(0\)' err
	QEMU_STRACE=1 "$dragoman" -D trace "$exe" a >out 2>err
	has "$g strace to a file" 'exit_group\(0\)' trace
	QEMU_STRACE=1 "$dragoman" -D trace "$exe" closes >out 2>err
	has "$g the log's file is not the guest's" 'exit_group\(0\)' trace
	"$dragoman" -d stats "$exe" closes >out 2>err
	has "$g the log goes on without stderr" 'regions translated' err
}

limits() { # of guest $g
	for v in 9000 11000 12000 13000 15000 17000 20000; do  # runs, or says so
		(ulimit -v $v; exec "$dragoman-static" "$exe" a) >out 2>err
		case $? in
		0) grep -qx 'args a' out ;;
		255) [ "$(wc -l <err)" = 1 ] && grep -qE '^dragoman: .*(address space|memory)' err ;;
		*) false ;;
		esac && p=$((p + 1)) || fail "$g ulimit -v $v: $(head -c 300 err)"
	done
	good "$g ulimit -v 40000" "args a" bash -c 'ulimit -v 40000; exec "$@"' - "$dragoman-static" "$exe" a
	good "$g ulimit -v 2000000" "dyn a" bash -c 'ulimit -v 2000000; exec "$@"' - "$dragoman" -L "/usr/$g-linux-gnu" "$dyn" a
	good "$g ulimit -d 1400000" "args data 1" bash -c 'ulimit -d 1400000; exec "$@"' - "$dragoman" "$exe" data
	good "$g ulimit -s 64M" "args a" bash -c 'ulimit -s 65536; exec "$@"' - "$dragoman" "$exe" a
	good "$g ulimit -s unlimited" "args a" bash -c 'ulimit -s unlimited; exec "$@"' - "$dragoman" "$exe" a
	good "$g ulimit -n 4" "args a" bash -c 'ulimit -n 4; exec "$@"' - "$dragoman" "$exe" a
	if unshare -Urm true 2>/dev/null; then
		mkdir -p empty.d
		good "$g without /proc" "dyn a" unshare -Urm bash -c 'mount --bind empty.d /proc; exec "$@"' - \
			"$dragoman" -L "/usr/$g-linux-gnu" "$dyn" a
	else
		skip "$g without /proc: no user namespaces"
	fi
}

# What sandboxes refuse and dragoman can do without.
sandboxes() { # of guest $g
	local call
	for call in openat2 faccessat2 prlimit64 rseq kcmp madvise statx sched_yield sigaltstack close_range; do
		good "$g $call is refused" "args poll 0" ./refuse "$(cpp -dM -include sys/syscall.h /dev/null | sed -n "s/^#define __NR_$call //p")" \
			"$dragoman" "$exe" poll
	done
}

unreadable() { # of guest $g
	local nobody=
	copy secret; chmod 311 secret
	[ "$(id -u)" = 0 ] && nobody="setpriv --reuid 65534 --regid 65534 --clear-groups"
	bad "$g unreadable program" 126 "Permission denied" $nobody "$dragoman" ./secret
	mkdir -p closed; cp "$exe" closed/x; chmod 700 closed
	[ -n "$nobody" ] && bad "$g closed directory" 126 "Permission denied" $nobody "$dragoman" closed/x
	if unshare -Urm true 2>/dev/null; then
		mkdir -p ne
		bad "$g mounted noexec" 126 "noexec" unshare -Urm bash -c \
			'mount -t tmpfs -o noexec none ne && cp "$1" ne/x && exec "$2" ne/x' - "$exe" "$dragoman"
	else
		skip "$g mounted noexec: no user namespaces"
	fi
}

# What "dragoman guests" prints is what binfmt_misc takes.
binfmt() { # of guest $g
	local magic mask
	magic=$("$dragoman" guests | sed -n "/^$g\$/{n;s/.*magic *//p}")
	mask=$("$dragoman" guests | sed -n "/^$g\$/{n;n;s/.*mask *//p}")
	[ -n "$magic" ] && [ -n "$mask" ] && p=$((p + 1)) || fail "$g is not in 'dragoman guests'"
	if ! unshare -Urm sh -c 'mount -t binfmt_misc none /proc/sys/fs/binfmt_misc && [ -w /proc/sys/fs/binfmt_misc/register ]' 2>/dev/null; then
		skip "$g registered with binfmt_misc: this kernel has none for user namespaces"
		return
	fi
	good "$g registered with binfmt_misc" "args a" unshare -Urm bash -c 'mount -t binfmt_misc none /proc/sys/fs/binfmt_misc
		printf "%s" ":dragoman-test:M::$1:$2:$3:F" >/proc/sys/fs/binfmt_misc/register; shift 3; exec "$@"' - \
		"$magic" "$mask" "$dragoman" "$exe" a
}

for what in -version --version -h --help guests "-cpu help"; do
	# shellcheck disable=SC2086
	"$dragoman" $what >out 2>err
	[ $? = 0 ] && [ -s out ] && [ ! -s err ] && p=$((p + 1)) || fail "$what"
done
cc -w -o refuse refuse.c || fail refuse.c
good "a host program" "host" "$dragoman" /bin/echo host
printf '#!/bin/echo -n\n' >hs; chmod +x hs
good "a script of the host" "./hs a" "$dragoman" ./hs a
for g in ${GUEST:-aarch64 riscv64}; do
	command -v "$g-linux-gnu-gcc" >/dev/null || { skip "$g: no $g-linux-gnu-gcc"; continue; }
	case $g in aarch64) loader=ld-linux-aarch64.so.1 ;; riscv64) loader=ld-linux-riscv64-lp64d.so.1 ;; esac
	mkdir -p "$g"
	exe=$W/$g/args dyn=$W/$g/dyn
	"$g-linux-gnu-gcc" -O1 -w -static -o "$exe" args.c && "$g-linux-gnu-gcc" -O1 -w -o "$dyn" args.c || { fail "$g: args.c"; continue; }
	for part in badfiles interpreters scripts options logs limits sandboxes unreadable binfmt; do $part; done
done
echo "$p passed, $f failed, $k skipped"
[ $f = 0 ]
