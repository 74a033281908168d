# shellcheck shell=bash disable=SC2154
# Debian's everyday programs: shells, tools, interpreters, compilers.
text() { seq 1 "$1" | awk '{ x = ($1 * 1103515245 + 12345) % 2147483648; printf "%d word%d the quick brown fox %x\n", $1, x % 977, x }'; }
text 20000 >"$tmp/text"
sum() { sha256sum | cut -d' ' -f1; }
textsum=$(sum <"$tmp/text")

b_sh() { run busybox sh -c 'i=0; while [ $i -lt 1000 ]; do i=$((i+1)); done; echo $i; echo abc | sed s/b/x/; seq 5 | awk "{s+=\$1} END {print s}"'; }
t busybox busybox "$(printf '1000\naxc\n15')" b_sh
bash1() { run bash -c 'f() { local n=$1; ((n < 2)) && { echo $n; return; }; echo $(( $(f $((n-1))) + $(f $((n-2))) )); }; f 9; for i in {1..2000}; do s=$((s + i * i)); done; echo $s; a=(x y z); echo ${a[@]/y/Y} ${#a[@]}; printf "%05.2f\n" 3.14159'; }
t bash bash "$(printf '34\n2668667000\nx Y z 3\n03.14')" bash1
pipes() { run bash -c "export PATH=$root/usr/bin; cat $tmp/text | grep fox | sort -k2 | uniq -c -f 7 | wc -l; cut -d' ' -f2 $tmp/text | sort | uniq | wc -l"; }
t bash-pipelines bash "$(sort -k2 "$tmp/text" | uniq -c -f 7 | wc -l; cut -d' ' -f2 "$tmp/text" | sort | uniq | wc -l)" pipes
core() { run sort -r "$tmp/text" | sum; run wc "$tmp/text" | awk '{print $1,$2,$3}'; run tac "$tmp/text" | sum; run md5sum <"$tmp/text"; run sha256sum <"$tmp/text" ; run base64 "$tmp/text" | sum; run od -x "$tmp/text" | sum; run factor 1234567890123456789; }
t coreutils sort "$(sort -r "$tmp/text" | sum; wc "$tmp/text" | awk '{print $1,$2,$3}'; tac "$tmp/text" | sum; md5sum <"$tmp/text"; sha256sum <"$tmp/text"; base64 "$tmp/text" | sum; od -x "$tmp/text" | sum; factor 1234567890123456789)" core
grepsed() { run grep -c 'word1[0-9]* .*[aeiou]\{1,2\}x' "$tmp/text"; run grep -E '(fox|dog) [0-9a-f]*7$' "$tmp/text" | sum; run sed -E 's/([a-z]+)([0-9]+)/\2\1/g; /99/d' "$tmp/text" | sum; run gawk '{ n[$2]++; s += length($0) } END { print length(n), s, sqrt(s), sin(1) }' "$tmp/text"; }
t grep-sed-awk gawk "$(grep -c 'word1[0-9]* .*[aeiou]\{1,2\}x' "$tmp/text"; grep -E '(fox|dog) [0-9a-f]*7$' "$tmp/text" | sum; sed -E 's/([a-z]+)([0-9]+)/\2\1/g; /99/d' "$tmp/text" | sum; awk '{ n[$2]++; s += length($0) } END { c = 0; for (i in n) c++; print c, s, sqrt(s), sin(1) }' "$tmp/text")" grepsed
findtar() { mkdir -p d/e/f; cp "$tmp/text" d/e/f/x; echo hi >d/y; run find d -type f -size +1k; run tar cf t.tar d && tar xOf t.tar d/e/f/x | sum; run tar xf t.tar -C . && run find d -name 'y' -exec "$root/usr/bin/cat" '{}' ';'; }
t find-tar find "$(printf 'd/e/f/x\n%s\nhi' "$textsum")" findtar
for c in gzip xz zstd bzip2; do
	zip() { run $c -c "$tmp/text" >z && run $c -dc z | sum && $c -dc z | sum; }
	command -v $c >/dev/null || zip() { run $c -c "$tmp/text" >z && run $c -dc z | sum && echo "$textsum"; }
	t $c $c "$(printf '%s\n%s' "$textsum" "$textsum")" zip
