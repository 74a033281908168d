# shellcheck shell=bash disable=SC2154
# Runtimes that make code while they run, have many threads, handle faults and signals of their own.  Packages: nodejs
# golang-go rustc openjdk-21-jdk-headless erlang-base ruby sbcl php-cli guile-3.0 shellcheck gcc libasan8.
cases=$here/userland
triple=$(cd "$root/usr/lib" && ls -d ./*-linux-gnu | head -1)
triple=${triple#./}
foreign() { timeout "${TMO:-300}" $dragoman -L "$root" "$@"; }

node1() { run node "$cases/workers.js"; }
t node-workers node "$(printf '5999934 100000 5 true\n2d711642\nchild 4')" node1
jdk=$(cd "$root/usr" && ls -d lib/jvm/java-*-openjdk-*/bin 2>/dev/null | head -1)
java1() { run "../$jdk/javac" -d . "$cases/Threads.java" && run "../$jdk/java" -cp . Threads; }
t java-threads "../$jdk/java" "48000142 100 1000 1464523590" java1
go1() { GOROOT=$(dirname "$root"/usr/lib/go-1.*/bin) GOCACHE=${GOCACHE:-$tmp/go} GO111MODULE=off GOTOOLCHAIN=local \
	foreign "$root"/usr/lib/go-1.*/bin/go build -o r "$cases/routines.go" && foreign ./r; }
t go-routines go "1104470 true" go1
rust1() { run rustc -O -C "linker=/usr/bin/$triple-gcc" -o r "$cases/threads.rs" && foreign ./r; }
t rust-threads rustc "799920000 499500 true" rust1
erl1() { run erl -noshell -eval 'P = self(), [spawn(fun() -> P ! I * I end) || I <- lists:seq(1, 500)],
	io:format("~p~n", [lists:sum([receive X -> X end || _ <- lists:seq(1, 500)])]), halt().'; }
t erlang-processes erl 41791750 erl1
ruby1() { run ruby "$cases/threads.rb"; }
t ruby-threads ruby "$(printf '7200360000\n3\n"child\\n"\nSignalException\n1')" ruby1
sbcl1() { run sbcl --noinform --no-userinit --eval '(progn (princ (loop for i below 10000000 sum (mod i 7))) (gc :full t) (terpri) (quit))'; }
t sbcl sbcl 29999994 sbcl1
php1() { run php8.4 -r '$a = range(1, 100000); usort($a, fn($x, $y) => $x % 97 <=> $y % 97 ?: $y <=> $x); echo md5(implode(",", $a)), "\n";'; }
t php php8.4 abee6339d9ab77b035eb0486f82fe31b php1
guile1() { run guile-3.0 --no-auto-compile -c '(display (let loop ((i 0) (s 0)) (if (= i 300000) s (loop (+ i 1) (+ s (modulo (* i i) 7))))))'; }
t guile guile-3.0 599998 guile1
ghc1() { echo 'echo $1' >s.sh; run shellcheck -f gcc s.sh | grep -c SC2086; }
t haskell-shellcheck shellcheck 1 ghc1
asan1() { run "$triple-gcc-14" -fsanitize=address,undefined -o a "$cases/overflow.c" && ASAN_OPTIONS=detect_leaks=0 foreign ./a &&
	ASAN_OPTIONS=detect_leaks=0 foreign ./a x 2>&1 | grep -o 'heap-buffer-overflow' | head -1; }
t address-sanitizer "../lib/gcc/$triple/14/libasan.so" "$(printf '1\nheap-buffer-overflow')" asan1
