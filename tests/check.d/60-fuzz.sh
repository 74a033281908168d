#!/bin/bash
# The fuzz targets of tests/fuzz for a few seconds each; make fuzz && tests/fuzz.sh build SECONDS for longer
set -u
B=$1 here=$(cd "$(dirname "$0")/.." && pwd)
printf 'int LLVMFuzzerTestOneInput(const unsigned char *d, unsigned long n) { (void)d; return n > 1u << 30; }\n' >"$B/probe.c"
if ! clang -fsanitize=fuzzer,address -o "$B/probe" "$B/probe.c" 2>"$B/probe.err"; then
	echo "SKIP fuzz: clang here has no libFuzzer: $(head -1 "$B/probe.err")"
	echo "0 passed, 0 failed, 1 skipped"
	exit 0
fi
make -s -C "$here/.." B="$B" fuzz >"$B/log.fuzz-build" 2>&1 || { echo "FAIL fuzz does not build: $(grep -m1 error "$B/log.fuzz-build")"; echo "0 passed, 1 failed, 0 skipped"; exit 1; }
exec "$here/fuzz.sh" "$B" "${FUZZ_SECONDS:-6}"
