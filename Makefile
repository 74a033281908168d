# dragoman: make (build/dragoman) static check lint bench demo install clean; see README.md
#
# Everything generated goes to $(B).  A folder under src/frontend or src/backend is found by
# itself; nothing else has to be edited to add a guest or a host.

B      ?= build
# one name for one directory, or what depends on a header is not found: dependencies are kept by name
override B := $(patsubst $(CURDIR)/%,%,$(B))
PREFIX ?= /usr/local
CC     ?= gcc
# not aligned: what is translated for the first time runs where little of this program is in the first cache
OPT    ?= -O2 -g -falign-functions=1 -falign-loops=1 -falign-jumps=1
WARN   := -Wall -Wextra
DEBUG  ?= 0
DEF    := -DDEBUG=$(DEBUG) -Ulinux -D_GNU_SOURCE -DDRAGOMAN_VERSION='"$(shell cat VERSION)"'
CFLAGS ?=
ALL_CFLAGS := -std=gnu11 $(OPT) $(WARN) $(DEF) -fno-strict-aliasing -Isrc -I$(B)/gen -MMD -MP $(CFLAGS)
# Linked in where there is an archive: a library is four mappings, which each process makes and each fork copies.
archive = $(if $(filter /%,$(shell $(CC) -print-file-name=lib$1.a)),-l:lib$1.a,-l$1)
LIBS   := $(call archive,elf) $(call archive,z) -lpthread -lm -l:libb2.a
TESTLIBS := -lcmocka -lcapstone

