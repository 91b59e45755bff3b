# SPDX-License-Identifier: ISC
# tunlease: the whole build. Local overrides go into config.mak.
#
#   make              builds the programs, into build/bin and build/lib
#   make demo         shows both jobs on a real sshd, in a sandbox        (as root)
#   make check        runs all tests                                         (as root)
#   make check-quick  runs the tests that fail first if something is wrong   (as root)
#   make install      copies the files, and enables nothing
#   make help         names all targets

-include config.mak

PREFIX ?= /usr
SYSCONFDIR ?= /etc
LOCALSTATEDIR ?= /var
RUNSTATEDIR ?= /run
LIBEXECDIR ?= $(PREFIX)/libexec
BINDIR ?= $(PREFIX)/bin
SBINDIR ?= $(PREFIX)/sbin
MANDIR ?= $(PREFIX)/share/man
DATADIR ?= $(PREFIX)/share
DOCDIR ?= $(PREFIX)/share/doc/tunlease
PAMDIR ?= $(PREFIX)/lib/$(shell $(CC) -print-multiarch)/security
UNITDIR ?= $(PREFIX)/lib/systemd/system
BASHCOMPDIR ?= $(DATADIR)/bash-completion/completions
# Debian's zsh looks below /usr in another folder than that of zsh's authors.
ZSHCOMPDIR ?= $(DATADIR)/zsh/$(if $(and $(filter /usr,$(PREFIX)),$(wildcard /etc/debian_version)),vendor-completions,site-functions)
DESTDIR ?=

BUILD ?= build
CC = gcc
AWK ?= awk
PKG_CONFIG ?= pkg-config
VERSION := $(shell cat VERSION)

# V=1 shows whole commands; WERROR=1 makes warnings errors (CI); AKC_STATIC=0 links akc dynamically.
ifneq ($(V),1)
Q := @
# QUIET=1 prints no line for each step: for targets that build only to do something else.
say = $(if $(QUIET),@:,@printf '  %-7s %s\n' $(1) $(2))
MAKEFLAGS += --no-print-directory
endif
AKC_STATIC ?= 1
comma = ,

warnings = -Wall -Wextra -Wconversion -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
	-Wpointer-arith -Wcast-qual -Wwrite-strings -Wundef -Wformat=2 -Wvla -Wdate-time
ifeq ($(WERROR),1)
warnings += -Werror
endif
hardening = -D_FORTIFY_SOURCE=2 -fstack-protector-strong -fstack-clash-protection -fcf-protection
ifneq ($(SANITIZE),)
ifneq ($(filter-out address undefined address$(comma)undefined thread,$(SANITIZE)),)
$(error SANITIZE takes address, undefined, thread or 'address,undefined', not '$(SANITIZE)')
endif
hardening = -fsanitize=$(SANITIZE) -fno-sanitize-recover=all -fno-omit-frame-pointer
AKC_STATIC := 0
endif

CFLAGS ?= -O2 -g
cppflags = -std=c11 -D_GNU_SOURCE -I. -I$(BUILD)/gen -DLIBBSD_OPENBSD_VIS \
	-DTUNLEASE_VERSION='"$(VERSION)"' -DTUNLEASE_SYSCONFDIR='"$(SYSCONFDIR)"' \
	-DTUNLEASE_LOCALSTATEDIR='"$(LOCALSTATEDIR)"' -DTUNLEASE_RUNSTATEDIR='"$(RUNSTATEDIR)"' \
	-DTUNLEASE_LIBEXECDIR='"$(LIBEXECDIR)"' -DTUNLEASE_DATADIR='"$(DATADIR)"' \
	-DTUNLEASE_PAMDIR='"$(PAMDIR)"' $(CPPFLAGS)
cflags = $(CFLAGS) $(warnings) $(hardening) -fPIE
ldflags = -pie -Wl,-z,relro,-z,now -Wl,--as-needed $(hardening) $(LDFLAGS)

