# lint.awk - refuses what the shape of the tree forbids; run over all C files of src and tools
#   an include that climbs the staircase of rooms
#   a conditional on architecture or mode outside src/backend
#   a function over 80 lines, a file over 800, a line over 120 columns
# Prints FILE:LINE: what, and exits with 1 if there was anything.

BEGIN {
	split("base:0 ir:1 frontend:2 backend:2 core:3 loader:4 syscall:4 threads:5", a, " ")
	for (i in a) {
		split(a[i], kv, ":")
		step[kv[1]] = kv[2]
	}
}

function complain(what) {
	printf "%s:%d: %s\n", FILENAME, FNR, what
	bad = 1
}

FNR == 1 {
	if (lines > 800)
		printf "%s: %d lines (800 at most)\n", last, lines, bad = 1
	room = ""
	if (split(FILENAME, path, "/") > 2 && path[1] == "src")
		room = path[2]
	open = 0
	last = FILENAME
}

{ lines = FNR }

length($0) > 120 { complain("line of " length($0) " columns") }

/^#[ \t]*include "/ && room != "" {
	inc = $0
	sub(/.*include "/, "", inc)
	sub(/[\/"].*/, "", inc)
	# a guest's folder stays whole: its Linux ABI and signal frames lie in it
	if (inc == "syscall" && FILENAME ~ /^src\/frontend\/[a-z0-9]+\/(linux|signal)\.c$/)
		next
	if (inc in step && inc != room && step[inc] >= step[room] && !(room == "core" && inc == "frontend"))
		complain("include climbs: " room " must not include " inc)
}

/^[ \t]*#[ \t]*(if|ifdef|ifndef|elif)/ && room != "backend" && FILENAME ~ /^src/ {
	if ($0 ~ /__x86_64__|__aarch64__|__i386__|__arm__|__riscv|__mips|__powerpc|__sparc|TARGET_|CONFIG_/)
		complain("conditional on an architecture outside src/backend")
}

/^[a-zA-Z_].*\)$/ && !/;$/ { head = FNR }
/^\{/ { open = FNR }
/^\}/ {
	if (open && FNR - open > 81)
		complain("function of " FNR - open - 1 " lines (80 at most)")
	open = 0
}

END {
	if (lines > 800) {
		printf "%s: %d lines (800 at most)\n", last, lines
		bad = 1
	}
	exit bad
}