ROOMS   := base ir frontend backend core loader syscall threads
GUESTS  := $(notdir $(patsubst %/,%,$(wildcard src/frontend/*/)))
GEN_ISA := $(foreach g,$(GUESTS),$(patsubst src/frontend/%.isa,$(B)/gen/%.h,$(wildcard src/frontend/$g/*.isa)))
srcs     = $(wildcard src/$1/*.c src/$1/*/*.c src/$1/*.S src/$1/*/*.S)
objs     = $(patsubst src/%,$(B)/%.o,$1)
LIBA    := $(foreach r,$(ROOMS),$(B)/lib$r.a)
TESTS   := $(patsubst tests/%.c,$(B)/tests/%,$(wildcard tests/*/test_*.c))
# What all processes run lies together, apart from what translates: the kernel maps a program 64 KiB at a time, for each
# process anew.
PROGRAM := $(foreach r,base core loader syscall threads backend frontend ir,$(B)/lib$r.a)

.PHONY: all debug static check check-full soak unit asan tsan bless fuzz fuzz-targets lint bench demo install clean tests
all: $(B)/dragoman

# First what every system call and every forked child runs: a child has no page of the program at first, each fault maps
# 64 KiB, and what is mapped has to be unmapped.
HOT  := $(call objs,$(wildcard src/frontend/*/guest.c src/frontend/*/linux.c src/backend/*/hostcall.c src/backend/*/copy.S) \
	$(patsubst %,src/%.c,base/lock base/gmem_copy core/engine core/persist threads/os threads/clone threads/futex \
	threads/proccalls threads/signal threads/vcpu syscall/layout syscall/dispatch syscall/marshal syscall/desc))
# Then what makes code for the first times: it runs in turns with the guest, which drives it out of the host's caches.
COLD := $(call objs,$(wildcard src/frontend/*/simple.c src/backend/*/quick*.c src/backend/*/branch.c) \
	$(patsubst %,src/%.c,ir/perform core/first core/lookup core/record core/translate core/quick core/region core/smc))
MAIN := $(HOT) $(COLD) $(B)/main.c.o $(B)/options.c.o $(B)/cachecmd.c.o $(B)/warm.c.o
# Code and constants in one mapping: each fork copies it, each process makes it.  It begins at a multiple of 64 KiB in
# memory too, so that what lies together in the file is mapped together.
$(B)/dragoman: $(MAIN) $(LIBA)
	$(CC) $(CFLAGS) $(LDFLAGS) -Wl,--build-id,-z,now,-z,noseparate-code,-z,max-page-size=65536 -pie -o $@ $(MAIN) -Wl,--start-group $(PROGRAM) -Wl,--end-group $(LIBS)

$(B)/%.c.o: src/%.c | $(GEN_ISA)
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -fPIE -c -o $@ $<

$(B)/%.S.o: src/%.S
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -fPIE -c -o $@ $<

# -- generated ---------------------------------------------------------------------------------
$(B)/isagen: tools/isaread.c tools/isagen.h
$(B)/isagen $(B)/prelink: $(B)/%: tools/%.c
	@mkdir -p $(@D)
	$(CC) -std=gnu11 -O1 -g $(WARN) -o $@ $(filter %.c,$^)

$(B)/gen/%.h: src/frontend/%.isa $(B)/isagen
	@mkdir -p $(@D)
	$(B)/isagen <$< >$@.tmp && mv $@.tmp $@

# every "const struct guest guest_NAME" defined in a guest.c
$(B)/gen/guests.c: $(wildcard src/frontend/*/guest.c)
	@mkdir -p $(@D)
	@{ echo '/* generated: the guests found under src/frontend */'; echo '#include "base/guest.h"'; \
	   sed -n 's/^const struct guest \(guest_[a-z0-9_]*\).*/\1/p' $^ >$@.names; \
	   sed 's/.*/extern const struct guest &;/' $@.names; \
	   echo 'const struct guest *const guests[] = {'; sed 's/.*/	\&&,/' $@.names; echo '	0'; echo '};'; } >$@

$(B)/gen/guests.c.o: $(B)/gen/guests.c
	$(CC) $(ALL_CFLAGS) -fPIE -c -o $@ $<

define ROOM
$(B)/lib$1.a: $(call objs,$(call srcs,$1)) $(if $(filter frontend,$1),$(B)/gen/guests.c.o)
	@rm -f $$@
	ar rcs $$@ $$^
endef
$(foreach r,$(ROOMS),$(eval $(call ROOM,$r)))

# decoders and lists are kept, not deleted as intermediate files
.SECONDARY:

# -- tests -------------------------------------------------------------------------------------
$(B)/tests/%: tests/%.c $(LIBA) | $(GEN_ISA)
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -fPIE $(LDFLAGS) -Wl,--build-id -pie -o $@ $< -Wl,--start-group $(LIBA) -Wl,--end-group $(TESTLIBS) $(LIBS)

# random instruction streams: one program for all guests
STREAM := $(patsubst tests/%.c,$(B)/tests/%.o,$(wildcard tests/frontend/stream/*.c))
$(B)/tests/frontend/stream/%.o: tests/frontend/stream/%.c | $(GEN_ISA)
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -fPIE -c -o $@ $<

$(B)/tests/stream: $(STREAM) $(LIBA)
	$(CC) $(CFLAGS) $(LDFLAGS) -Wl,--build-id -pie -o $@ $(STREAM) -Wl,--start-group $(LIBA) -Wl,--end-group $(LIBS)

tests: $(TESTS) $(B)/tests/stream

$(B)/tests/passed/%: $(B)/tests/%
	@mkdir -p $(@D)
	@echo "== $*"; $< && touch $@

unit: $(filter-out $(SKIP:%=$(B)/tests/passed/%),$(patsubst $(B)/tests/%,$(B)/tests/passed/%,$(TESTS)))

# Unit tests under the sanitizers.  AddressSanitizer keeps its shadow from 2 GiB to 16 TiB: tests that
# give guests addresses there run under UndefinedBehaviorSanitizer alone, as does the program itself.
# Generated code is watched by neither; only the C it calls is.
NOASAN := base/test_gmem base/test_heap syscall/test_dispatch syscall/test_strace syscall/test_tables
UBSAN  := -fsanitize=undefined -fno-sanitize-recover=undefined
asan:
	+$(MAKE) B=$(B)-asan OPT='-O1 -g' CFLAGS='$(UBSAN) -fsanitize=address -fno-omit-frame-pointer' SKIP='$(NOASAN)' unit
	+$(MAKE) B=$(B)-ubsan OPT='-O1 -g' CFLAGS='$(UBSAN)' all $(NOASAN:%=$(B)-ubsan/tests/passed/%)
	tests/check.d/10-prog.sh $(B)-ubsan

# The program under ThreadSanitizer, for tests/check.d/44-tsan.sh
tsan:
	+@$(MAKE) -s B=$(B)-tsan CC=clang OPT='-O1 -g' CFLAGS='-fsanitize=thread' all
	@tests/check.d/44-tsan.sh $(B)

# Fuzz targets (libFuzzer): tests/fuzz.sh runs them
FUZZ := $(patsubst tests/fuzz/%.c,$(B)/fuzz/%,$(wildcard tests/fuzz/fuzz_*.c))
fuzz:
	+@$(MAKE) -s B=$(B)-fuzz CC=clang OPT='-O1 -g' CFLAGS='-fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=undefined' fuzz-targets
fuzz-targets: $(FUZZ)

$(B)/fuzz/%: tests/fuzz/%.c $(LIBA)
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -fsanitize=fuzzer -o $@ $< -Wl,--start-group $(LIBA) -Wl,--end-group $(LIBS)

check:
	@tools/need.sh build check
	+@tests/check.sh $(B)

# expected text that tests compare, written anew: read the difference before you commit it
bless: $(B)/tests/backend/test_code $(B)/tests/syscall/test_strace
	CODE_BLESS=1 $<
	STRACE_BLESS=1 $(B)/tests/syscall/test_strace

# Hours instead of minutes: all of gcc's execute tests in four builds, many more random instructions, signals, processes, all of
# Debian's programs, fuzzing by the hour; what was done is kept in tests/SUMMARY.md
FULL := TORTURE_EVERY=1 FULL=1 FUZZ_SECONDS=3600 CHILDREN=5000 RUNS=5 MUTATIONS=100000 DELIVERIES=70000 STORM=10000 \
	LITMUS_ROUNDS=10000000 CHECK_TIMEOUT=40000
check-full:
	@tools/need.sh build check
	+@$(CHECK_FULL) tests/check.sh $(B) | tee $(B)/check-full.txt
	@tests/summary.sh $(B) >tests/SUMMARY.md

HOURS ?= 1
soak: $(B)/dragoman
	@tests/soak.sh $(B) $(HOURS)

lint:
	@awk -f tools/lint.awk $(shell find src tools -name '*.[ch]')

# checks what costs time: the IR verifier runs on every region
debug:
	@$(MAKE) B=$(B)-debug DEBUG=1 OPT="-O1 -g" all

# A static program: the form for chroots and containers; it loads no library (the weak references to dlopen and dlsym
# find nothing).  It is linked as a position-independent one, without line numbers (debug build/dragoman), then given its
# place (tools/prelink.c): above the addresses of all guests, below where the kernel puts mappings.  Copied with one
# write: such a file lies in larger pieces of the page cache than what a linker leaves, or many writes, and a process
# that maps it has fewer page faults when it starts.
PLACE := 0x7e0000000000
WRAP  := -Wl,--wrap=dlopen,--wrap=dlsym,--wrap=_dl_get_origin,--wrap=_dl_early_allocate
atonce = dd if=$(1) of=$(2).new bs=64M status=none && chmod 755 $(2).new && mv $(2).new $(2)
static: $(B)/dragoman-static
$(B)/dragoman-static: $(MAIN) $(LIBA) tools/nocacheinfo.sh $(B)/prelink
	$(CC) $(CFLAGS) $(LDFLAGS) -Wl,--build-id,-z,noseparate-code -static-pie -Wl,-S -Wl,-z,pack-relative-relocs $(WRAP) -o $@.ld $(MAIN) -Wl,--start-group $(PROGRAM) -Wl,--end-group $(LIBS)
	tools/nocacheinfo.sh $@.ld
	$(B)/prelink $@.ld $(PLACE)
	$(call atonce,$@.ld,$@) && rm $@.ld

demo: $(B)/dragoman
	@tools/need.sh build demo
	@tests/demo.sh $(B)

bench: $(B)/dragoman $(B)/dragoman-static
	@tools/need.sh build bench
	@bench/run.sh $(B)

install: $(B)/dragoman-static
	mkdir -p $(DESTDIR)$(PREFIX)/bin
	$(call atonce,$(B)/dragoman-static,$(DESTDIR)$(PREFIX)/bin/dragoman)
	install -D -m 644 README.md $(DESTDIR)$(PREFIX)/share/doc/dragoman/README.md

clean:
	rm -rf $(B)

-include $(shell find $(B) -path '$(B)/root-*' -prune -o -type f -name '*.d' -print 2>/dev/null)
