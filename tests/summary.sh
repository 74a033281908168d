#!/bin/bash
# summary.sh BUILD: what the last run of check.sh did, as a table in Markdown.
# Every test may print lines "summary GUEST KEY VALUE"; GUEST is "all" where a test is of no guest.
set -u
B=$1 here=$(cd "$(dirname "$0")" && pwd)
cat <<E
# What was tested

Written by \`make check-full\` from what the tests counted; a shorter run has smaller numbers.

$(LC_ALL=C date -u '+%-d %B %Y'), dragoman $(cat "$here/../VERSION"), on$(sed -n 's/^model name[^:]*://p' /proc/cpuinfo | head -1):
$(cat "$B/check.total" 2>/dev/null || echo 'not finished').

E
cat "$B"/log.* | awk '
	/^summary / {
		guest = $2; key = $3
		sub(/^summary [^ ]+ [^ ]+ /, "")
		if (!(key in known)) { known[key] = 1; order[++n] = key }
		if (!(guest in g) && guest != "all") { g[guest] = 1; guests[++m] = guest }
		value[guest, key] = $0
	}
	END {
		for (i = 1; i <= n; i++)        # few lines: sorted by exchange
			for (j = i + 1; j <= n; j++)
				if (order[j] < order[i]) { t = order[i]; order[i] = order[j]; order[j] = t }
		head = "| what |"; rule = "| --- |"
		for (k = 1; k <= m; k++) { head = head " " guests[k] " |"; rule = rule " --- |" }
		print head " both |"; print rule " --- |"
		for (i = 1; i <= n; i++) {
			line = "| " order[i] " |"
			for (k = 1; k <= m; k++)
				line = line " " value[guests[k], order[i]] " |"
			print line " " value["all", order[i]] " |"
		}
	}'
if grep -qh '^FAIL ' "$B"/log.*; then
	printf '\nFailed:\n\n'
	grep -h '^FAIL ' "$B"/log.* | sed 's/^FAIL /- /' | cut -c1-200
fi
printf '\nNot run, by reason:\n\n'
cat "$B"/log.* | sed -n 's/^SKIP //p' | awk '
	{
		i = index($0, ": ")
		why = i ? substr($0, i + 2) : $0
		if (!(why in names)) order[++n] = why
		names[why] = names[why] (names[why] ? ", " : "") (i ? substr($0, 1, i - 1) : "")
	}
	END { for (i = 1; i <= n; i++) print "- " order[i] (names[order[i]] ? " (" names[order[i]] ")" : "") }'
