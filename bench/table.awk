# table.awk - the class table: per class the geometric mean of dragoman's ratios to native, a guest and over all
# guests, against the limits; kernels above theirs, or slower than qemu-user, by name.
#   awk -f table.awk limits tsv...     tsv: bench.sh -t, runners qemu and dragoman, first line "# guest=NAME ..."
FNR == 1 { file++ }
file == 1 {
	if (/^#/ || !NF) next
	key = $1 (NF > 3 ? " " $4 : "")
	mean[key] = $2; most[key] = $3
	if (!($1 in known)) { known[$1] = 1; class[++nclass] = $1 }
	next
}
/^# guest=/ { g = $2; sub(/^guest=/, "", g); guest[++nguest] = g }
/^#/ || $1 == "startup" { next }
$3 == 0 { native = $4; qemu = 0; next }
$3 == 1 { qemu = $9 == 0 ? $4 : 0 }
$3 == 2 {
	if (bad = $9 != 0 || native <= 0) { failed = failed " " g ":" $2; next }
	r = $4 / native
	add($1, g, r); add("ALL", g, r)
	limit = $1 " " g in most ? most[$1 " " g] : most[$1]
	if (limit && r > limit) over[$1] = over[$1] sprintf(" %s:%s %.2f", g, $2, r)
	if (qemu && $4 > qemu * 1.05) slow = slow sprintf(" %s:%s %.2f", g, $2, qemu / $4)
}
function add(c, g, r) { sum[c, g] += log(r); n[c, g]++; sum[c] += log(r); n[c]++ }
function cell(c, g) { return n[c, g] ? sprintf("%8.2f", exp(sum[c, g] / n[c, g])) : "       -" }
# "pass" or "miss": a class with a limit a guest is judged a guest
function judge(c,   k, ok, own) {
	ok = 1
	for (k = 1; k <= nguest; k++)
		if (c " " guest[k] in mean && n[c, guest[k]]) {
			own = 1
			if (exp(sum[c, guest[k]] / n[c, guest[k]]) > mean[c " " guest[k]]) ok = 0
		}
	if (!own && exp(sum[c] / n[c]) > mean[c]) ok = 0
	return ok && over[c] == "" ? "pass" : "miss"
}
function goal(c,   k, s) {
	if (c in mean) return mean[c]
	for (k = 1; k <= nguest; k++) s = s (k > 1 ? "/" : "") mean[c " " guest[k]]
	return s
}
END {
	printf "%-8s", "class"
	for (k = 1; k <= nguest; k++) printf " %8s", guest[k]
	printf " %8s %8s        kernels above their limit\n", "both", "limit"
	for (q = 1; q <= nclass; q++) {
		c = class[q]
		if (!n[c]) continue
		printf "%-8s", c
		for (k = 1; k <= nguest; k++) printf " %s", cell(c, guest[k])
		printf " %8.2f %8s  %s %s\n", exp(sum[c] / n[c]), goal(c), judge(c), over[c]
	}
	printf "slower than qemu-user:%s\n", slow == "" ? " none" : slow
	if (failed != "") printf "failed:%s\n", failed
}