# ---- the tree, as docs/design.md 7 draws it: base <- conf, session, lease <- store, wire <- programs ----

libs = base lease session conf store wire
lib_src = $(wildcard lib/$(1)/*.c)
lib_obj = $(patsubst %.c,$(BUILD)/obj/%.o,$(call lib_src,$(1)))
archive = $(patsubst %,$(BUILD)/lib/lib%.a,$(1))

sqlite_libs = -lsqlite3 -lm
jansson_libs = -ljansson
event_libs = -levent_core
bsd_libs = -lbsd -lmd -lresolv
pam_bsd_libs = -lbsd -lmd

akc_src = $(wildcard akc/*.c)
akc_libs = store session lease conf base
leasectl_src = $(wildcard leasectl/*.c leasectl/*/*.c)
leasectl_libs = wire store conf session lease base

leased_src = $(wildcard leased/*.c leased/*/*.c)
leased_libs = wire store conf session lease base
pam_src = $(wildcard pam_tunnel/*.c)
# Of lib/conf it uses paths.c only. With sanitizers the linker does not drop the rest, which needs
# lib/lease.
pam_libs = session conf base $(if $(SANITIZE),lease)

programs = $(BUILD)/bin/akc $(BUILD)/bin/leasectl $(BUILD)/bin/leased $(BUILD)/lib/pam_tunnel.so $(BUILD)/bin/tunnel-agent
manuals = akc/akc.8 leased/leased.8 pam_tunnel/pam_tunnel.8 leasectl/leasectl.1 tunnel-agent/tunnel-agent.1 lib/conf/tunlease.conf.5

agent_src = $(wildcard tunnel-agent/*.c tunnel-agent/*/*.c)
agent_libs = wire lease base

.PHONY: all help deps build-deps demo check check-quick check-long check-packages fault fuzz bench lint install \
	install-agent uninstall uninstall-agent agent-static dist deb clean tests unit-tests pam-tests bench-tools
.DELETE_ON_ERROR:
.SECONDEXPANSION:

all: $(programs)

obj = $(patsubst %.c,$(BUILD)/obj/%.o,$(1))

# A missing package is named before anything is compiled. tunnel-agent alone needs fewer.
agent_only = $(and $(MAKECMDGOALS),$(if $(filter-out %/bin/tunnel-agent install-agent,$(MAKECMDGOALS)),,1))
needs = $(BUILD)/gen/needs-$(if $(agent_only),agent,all)
agent_needs = stdio.h:libc6-dev bsd/string.h:libbsd-dev sha2.h:libmd-dev jansson.h:libjansson-dev \
	event2/event.h:libevent-dev $(if $(filter 1,$(HTTPS)),curl/curl.h:libcurl4-openssl-dev)
all_needs = $(agent_needs) sqlite3.h:libsqlite3-dev security/pam_modules.h:libpam0g-dev

$(BUILD)/gen/needs-agent $(BUILD)/gen/needs-all:
	$(Q)packaging/needs '$(CC)' $(CPPFLAGS) -- $($(patsubst needs-%,%,$(@F))_needs)
	$(Q)mkdir -p $(@D) && touch $@

$(BUILD)/obj/%.o: %.c | $(BUILD)/gen/store_sql.h $(needs)
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(cppflags) $(cflags) -MMD -MP -c -o $@ $<