done
perl1() { run perl -e 'my %h; for my $i (1..50000) { $h{$i % 1013} += $i ** 2 % 97 } my $s = 0; $s += $h{$_} * $_ for sort keys %h; print "$s\n"; my $t = "the cat sat on the mat" x 50; my $n = () = $t =~ /\b(\w)at\b/g; print "$n\n"; printf "%.15g %s\n", exp(1), join ",", map { sprintf "%x", $_ } unpack "C*", pack "d", 1/3; print `echo forked`;'; }
t perl perl "$(perl -e 'my %h; for my $i (1..50000) { $h{$i % 1013} += $i ** 2 % 97 } my $s = 0; $s += $h{$_} * $_ for sort keys %h; print "$s\n"; my $t = "the cat sat on the mat" x 50; my $n = () = $t =~ /\b(\w)at\b/g; print "$n\n"; printf "%.15g %s\n", exp(1), join ",", map { sprintf "%x", $_ } unpack "C*", pack "d", 1/3; print `echo forked`;')" perl1
py=$(cd "$root/usr/bin" 2>/dev/null && ls -d python3.[0-9]* 2>/dev/null | head -1)
py=${py:-python3}
python1() { run $py -c 'import json, re, hashlib, zlib, math
d = {str(i): [i * 0.5, {"k": i % 7}] for i in range(3000)}
s = json.dumps(d, sort_keys=True); assert json.loads(s) == d
print(hashlib.sha256(s.encode()).hexdigest(), len(re.findall(r"(\d)\.5", s)), zlib.crc32(s.encode()), math.gamma(5.5), 2**200 % 1000007)'; }
t python $py "$(python3 -c 'import json, re, hashlib, zlib, math
d = {str(i): [i * 0.5, {"k": i % 7}] for i in range(3000)}
s = json.dumps(d, sort_keys=True); assert json.loads(s) == d
print(hashlib.sha256(s.encode()).hexdigest(), len(re.findall(r"(\d)\.5", s)), zlib.crc32(s.encode()), math.gamma(5.5), 2**200 % 1000007)' 2>/dev/null)" python1
pythread() { run $py -c 'import threading, queue, subprocess, sys
q = queue.Queue(); out = []
def work():
    while True:
        i = q.get()
        if i is None: return
        out.append(i * i)
ts = [threading.Thread(target=work) for _ in range(8)]
[x.start() for x in ts]; [q.put(i) for i in range(2000)]; [q.put(None) for _ in ts]; [x.join() for x in ts]
print(sum(out), len(out), subprocess.run(["/bin/echo", "child"], capture_output=True, text=True).stdout.strip())'; }
t python-threads $py "2664667000 2000 child" pythread
for m in math struct json re threading subprocess signal; do
	pytest() { run $py -m test -q test_$m >log 2>&1; rc=$?; tail -8 log >&2; grep -qE 'Result: SUCCESS|^OK' log && echo "$rc"; }
	[ -d "$root/usr/lib/$py/test" ] || { [[ python-test_$m == $pattern ]] && { echo "SKIP python-test_$m: no test suite in $root"; k=$((k + 1)); }; continue; }
	t python-test_$m $py 0 pytest
done
git1() { run git init -q . && cp "$tmp/text" f && run git add f && run git commit -q -m one && echo x >>f && run git commit -qam two && run git log --format=%H && run git fsck && run git gc -q && run git log --stat --format=%s | head -3; }
gitwant() { cd "$tmp" && rm -rf gw && mkdir gw && cd gw && git init -q . && cp "$tmp/text" f && git add f && git commit -q -m one && echo x >>f && git commit -qam two && git log --format=%H && git log --stat --format=%s | head -3; }
t git git "$(gitwant)" git1
ssl() { run openssl dgst -sha256 "$tmp/text" | sed 's/.*= //'; run openssl enc -aes-128-cbc -K 00112233445566778899aabbccddeeff -iv 0 -in "$tmp/text" 2>/dev/null | sum; run openssl dgst -sha1 "$tmp/text" | sed 's/.*= //'; run openssl dgst -sha512 "$tmp/text" | sed 's/.*= //'; run openssl speed -seconds 1 -bytes 1024 sha256 2>/dev/null | grep -c '^sha256'; }
sslwant() { echo "$textsum"; openssl enc -aes-128-cbc -K 00112233445566778899aabbccddeeff -iv 0 -in "$tmp/text" 2>/dev/null | sum; sha1sum <"$tmp/text" | cut -d' ' -f1; sha512sum <"$tmp/text" | cut -d' ' -f1; echo 1; }
t openssl openssl "$(sslwant)" ssl
sqlite() { run sqlite3 t.db "create table t(a integer primary key, b real, c text); with recursive n(i) as (select 1 union all select i+1 from n where i < 100000) insert into t select i, i * 0.25, 'row' || (i % 1000) from n; create index x on t(c); select count(*), sum(b), count(distinct c) from t; select c, count(*), avg(a) from t where a % 7 = 3 group by c order by 3 desc limit 3; pragma integrity_check;"; }
t sqlite3 sqlite3 "$(printf '100000|1250012500.0|1000\nrow996|14|52496.0\nrow989|14|52489.0\nrow982|14|52482.0\nok')" sqlite
cat >"$tmp/a.c" <<'C'
#include <stdio.h>
#include <pthread.h>
static void *f(void *p) { long s = 0; for (long i = 0; i < 100000; i++) s += i % (long)p; return (void *)s; }
int main(void) { pthread_t t[4]; long s = 0; for (long i = 0; i < 4; i++) pthread_create(&t[i], 0, f, (void *)(i + 3)); for (int i = 0; i < 4; i++) { void *r; pthread_join(t[i], &r); s += (long)r; } printf("%ld\n", s); return 0; }
C
cat >"$tmp/b.cc" <<'C'
#include <iostream>
#include <map>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>
int main() { std::map<std::string, int> m; for (int i = 0; i < 1000; i++) m["k" + std::to_string(i % 37)] += i; int caught = 0; for (int i = 0; i < 100; i++) try { if (i % 3 == 0) throw std::runtime_error("x"); } catch (const std::exception &) { caught++; } std::vector<std::thread> v; int r[4]; for (int i = 0; i < 4; i++) v.emplace_back([&r, i] { r[i] = i * 10; }); for (auto &t : v) t.join(); std::cout << m["k5"] << " " << caught << " " << r[3] << std::endl; }
C
cc1() { run gcc -O2 -pthread -o a "$tmp/a.c" && $dragoman -L "$root" ./a; }
t gcc-c gcc "$(gcc -w -pthread -o "$tmp/a" "$tmp/a.c" && "$tmp/a")" cc1
cxx1() { run g++ -O1 -pthread -o b "$tmp/b.cc" && $dragoman -L "$root" ./b; }
t g++-exceptions-threads g++ "$(g++ -w -pthread -o "$tmp/b" "$tmp/b.cc" && "$tmp/b")" cxx1
make1() { for i in 1 2 3 4 5 6; do echo "int f$i(void) { return $i; }" >f$i.c; done; printf 'O = f1.o f2.o f3.o f4.o f5.o f6.o\nlib.a: $(O)\n\tar rc $@ $(O)\n' >Makefile; run make -j2 CC=gcc PATH="$root/usr/bin" >log 2>&1 || tail -5 log >&2; ar t lib.a | sort | tr '\n' ' '; }
t make-j2 gcc "f1.o f2.o f3.o f4.o f5.o f6.o " make1
lua1() { run lua5.4 -e 'local t = {} for i = 1, 200000 do t[i % 1000] = (t[i % 1000] or 0) + i * 0.5 end local s = 0 for k, v in pairs(t) do s = s + v end print(s, string.rep("ab", 3), ("x1y2"):gsub("%d", "#"))'; }
t lua lua5.4 "$(printf '10000050000.0\tababab\tx#y#\t2')" lua1
luajit1() { run luajit -e 'local s = 0 for i = 1, 3000000 do s = s + i % 7 end print(s) local ffi = require "ffi" ffi.cdef "int abs(int);" print(ffi.C.abs(-5))'; }
t luajit luajit "$(printf '8999997\n5')" luajit1