$(BUILD)/gen/store_sql.h: sql/embed.awk sql/queries.sql $(wildcard sql/migrate/*.sql) | $(needs)
	$(call say,SQL,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(AWK) -f sql/embed.awk sql/queries.sql $(sort $(wildcard sql/migrate/*.sql)) >$@

define library
$(BUILD)/lib/lib$(1).a: $$(call lib_obj,$(1))
	$$(call say,AR,$$@)
	$$(Q)mkdir -p $$(@D)
	$$(Q)rm -f $$@ && ar rcs $$@ $$^
endef
$(foreach l,$(libs),$(eval $(call library,$(l))))

# akc starts twice a login. Without ld.so it runs a quarter of the instructions, and no LD_* variable
# affects it. Debian's static SQLite has all that akc uses (docs/sqlite-facts.md 2).
ifeq ($(AKC_STATIC),1)
akc_ldflags = -static-pie -Wl,-z,relro,-z,now -Wl,-z,pack-relative-relocs $(hardening) $(LDFLAGS)
else
akc_ldflags = $(ldflags)
endif

$(BUILD)/bin/akc: $(call obj,$(akc_src)) $(call archive,$(akc_libs))
	$(call say,LD,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(akc_ldflags) -o $@ $^ $(sqlite_libs) $(bsd_libs) $(akc_quiet)

# Drops the linker's one warning, about dlopen in SQLite's os_unix.c: akc never loads an extension.
akc_quiet = 2>&1 | grep -v -e "Using 'dlopen' in statically linked" -e 'in function .unixDlOpen.' >&2 || test -x $@

# HTTPS=1: tunnel-agent can reach https:// endpoints. Only a short-lived child of it loads libcurl.
HTTPS ?= 1
ifeq ($(HTTPS),1)
agent_cppflags = -DTUNNEL_AGENT_HTTPS
agent_packages = libcurl4-openssl-dev
endif
# AGENT_STATIC=1: it needs no library of the host that it is copied to, nor an NSS module.
ifeq ($(AGENT_STATIC),1)
agent_cppflags += -DTUNNEL_AGENT_STATIC
agent_ldflags = -static-pie -Wl,-z,relro,-z,now $(hardening) $(LDFLAGS)
# The linker's warning about getaddrinfo and getpwuid: platform_keep_to_own_library has the answer.
agent_quiet = 2>$@.said || { cat $@.said >&2; rm $@.said; exit 1; }; \
	grep -v -e 'in statically linked applications requires' -e ': in function ' $@.said >&2; rm -f $@.said
else
agent_ldflags = $(ldflags)
endif
$(BUILD)/obj/tunnel-agent/%.o: cppflags += $(agent_cppflags)

$(BUILD)/bin/tunnel-agent: $(call obj,$(agent_src)) $(call archive,$(agent_libs))
	$(call say,LD,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(agent_ldflags) -o $@ $^ $(event_libs) $(jansson_libs) $(bsd_libs) $(agent_quiet)

$(BUILD)/bin/leasectl: $(call obj,$(leasectl_src)) $(call archive,$(leasectl_libs))
	$(call say,LD,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(ldflags) -o $@ $^ $(sqlite_libs) $(jansson_libs) $(bsd_libs)

$(BUILD)/bin/leased: $(call obj,$(leased_src)) $(call archive,$(leased_libs))
	$(call say,LD,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(ldflags) -o $@ $^ $(event_libs) $(sqlite_libs) $(jansson_libs) $(bsd_libs)

# The module is loaded into sshd, su and sudo: it is position-independent, and exports only the
# functions that libpam calls.
pic_obj = $(patsubst %.c,$(BUILD)/obj/pic/%.o,$(1))
pam_defs = $(if $(SANITIZE),,-Wl$(comma)-z$(comma)defs) # the sanitizers' symbols are in the program
pam_obj = $(call pic_obj,$(pam_src) $(foreach l,$(pam_libs),$(call lib_src,$(l))))
pam_ldflags = -shared -Wl,-z,relro,-z,now -Wl,--as-needed -Wl,--gc-sections $(pam_defs) \
	-Wl,--version-script=pam_tunnel/pam_tunnel.map $(hardening) $(LDFLAGS)

$(BUILD)/obj/pic/%.o: %.c | $(BUILD)/gen/store_sql.h $(needs)
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(cppflags) $(cflags) -fPIC -ffunction-sections -fdata-sections \
		-MMD -MP -c -o $@ $<

$(BUILD)/lib/pam_tunnel.so: $(pam_obj) pam_tunnel/pam_tunnel.map
	$(call say,LD,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(pam_ldflags) -o $@ $(pam_obj) -lpam $(pam_bsd_libs)

-include $(shell find $(BUILD)/obj -name '*.d' 2>/dev/null)

# ---- tests ----

unit_names = $(basename $(notdir $(wildcard tests/unit/test_*.c)))
unit_libs = wire store conf session lease base

# The agent's objects as an archive, from which the linker takes what the tests below need.
$(BUILD)/tests/agent.a: $(filter-out %/main.o,$(call obj,$(agent_src)))
	$(Q)mkdir -p $(@D)
	$(Q)rm -f $@ && ar rcs $@ $^
$(addprefix $(BUILD)/tests/unit/,test_agent_leg test_agent_advice test_register): $(BUILD)/tests/agent.a

$(BUILD)/tests/unit/%: $(BUILD)/obj/tests/unit/%.o $(call archive,$(unit_libs))
	$(call say,LD,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(ldflags) -o $@ -Wl,--start-group $(filter %.o,$^) $(filter %.a,$^) -Wl,--end-group -lcmocka \
		$(event_libs) $(sqlite_libs) $(jansson_libs) $(bsd_libs)

# The module's parsers, which do not need libpam.
$(BUILD)/tests/unit/test_judgement: $(call obj,pam_tunnel/args.c pam_tunnel/helper.c)

# LD_PRELOAD libraries: a clock that a test can set for one program, and a slow disk.
$(BUILD)/tests/clock_shift.so $(BUILD)/tests/slow_disk.so: $(BUILD)/tests/%.so: tests/%.c
	$(call say,LD,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(cppflags) $(CFLAGS) $(warnings) -fPIC -shared -o $@ $<

# The objects of leased and leasectl that a test needs.
$(BUILD)/tests/unit/test_http_head: $(BUILD)/obj/leased/http/http_head.o
$(BUILD)/tests/unit/test_confine: $(BUILD)/obj/leased/http/confine.o
$(BUILD)/tests/unit/test_roster: $(BUILD)/obj/leased/requests/roster.o
$(BUILD)/tests/unit/test_pattern: $(call obj,leasectl/admission/pattern.c)
$(BUILD)/tests/unit/test_pam_stack: $(call obj,leasectl/admission/pam_stack.c leasectl/admission/pam_stack_read.c \
	leasectl/host/textfile.c leasectl/ctl.c)
$(BUILD)/tests/unit/test_beats: $(BUILD)/obj/leased/requests/beats.o

unit-tests: $(addprefix $(BUILD)/tests/unit/,$(unit_names))
	@:

# Programs that call the module as sshd does.
pam_tests = $(BUILD)/tests/pam/table $(BUILD)/tests/pam/guest $(BUILD)/tests/pam/standin

$(BUILD)/tests/pam/%: $(BUILD)/obj/tests/pam/%.o $(call archive,base)
	$(call say,LD,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(ldflags) -o $@ $^ -lpam -lcmocka

pam-tests: $(pam_tests) $(BUILD)/lib/pam_tunnel.so
	@:

# leased with a hostile http process in place of its own.
$(BUILD)/tests/hostile_http: $(BUILD)/obj/tests/hostile_http.o \
		$(call obj,$(filter-out leased/http/%,$(leased_src))) $(call archive,$(leased_libs))
	$(call say,LD,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(ldflags) -o $@ $^ $(event_libs) $(sqlite_libs) $(jansson_libs) $(bsd_libs)

$(BUILD)/tests/logsink: $(BUILD)/obj/tests/logsink.o
	$(call say,LD,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(ldflags) -o $@ $^

# The attempts of leasectl verify, for the tests: both use one table and one runner.
probe_obj = $(patsubst %,$(BUILD)/obj/leasectl/probe/%.o,attempt forward greeter loopback session ssh target verdict)
$(BUILD)/tests/attempt: $(BUILD)/obj/tests/attempt.o $(probe_obj) $(BUILD)/obj/leasectl/child.o $(call archive,lease base)
	$(call say,LD,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(ldflags) -o $@ $^ $(bsd_libs)

$(BUILD)/tests/fill: $(BUILD)/obj/tests/bench/fill.o $(call archive,store lease base)
	$(call say,LD,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(ldflags) -o $@ $^ $(sqlite_libs) $(bsd_libs)

$(BUILD)/tests/crowd: $(BUILD)/obj/tests/bench/crowd.o $(call archive,store session lease base)
	$(call say,LD,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(ldflags) -o $@ $^ $(sqlite_libs) $(bsd_libs)

$(BUILD)/tests/sweep: $(BUILD)/obj/tests/bench/sweep.o \
		$(call obj,$(filter-out leased/main.c,$(leased_src))) $(call archive,$(leased_libs))
	$(call say,LD,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(ldflags) -o $@ $^ $(event_libs) $(sqlite_libs) $(jansson_libs) $(bsd_libs)

# leased's http process with a stand-in for the engine.
http_obj = $(call obj,$(wildcard leased/http/*.c))

$(BUILD)/tests/http_engine: $(BUILD)/obj/tests/http_engine.o $(http_obj) $(call archive,wire lease base)
	$(call say,LD,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(ldflags) -o $@ $^ $(event_libs) $(jansson_libs) $(bsd_libs)

$(BUILD)/tests/load: $(BUILD)/obj/tests/bench/load.o
	$(call say,LD,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(ldflags) -o $@ $^

$(addprefix $(BUILD)/tests/,ready stall refused): $(BUILD)/tests/%: $(BUILD)/obj/tests/bench/%.o
	$(call say,LD,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(ldflags) -o $@ $^

# Programs that the benchmarks compare akc with, linked as akc is.
$(BUILD)/tests/empty: $(BUILD)/obj/tests/bench/empty.o
	$(call say,LD,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(akc_ldflags) -o $@ $^

$(BUILD)/tests/inturn: $(BUILD)/obj/tests/bench/inturn.o
	$(call say,LD,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(akc_ldflags) -o $@ $^

bench-tools: all $(addprefix $(BUILD)/tests/,logsink fill empty inturn load ready stall refused crowd http_engine)
	$(Q)$(MAKE) -s BUILD=$(BUILD)/dynamic AKC_STATIC=0 $(BUILD)/dynamic/bin/akc

# The module with a pause before some of its calls, where a test asks for one. The rest of it are
# the product's own objects.
delayed = registry_add_opening helper_check registry_lock registry_lock_shared registry_open_session
$(BUILD)/tests/delayed/pam_tunnel.so: $(BUILD)/obj/pic/tests/pam/delayed.o $(pam_obj) pam_tunnel/pam_tunnel.map
	$(call say,LD,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(pam_ldflags) $(addprefix -Wl$(comma)--wrap=,$(delayed)) -o $@ $(filter %.o,$^) -lpam $(pam_bsd_libs)

tests: all unit-tests pam-tests $(addprefix $(BUILD)/tests/,delayed/pam_tunnel.so clock_shift.so slow_disk.so logsink attempt fill crowd load sweep http_engine hostile_http)
	$(Q)$(MAKE) BUILD=$(BUILD)/san SANITIZE=address,undefined unit-tests pam-tests

# ---- install: copies, and enables nothing ----

# bash finds a completion by the name of its file, zsh by the first line.
completions = bash:$(BASHCOMPDIR)/leasectl bash:$(BASHCOMPDIR)/tunnel-agent zsh:$(ZSHCOMPDIR)/_leasectl

install: all
	install -d $(DESTDIR)$(BINDIR) $(DESTDIR)$(SBINDIR) $(DESTDIR)$(LIBEXECDIR)/tunlease $(DESTDIR)$(DOCDIR)/schema \
		$(DESTDIR)$(MANDIR)/man1 $(DESTDIR)$(MANDIR)/man5 $(DESTDIR)$(MANDIR)/man8 \
		$(DESTDIR)$(PREFIX)/lib/sysusers.d $(DESTDIR)$(PREFIX)/lib/tmpfiles.d $(DESTDIR)$(UNITDIR) \
		$(DESTDIR)$(SYSCONFDIR)/tunlease $(DESTDIR)$(PAMDIR) $(DESTDIR)$(DATADIR)/pam-configs
	install -m 0644 $(BUILD)/lib/pam_tunnel.so $(DESTDIR)$(PAMDIR)/pam_tunnel.so
	install -m 0644 packaging/pam-configs/tunlease $(DESTDIR)$(DATADIR)/pam-configs/tunlease
	install -m 0644 pam_tunnel/pam_tunnel.8 $(DESTDIR)$(MANDIR)/man8/pam_tunnel.8
	install -m 0644 leased/leased.8 $(DESTDIR)$(MANDIR)/man8/leased.8
	install -m 0755 $(BUILD)/bin/akc $(DESTDIR)$(LIBEXECDIR)/tunlease/akc
	install -m 0755 $(BUILD)/bin/leasectl $(DESTDIR)$(BINDIR)/leasectl
	install -m 0755 $(BUILD)/bin/leased $(DESTDIR)$(SBINDIR)/leased
	install -m 0755 $(BUILD)/bin/tunnel-agent $(DESTDIR)$(BINDIR)/tunnel-agent
	install -m 0644 tunnel-agent/tunnel-agent.1 $(DESTDIR)$(MANDIR)/man1/tunnel-agent.1
	install -m 0644 leasectl/leasectl.1 $(DESTDIR)$(MANDIR)/man1/leasectl.1
	install -m 0644 lib/conf/tunlease.conf.5 $(DESTDIR)$(MANDIR)/man5/tunlease.conf.5
	install -m 0644 akc/akc.8 $(DESTDIR)$(MANDIR)/man8/akc.8
	install -m 0644 README.md CHANGES.md LICENSE docs/from-ssh-tunnel-gateway.md $(DESTDIR)$(DOCDIR)
	install -m 0644 docs/schema/*.json $(DESTDIR)$(DOCDIR)/schema
	install -d $(DESTDIR)$(BASHCOMPDIR) $(DESTDIR)$(ZSHCOMPDIR)
	install -m 0755 packaging/completion/complete $(DESTDIR)$(LIBEXECDIR)/tunlease/complete
	for file in $(completions); do \
		sed -e 's,@LIBEXECDIR@,$(LIBEXECDIR),g' packaging/completion/$${file%%:*}.in >$(DESTDIR)$${file#*:} || exit 1; done
	install -m 0644 packaging/sysusers.d/tunlease.conf $(DESTDIR)$(PREFIX)/lib/sysusers.d/tunlease.conf
	sed -e 's,@RUNSTATEDIR@,$(RUNSTATEDIR),g' -e 's,@LOCALSTATEDIR@,$(LOCALSTATEDIR),g' \
		packaging/tmpfiles.d/tunlease.conf.in >$(DESTDIR)$(PREFIX)/lib/tmpfiles.d/tunlease.conf
	for unit in leased.service leased.socket leased-refused.target; do \
		sed -e 's,@SBINDIR@,$(SBINDIR),g' -e 's,@LOCALSTATEDIR@,$(LOCALSTATEDIR),g' \
			packaging/systemd/$$unit.in >$(DESTDIR)$(UNITDIR)/$$unit || exit 1; done
	install -m 0644 packaging/prometheus/tunlease.rules.yml $(DESTDIR)$(DOCDIR)/tunlease.rules.yml
	test -e $(DESTDIR)$(SYSCONFDIR)/tunlease/tunlease.conf || \
		install -m 0644 packaging/tunlease.conf $(DESTDIR)$(SYSCONFDIR)/tunlease/tunlease.conf

# For a private host, which needs nothing else of the above.
install-agent: $(BUILD)/bin/tunnel-agent
	install -d $(DESTDIR)$(BINDIR) $(DESTDIR)$(MANDIR)/man1
	install -m 0755 $(BUILD)/bin/tunnel-agent $(DESTDIR)$(BINDIR)/tunnel-agent
	install -m 0644 tunnel-agent/tunnel-agent.1 $(DESTDIR)$(MANDIR)/man1/tunnel-agent.1

uninstall-agent:
	$(Q)$(if $(DESTDIR),:,packaging/in-use $(BINDIR)/tunnel-agent)
	rm -f $(DESTDIR)$(BINDIR)/tunnel-agent $(DESTDIR)$(MANDIR)/man1/tunnel-agent.1

# One file to copy to a private host of any distribution. Without https: libcurl is a library of the host.
agent-static:
	$(Q)$(MAKE) BUILD=$(BUILD)/static AGENT_STATIC=1 HTTPS=0 $(BUILD)/static/bin/tunnel-agent
	@echo $(BUILD)/static/bin/tunnel-agent

uninstall:
	$(Q)$(if $(DESTDIR),:,packaging/in-use $(SBINDIR)/leased $(BINDIR)/tunnel-agent $(LIBEXECDIR)/tunlease/akc \
		$(PAMDIR)/pam_tunnel.so)
	rm -f $(DESTDIR)$(LIBEXECDIR)/tunlease/akc $(DESTDIR)$(BINDIR)/leasectl \
		$(DESTDIR)$(BINDIR)/tunnel-agent $(DESTDIR)$(MANDIR)/man1/tunnel-agent.1 \
		$(DESTDIR)$(SBINDIR)/leased $(DESTDIR)$(MANDIR)/man1/leasectl.1 $(DESTDIR)$(MANDIR)/man5/tunlease.conf.5 \
		$(DESTDIR)$(PAMDIR)/pam_tunnel.so $(DESTDIR)$(DATADIR)/pam-configs/tunlease \
		$(DESTDIR)$(MANDIR)/man8/pam_tunnel.8 $(DESTDIR)$(MANDIR)/man8/leased.8 $(DESTDIR)$(MANDIR)/man8/akc.8 $(DESTDIR)$(PREFIX)/lib/sysusers.d/tunlease.conf \
		$(DESTDIR)$(PREFIX)/lib/tmpfiles.d/tunlease.conf \
		$(DESTDIR)$(UNITDIR)/leased.service $(DESTDIR)$(UNITDIR)/leased.socket \
		$(DESTDIR)$(UNITDIR)/leased-refused.target \
		$(DESTDIR)$(LIBEXECDIR)/tunlease/complete $(foreach file,$(completions),$(DESTDIR)$(lastword $(subst :, ,$(file))))
	rm -rf $(DESTDIR)$(DOCDIR)
	@[ ! -d $(DESTDIR)$(LIBEXECDIR)/tunlease ] || rmdir $(DESTDIR)$(LIBEXECDIR)/tunlease
	@echo 'kept: $(SYSCONFDIR)/tunlease, and $(LOCALSTATEDIR)/lib/tunlease with the leases'

# ---- targets for people ----

# Debian packages: for the build; for the tests and the demo.
build_packages = gcc libc6-dev make pkg-config libsqlite3-dev libbsd-dev libmd-dev libjansson-dev libpam0g-dev libevent-dev \
	$(agent_packages)
test_packages = openssh-server openssh-client openssh-sftp-server libcmocka-dev sqlite3 valgrind \
	strace python3 python3-jsonschema curl iproute2 procps util-linux bsdutils xauth mandoc \
	shellcheck clang-format passwd libc6-dbg systemd sudo cron \
	nftables openssl zsh bash-completion
# For the benchmarks; for the long tests, which build the agent with another C library, too.
bench_packages = autossh python3-fastapi uvicorn
long_packages = systemd-container musl-tools debootstrap dpkg-dev autoconf automake libtool
packages = $(build_packages) $(test_packages)

help:
	@printf '  %-15s %s\n' \
		all 'the programs, into $(BUILD)/bin and $(BUILD)/lib' \
		build-deps 'installs the Debian packages that the programs need' \
		deps 'the same, and those of the tests and the demo' \
		demo 'shows both jobs on a real sshd, in a sandbox' \
		check-quick 'the tests that fail first if something is wrong' \
		check 'all tests' \
		check-long 'tests that take hours' \
		fault 'disk errors, and a kill at every system call' \
		fuzz 'needs clang' \
		bench 'writes docs/performance.md anew' \
		lint 'the style of the tree, and the manual pages' \
		install 'copies the files, and enables nothing' \
		uninstall 'removes them, unless they are in use' \
		install-agent 'tunnel-agent and its manual alone, for a private host' \
		uninstall-agent 'removes these two' \
		agent-static 'tunnel-agent as one file, for a host of another distribution' \
		dist 'a source archive' \
		clean 'removes $(BUILD)'

build-deps:
	$(Q)NO_DEPS=$(NO_DEPS) packaging/deps $(build_packages)

deps:
	$(Q)NO_DEPS=$(NO_DEPS) packaging/deps $(packages)
	$(Q)[ -n "$(NO_DEPS)" ] || [ -x $(promtool) ] || $(MAKE) $(promtool) || :

# Unpacked, not installed: Debian's package would start a server on this host.
promtool = $(BUILD)/prometheus/usr/bin/promtool
$(promtool):
	$(Q)mkdir -p $(BUILD)/prometheus
	$(Q)cd $(BUILD)/prometheus && apt-get -qq download prometheus 2>/dev/null && \
		dpkg -x prometheus_*.deb . && rm prometheus_*.deb

check: deps
	@echo 'building'
	$(Q)$(MAKE) QUIET=1 WERROR=1 tests
	$(Q)tests/run

# Before each commit: at most two minutes on a quiet machine.
check-quick: deps
	@echo 'building'
	$(Q)$(MAKE) QUIET=1 WERROR=1 tests
	$(Q)tests/run -q

check-long: deps
	$(Q)NO_DEPS=$(NO_DEPS) packaging/deps $(long_packages)
	$(Q)$(MAKE) QUIET=1 WERROR=1 tests
	$(Q)tests/run 'long/*'

demo: deps
	@echo 'building'
	$(Q)$(MAKE) QUIET=1 all $(BUILD)/tests/logsink
	$(Q)tests/sandbox --bare tests/demo
	$(Q)tests/sandbox --bare tests/demo_gateway

bench: deps
	$(Q)NO_DEPS=$(NO_DEPS) packaging/deps $(bench_packages)
	$(Q)$(MAKE) QUIET=1 WERROR=1 bench-tools
	$(Q)tests/bench/run

fuzz: deps
	$(Q)tests/fuzz/run

fault: deps
	$(Q)$(MAKE) QUIET=1 tests
	$(Q)tests/run 'fault/*'

lint: deps
	$(Q)$(MAKE) QUIET=1 all
	$(Q)tests/run check/style check/manuals

# A reproducible source archive: the same bytes wherever it is made.
dist:
	$(Q)mkdir -p $(BUILD)
	$(Q)git ls-files -z | tar --null --files-from=- --sort=name --owner=0 --group=0 --numeric-owner \
		--mtime=@$${SOURCE_DATE_EPOCH:-$$(git log -1 --format=%ct)} \
		--transform='s,^,tunlease-$(VERSION)/,' -cf - | gzip -9n >$(BUILD)/tunlease-$(VERSION).tar.gz
	@echo $(BUILD)/tunlease-$(VERSION).tar.gz

deb check-packages:
	@echo "make $@: this version has no Debian packages yet; 'make install' copies everything" >&2
	@exit 1

clean:
	rm -rf $(BUILD)
