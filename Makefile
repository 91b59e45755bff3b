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
AGENT_DOCDIR ?= $(DATADIR)/doc/tunnel-agent
PAMDIR ?= $(PREFIX)/lib/$(shell $(CC) -print-multiarch 2>/dev/null)/security
UNITDIR ?= $(PREFIX)/lib/systemd/system
USERUNITDIR ?= $(PREFIX)/lib/systemd/user
CATALOGDIR ?= $(PREFIX)/lib/systemd/catalog
BASHCOMPDIR ?= $(DATADIR)/bash-completion/completions
# Debian's zsh looks below /usr in another folder than that of zsh's authors.
ZSHCOMPDIR ?= $(DATADIR)/zsh/$(if $(and $(filter /usr,$(PREFIX)),$(wildcard /etc/debian_version)),vendor-completions,site-functions)
DESTDIR ?=

BUILD ?= build
CC = gcc
AWK ?= awk
PKG_CONFIG ?= pkg-config
VERSION := $(shell cat VERSION)

# V=1 shows whole commands; WERROR=1 makes warnings errors (CI); AKC_STATIC=0 links akc and join dynamically.
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
hardening = -D_FORTIFY_SOURCE=2 -fstack-protector-strong -fstack-clash-protection $(branches)
# Each processor has its own way to let calls and returns arrive only where the compiler meant it.
branches := $(if $(filter aarch64%,$(shell $(CC) -dumpmachine 2>/dev/null)),-mbranch-protection=standard,-fcf-protection)
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

# ---- the tree, as docs/design.md 7 draws it: base <- conf, session, lease <- store, wire <- handout <- programs ----

libs = base lease session conf store wire handout
# musl lacks the base64 of lib/lease/authorized, which the agent does not need.
lib_src = $(wildcard lib/$(1)/*.c $(if $(AGENT_PARTS),,lib/$(1)/*/*.c))
lib_obj = $(patsubst %.c,$(BUILD)/obj/%.o,$(call lib_src,$(1)))
archive = $(patsubst %,$(BUILD)/lib/lib%.a,$(1))

sqlite_libs = -lsqlite3 -lm
jansson_libs = -ljansson
event_libs = -levent_core
bsd_libs = -lbsd -lmd -lresolv
pam_bsd_libs = -lbsd -lmd

akc_src = $(wildcard akc/*.c)
akc_libs = store session lease conf base
join_src = $(wildcard join/*.c)
join_libs = wire session lease base
leasectl_src = $(wildcard leasectl/*.c leasectl/*/*.c)
leasectl_libs = handout wire store conf session lease base

leased_src = $(wildcard leased/*.c leased/*/*.c)
leased_libs = handout wire store conf session lease base
pam_src = $(wildcard pam_tunnel/*.c)
# Of lib/conf it uses paths.c only. With sanitizers the linker does not drop the rest, which needs
# lib/lease.
pam_libs = session conf base $(if $(SANITIZE),lease)

programs = $(BUILD)/bin/akc $(BUILD)/bin/join $(BUILD)/bin/leasectl $(BUILD)/bin/leased $(BUILD)/lib/pam_tunnel.so $(BUILD)/bin/tunnel-agent
manuals = akc/akc.8 join/join.8 leased/leased.8 pam_tunnel/pam_tunnel.8 leasectl/leasectl.1 tunnel-agent/tunnel-agent.1 lib/conf/tunlease.conf.5

agent_src = $(wildcard tunnel-agent/*.c tunnel-agent/*/*.c)
agent_libs = wire lease base

.PHONY: all help deps build-deps demo check check-quick check-long check-packages fault fault-power fuzz sim mutate coverage bench lint \
	install install-agent uninstall uninstall-agent agent-static dist deb rpm image clean tests unit-tests pam-tests bench-tools
.DELETE_ON_ERROR:
.SECONDEXPANSION:
# Objects stay, whichever chain of rules made them: a second make builds nothing, and says nothing.
.SECONDARY:

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

$(BUILD)/obj/%.o: %.c | $(BUILD)/gen/store_sql.h $(BUILD)/gen/restore_sql.h $(needs)
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(cppflags) $(cflags) -MMD -MP -c -o $@ $<

$(BUILD)/gen/store_sql.h: sql/embed.awk sql/queries.sql $(wildcard sql/migrate/*.sql) | $(needs)
	$(call say,SQL,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(AWK) -f sql/embed.awk sql/queries.sql $(sort $(wildcard sql/migrate/*.sql)) >$@

# The page, its style and its script are texts of the http process.
page_files = leased/page/page.html $(filter-out leased/page/page.html,$(sort $(wildcard $(addprefix leased/page/*.,html css js svg))))

$(BUILD)/gen/page_files.h: leased/page/embed.awk $(page_files) | $(needs)
	$(call say,PAGE,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(AWK) -f leased/page/embed.awk $(page_files) >$@

$(BUILD)/obj/leased/http/page_parts.o: $(BUILD)/gen/page_files.h

# The claims of docs/security.md, for leasectl prove.
$(BUILD)/gen/security_claims.h: leasectl/prove/claims.awk docs/security.md | $(needs)
	$(call say,AWK,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(AWK) -f leasectl/prove/claims.awk docs/security.md >$@
$(BUILD)/obj/leasectl/prove/claims.o: $(BUILD)/gen/security_claims.h

$(BUILD)/gen/restore_sql.h: sql/embed.awk sql/restore.sql | $(needs)
	$(call say,SQL,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(AWK) -v set=restore -f sql/embed.awk sql/restore.sql >$@

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

# As akc: a client's variables, where AcceptEnv lets them in, must not reach ld.so.
$(BUILD)/bin/join: $(call obj,$(join_src)) $(call archive,$(join_libs))
	$(call say,LD,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(akc_ldflags) -o $@ $^ $(jansson_libs) $(bsd_libs)

# HTTPS=1: tunnel-agent can reach https:// endpoints. Only a short-lived child of it loads libcurl.
HTTPS ?= 1
ifeq ($(HTTPS),1)
agent_cppflags = -DTUNNEL_AGENT_HTTPS
agent_packages = libcurl4-openssl-dev
endif
# AGENT_PARTS is for agent-static: what is linked into it.
ifneq ($(AGENT_PARTS),)
agent_ldflags = -static-pie -s -Wl,-z,relro,-z,now -Wl,--gc-sections $(hardening) $(LDFLAGS)
else
agent_ldflags = $(ldflags)
endif

$(BUILD)/gen/agent_licences.h: tunnel-agent/licences.awk LICENSE $(AGENT_PARTS) | $(needs)
	$(call say,AWK,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(AWK) -f tunnel-agent/licences.awk LICENSE $(AGENT_PARTS) >$@
$(BUILD)/obj/tunnel-agent/licences.o: $(BUILD)/gen/agent_licences.h

$(BUILD)/obj/tunnel-agent/%.o: cppflags += $(agent_cppflags)

$(BUILD)/bin/tunnel-agent: $(call obj,$(agent_src)) $(call archive,$(agent_libs))
	$(call say,LD,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(agent_ldflags) -o $@ $^ $(event_libs) $(jansson_libs) $(bsd_libs)

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

$(BUILD)/obj/pic/%.o: %.c | $(BUILD)/gen/store_sql.h $(BUILD)/gen/restore_sql.h $(needs)
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
unit_libs = handout wire store conf session lease base

# The agent's objects as an archive, from which the linker takes what the tests below need.
$(BUILD)/tests/agent.a: $(filter-out %/main.o,$(call obj,$(agent_src)))
	$(Q)mkdir -p $(@D)
	$(Q)rm -f $@ && ar rcs $@ $^
$(addprefix $(BUILD)/tests/unit/,test_agent_leg test_agent_turn test_agent_advice test_register): $(BUILD)/tests/agent.a

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
$(BUILD)/tests/unit/test_history: $(BUILD)/obj/leased/status/history.o
$(BUILD)/tests/unit/test_confine: $(BUILD)/obj/leased/http/confine.o
$(BUILD)/tests/unit/test_roster: $(BUILD)/obj/leased/requests/roster.o
$(BUILD)/tests/unit/test_pattern: $(call obj,leasectl/admission/pattern.c)
$(BUILD)/tests/unit/test_pam_stack: $(call obj,leasectl/admission/pam_stack.c leasectl/admission/pam_stack_read.c \
	leasectl/host/textfile.c leasectl/ctl.c)
$(BUILD)/tests/unit/test_tally: $(call obj,leasectl/top/tally.c leasectl/traffic/traffic.c leasectl/traffic/inet_diag.c)
$(BUILD)/tests/unit/test_screen: $(call obj,leasectl/top/frame.c leasectl/top/keys.c leasectl/show/bytes.c)
$(BUILD)/tests/unit/test_beats: $(BUILD)/obj/leased/requests/beats.o
$(BUILD)/tests/unit/test_join_decision: $(call obj,$(filter-out leased/main.c leased/http_process.c leased/http/%,$(leased_src)))
$(BUILD)/tests/unit/test_join $(BUILD)/tests/unit/test_system_calls: $(call obj,$(filter-out join/main.c,$(join_src)))

# The simulation: docs/simulation.md. `make sim SEED=7` runs one seed.
$(BUILD)/tests/sim/sim: $(BUILD)/obj/tests/sim/main.o $(call archive,$(unit_libs))
	$(call say,LD,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(ldflags) -o $@ -Wl,--start-group $^ -Wl,--end-group $(sqlite_libs) $(jansson_libs) $(bsd_libs)
sim: $(BUILD)/tests/sim/sim
	$(BUILD)/tests/sim/sim --seed $(or $(SEED),1)

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

# What is left of a store in an image of a disk (make fault-power).
$(BUILD)/tests/power/check_store: $(call obj,tests/power/check_store.c tests/power/feed.c) $(call archive,store lease base)
	$(call say,LD,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(ldflags) -o $@ $^ $(sqlite_libs) $(bsd_libs)

$(BUILD)/tests/power/check_agent: $(call obj,tests/power/check_agent.c tests/power/feed.c) $(BUILD)/tests/agent.a $(call archive,$(agent_libs))
	$(call say,LD,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(ldflags) -o $@ $^ $(event_libs) $(jansson_libs) $(bsd_libs)

# What the reader of authorized_keys makes of a file, in sshd's words.
$(BUILD)/tests/authorized: $(BUILD)/obj/tests/authorized.o $(call archive,lease base)
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

tests: all unit-tests pam-tests $(addprefix $(BUILD)/tests/,delayed/pam_tunnel.so clock_shift.so slow_disk.so logsink attempt authorized fill crowd load sweep http_engine hostile_http power/check_store power/check_agent sim/sim)
	$(Q)$(MAKE) BUILD=$(BUILD)/san SANITIZE=address,undefined unit-tests pam-tests

# ---- install: copies, and enables nothing ----

# bash finds a completion by the name of its file, zsh by the first line.
completions = bash:$(BASHCOMPDIR)/leasectl bash:$(BASHCOMPDIR)/tunnel-agent zsh:$(ZSHCOMPDIR)/_leasectl

# Renames the new file over the old one: a login, or a program that starts meanwhile, never finds none or half
# of one. install(1) deletes the old one first.
replace = install $(1) $(2).new && mv -f $(2).new $(2)

install: all install-agent
	install -d $(DESTDIR)$(BINDIR) $(DESTDIR)$(SBINDIR) $(DESTDIR)$(LIBEXECDIR)/tunlease $(DESTDIR)$(DOCDIR)/schema \
		$(DESTDIR)$(DOCDIR)/examples $(DESTDIR)$(MANDIR)/man1 $(DESTDIR)$(MANDIR)/man5 $(DESTDIR)$(MANDIR)/man8 \
		$(DESTDIR)$(PREFIX)/lib/sysusers.d $(DESTDIR)$(PREFIX)/lib/tmpfiles.d $(DESTDIR)$(UNITDIR) \
		$(DESTDIR)$(CATALOGDIR) $(DESTDIR)$(SYSCONFDIR)/tunlease $(DESTDIR)$(PAMDIR) $(DESTDIR)$(DATADIR)/pam-configs
	$(call replace,-m 0644 $(BUILD)/lib/pam_tunnel.so,$(DESTDIR)$(PAMDIR)/pam_tunnel.so)
	install -m 0644 packaging/pam-configs/tunlease $(DESTDIR)$(DATADIR)/pam-configs/tunlease
	install -m 0644 pam_tunnel/pam_tunnel.8 $(DESTDIR)$(MANDIR)/man8/pam_tunnel.8
	install -m 0644 leased/leased.8 $(DESTDIR)$(MANDIR)/man8/leased.8
	$(call replace,-m 0755 $(BUILD)/bin/akc,$(DESTDIR)$(LIBEXECDIR)/tunlease/akc)
	$(call replace,-m 0755 $(BUILD)/bin/join,$(DESTDIR)$(LIBEXECDIR)/tunlease/join)
	$(call replace,-m 0755 $(BUILD)/bin/leasectl,$(DESTDIR)$(BINDIR)/leasectl)
	$(call replace,-m 0755 $(BUILD)/bin/leased,$(DESTDIR)$(SBINDIR)/leased)
	install -m 0644 leasectl/leasectl.1 $(DESTDIR)$(MANDIR)/man1/leasectl.1
	install -m 0644 lib/conf/tunlease.conf.5 $(DESTDIR)$(MANDIR)/man5/tunlease.conf.5
	install -m 0644 akc/akc.8 $(DESTDIR)$(MANDIR)/man8/akc.8
	install -m 0644 join/join.8 $(DESTDIR)$(MANDIR)/man8/join.8
	install -m 0644 README.md CHANGES.md LICENSE docs/from-ssh-tunnel-gateway.md $(DESTDIR)$(DOCDIR)
	install -m 0644 docs/schema/*.json $(DESTDIR)$(DOCDIR)/schema
	install -d $(DESTDIR)$(BASHCOMPDIR) $(DESTDIR)$(ZSHCOMPDIR)
	install -m 0755 packaging/completion/complete $(DESTDIR)$(LIBEXECDIR)/tunlease/complete
	for file in $(completions); do \
		sed -e 's,@LIBEXECDIR@,$(LIBEXECDIR),g' packaging/completion/$${file%%:*}.in >$(DESTDIR)$${file#*:} || exit 1; done
	install -m 0644 packaging/sysusers.d/tunlease.conf $(DESTDIR)$(PREFIX)/lib/sysusers.d/tunlease.conf
	sed -e 's,@RUNSTATEDIR@,$(RUNSTATEDIR),g' -e 's,@LOCALSTATEDIR@,$(LOCALSTATEDIR),g' \
		packaging/tmpfiles.d/tunlease.conf.in >$(DESTDIR)$(PREFIX)/lib/tmpfiles.d/tunlease.conf
	for unit in leased.service leased.socket leased-metrics.socket leased-join.socket leased-refused.target; do \
		sed -e 's,@SBINDIR@,$(SBINDIR),g' -e 's,@LOCALSTATEDIR@,$(LOCALSTATEDIR),g' -e 's,@RUNSTATEDIR@,$(RUNSTATEDIR),g' \
			packaging/systemd/$$unit.in >$(DESTDIR)$(UNITDIR)/$$unit || exit 1; done
	install -m 0644 packaging/prometheus/tunlease.rules.yml packaging/examples/leased.env \
		packaging/sshd_config.d/10-hardening.conf $(DESTDIR)$(DOCDIR)/examples
	install -m 0644 packaging/grafana/tunlease.json $(DESTDIR)$(DOCDIR)/examples/tunlease.grafana.json
	install -m 0644 packaging/journald/tunlease.catalog $(DESTDIR)$(CATALOGDIR)/tunlease.catalog
	test -e $(DESTDIR)$(SYSCONFDIR)/tunlease/tunlease.conf || \
		install -m 0644 packaging/tunlease.conf $(DESTDIR)$(SYSCONFDIR)/tunlease/tunlease.conf

# For a private host, which needs nothing else of the above. Of the two system units, the second is for hosts
# with several tunnels: in it @I@ is the name of one.
agent_files = $(BINDIR)/tunnel-agent $(MANDIR)/man1/tunnel-agent.1 $(UNITDIR)/tunnel-agent.service \
	$(UNITDIR)/tunnel-agent@.service $(USERUNITDIR)/tunnel-agent.service $(PREFIX)/lib/sysusers.d/tunnel-agent.conf \
	$(PREFIX)/lib/tmpfiles.d/tunnel-agent.conf $(AGENT_DOCDIR)/examples/agent.env
fill_agent_unit = sed -e 's,@BINDIR@,$(BINDIR),g' -e 's,@SYSCONFDIR@,$(SYSCONFDIR),g'

install-agent: $(BUILD)/bin/tunnel-agent
	install -d $(addprefix $(DESTDIR),$(sort $(dir $(agent_files))) $(SYSCONFDIR)/tunlease)
	$(call replace,-m 0755 $(BUILD)/bin/tunnel-agent,$(DESTDIR)$(BINDIR)/tunnel-agent)
	install -m 0644 tunnel-agent/tunnel-agent.1 $(DESTDIR)$(MANDIR)/man1/tunnel-agent.1
	install -m 0644 packaging/sysusers.d/tunnel-agent.conf $(DESTDIR)$(PREFIX)/lib/sysusers.d/tunnel-agent.conf
	install -m 0644 packaging/tmpfiles.d/tunnel-agent.conf $(DESTDIR)$(PREFIX)/lib/tmpfiles.d/tunnel-agent.conf
	install -m 0644 packaging/examples/agent.env $(DESTDIR)$(AGENT_DOCDIR)/examples/agent.env
	$(fill_agent_unit) -e 's,@-I@,,g' -e 's,@ I@,,g' -e 's,@STATE@,.ssh-tunnel,g' \
		packaging/systemd/tunnel-agent.service.in >$(DESTDIR)$(UNITDIR)/tunnel-agent.service
	$(fill_agent_unit) -e 's,@-I@,-%i,g' -e 's,@ I@, %i,g' -e 's,@STATE@,%i,g' \
		packaging/systemd/tunnel-agent.service.in >$(DESTDIR)$(UNITDIR)/tunnel-agent@.service
	$(fill_agent_unit) packaging/systemd/tunnel-agent.user.service.in >$(DESTDIR)$(USERUNITDIR)/tunnel-agent.service

uninstall-agent:
	$(Q)$(if $(DESTDIR),:,packaging/in-use $(BINDIR)/tunnel-agent)
	rm -f $(addprefix $(DESTDIR),$(agent_files))
	rm -rf $(DESTDIR)$(AGENT_DOCDIR)

# One file to copy to a private host of any distribution, for this processor or with ARCH= for another. With
# musl: glibc loads modules of the host to look up names, and its licence asks something of who passes the
# file on. Without https: libcurl is a library of the host.
ARCH ?= $(shell uname -m)
static = $(BUILD)/static/$(ARCH)
cross_gcc = $(if $(filter $(ARCH),$(shell uname -m)),gcc,gcc-$(subst _,-,$(ARCH))-linux-gnu)

agent-static:
	$(Q)NO_DEPS=$(NO_DEPS) packaging/deps dpkg-dev $(cross_gcc)
	$(Q)packaging/static/libraries $(ARCH) $(BUILD)/static
	$(Q)$(MAKE) BUILD=$(static) CC='packaging/static/cc $(ARCH) $(static)/sysroot' AGENT_PARTS=$(static)/parts HTTPS=0 \
		$(static)/bin/tunnel-agent
	@echo $(static)/bin/tunnel-agent

uninstall:
	$(Q)$(if $(DESTDIR),:,packaging/in-use $(SBINDIR)/leased $(BINDIR)/tunnel-agent $(LIBEXECDIR)/tunlease/akc \
		$(LIBEXECDIR)/tunlease/join $(PAMDIR)/pam_tunnel.so)
	rm -f $(addprefix $(DESTDIR)$(LIBEXECDIR)/tunlease/,akc join) $(DESTDIR)$(BINDIR)/leasectl \
		$(addprefix $(DESTDIR),$(agent_files)) \
		$(DESTDIR)$(SBINDIR)/leased $(DESTDIR)$(MANDIR)/man1/leasectl.1 $(DESTDIR)$(MANDIR)/man5/tunlease.conf.5 \
		$(DESTDIR)$(PAMDIR)/pam_tunnel.so $(DESTDIR)$(DATADIR)/pam-configs/tunlease \
		$(DESTDIR)$(MANDIR)/man8/pam_tunnel.8 $(DESTDIR)$(MANDIR)/man8/leased.8 $(addprefix $(DESTDIR)$(MANDIR)/man8/,akc.8 join.8) $(DESTDIR)$(PREFIX)/lib/sysusers.d/tunlease.conf \
		$(DESTDIR)$(PREFIX)/lib/tmpfiles.d/tunlease.conf \
		$(DESTDIR)$(UNITDIR)/leased.service $(DESTDIR)$(UNITDIR)/leased.socket \
		$(DESTDIR)$(UNITDIR)/leased-metrics.socket $(DESTDIR)$(UNITDIR)/leased-join.socket \
		$(DESTDIR)$(UNITDIR)/leased-refused.target $(DESTDIR)$(CATALOGDIR)/tunlease.catalog \
		$(DESTDIR)$(LIBEXECDIR)/tunlease/complete $(foreach file,$(completions),$(DESTDIR)$(lastword $(subst :, ,$(file))))
	rm -rf $(DESTDIR)$(DOCDIR) $(DESTDIR)$(AGENT_DOCDIR)
	@[ ! -d $(DESTDIR)$(LIBEXECDIR)/tunlease ] || rmdir $(DESTDIR)$(LIBEXECDIR)/tunlease
	@echo 'kept: $(SYSCONFDIR)/tunlease, and $(LOCALSTATEDIR)/lib/tunlease with the leases'

# ---- targets for people ----

# Debian packages: for the build; for the tests and the demo.
build_packages = gcc libc6-dev make pkg-config libsqlite3-dev libbsd-dev libmd-dev libjansson-dev libpam0g-dev libevent-dev \
	$(agent_packages)
test_packages = openssh-server openssh-client openssh-sftp-server libcmocka-dev sqlite3 valgrind \
	strace python3 python3-jsonschema curl iproute2 procps util-linux bsdutils xauth mandoc \
	shellcheck clang-format passwd libc6-dbg systemd sudo cron \
	nftables netbase openssl zsh bash-completion tmux putty-tools dropbear-bin
demo_packages = $(build_packages) openssh-server openssh-client openssh-sftp-server libpam-runtime python3 curl iproute2 \
	procps util-linux mount bsdutils hostname passwd
bench_packages = autossh python3-fastapi uvicorn
long_packages = systemd-container debootstrap dpkg-dev frama-c-base
# To build Debian packages; for the tests of packages, which boot machines and run what was built for another
# processor.
deb_packages = dpkg-dev debhelper fakeroot
package_packages = $(deb_packages) lintian rpm buildah mmdebstrap systemd-container ansible-core faketime \
	gcc-aarch64-linux-gnu qemu-user
packages = $(build_packages) $(test_packages)

help:
	@printf '  %-15s %s\n' \
		all 'the programs, into $(BUILD)/bin and $(BUILD)/lib' \
		build-deps 'installs the Debian packages that the programs need' \
		deps 'the same, and those of the tests' \
		demo 'shows both jobs on a real sshd, in a sandbox' \
		check-quick 'the tests that fail first if something is wrong' \
		check 'all tests' \
		check-packages 'the packages on machines that it boots' \
		check-long 'tests that take hours' \
		fault 'disk errors, and a kill at every system call' \
		fault-power 'the power is cut at every system call, in 100,000 images of a disk' \
		fuzz 'needs clang' \
		sim 'the store under a simulated clock, of one SEED' \
		mutate 'changes the code at N places, and counts what the tests notice' \
		coverage 'which lines and branches the unit tests run' \
		bench 'writes docs/performance.md anew' \
		lint 'the style of the tree, and the manual pages' \
		install 'copies the files, and enables nothing' \
		uninstall 'removes them, unless they are in use' \
		install-agent 'tunnel-agent, its manual and units alone, for a private host' \
		uninstall-agent 'removes these' \
		agent-static 'tunnel-agent as one file for any host; ARCH=aarch64: for another processor' \
		dist 'a source archive' \
		deb 'Debian packages, into $(DEB_DIR); DEB_VERSION=0.1.0-1~before gives them another version' \
		rpm 'RPM packages, into $(BUILD)/rpm, which nobody has tried on Fedora' \
		image 'the gateway as a container: an OCI archive (as root)' \
		clean 'removes $(BUILD)'

build-deps:
	$(Q)NO_DEPS=$(NO_DEPS) packaging/deps $(build_packages)

deps:
	$(Q)NO_DEPS=$(NO_DEPS) packaging/deps $(packages)
	$(Q)[ -n "$(NO_DEPS)" ] || [ -x $(promtool) ] || $(MAKE) $(promtool) || :
	$(Q)[ -n "$(NO_DEPS)" ] || $(MAKE) -s $(browser) || :

# What the tests of the page need. Where it cannot be had, they are skipped and say so. npm of another source
# than Debian's will do, so it is asked for by its command. The browser is Debian's: npm downloads none.
browser = $(BUILD)/browser/node_modules/.package-lock.json
$(browser): tests/browser/package.json tests/browser/package-lock.json
	$(Q)packaging/deps chromium $$(command -v npm >/dev/null || echo npm)
	@echo 'installing puppeteer-core'
	$(Q)mkdir -p $(BUILD)/browser
	$(Q)cp $^ $(BUILD)/browser
	$(Q)cd $(BUILD)/browser && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error >/dev/null
	$(Q)touch $@

# Unpacked, not installed: Debian's package would start a server on this host.
promtool = $(BUILD)/prometheus/usr/bin/promtool
$(promtool):
	$(Q)mkdir -p $(BUILD)/prometheus
	$(Q)cd $(BUILD)/prometheus && \
		{ apt-get -qq download prometheus || { apt-get -qq update && apt-get -qq download prometheus; }; } 2>/dev/null && \
		dpkg -x prometheus_*.deb . && rm prometheus_*.deb

check: deps
	@echo 'building'
	$(Q)$(MAKE) QUIET=1 WERROR=1 tests
	$(Q)tests/run -a

# Before each commit: at most two minutes on a quiet machine.
check-quick: deps
	@echo 'building'
	$(Q)$(MAKE) QUIET=1 WERROR=1 tests
	$(Q)tests/run -q

check-long: deps
	$(Q)NO_DEPS=$(NO_DEPS) packaging/deps $(long_packages)
	$(Q)$(MAKE) QUIET=1 WERROR=1 tests
	$(Q)tests/run 'long/*'

demo:
	$(Q)NO_DEPS=$(NO_DEPS) packaging/deps $(demo_packages)
	@echo 'building'
	$(Q)$(MAKE) $(if $(filter -j%,$(MAKEFLAGS)),,-j$$(nproc)) QUIET=1 all $(BUILD)/tests/logsink
	$(Q)tests/sandbox --bare tests/demo
	$(Q)tests/sandbox --bare tests/demo_gateway

bench: deps
	$(Q)NO_DEPS=$(NO_DEPS) packaging/deps $(bench_packages)
	$(Q)$(MAKE) QUIET=1 WERROR=1 bench-tools
	$(Q)rc=0; tests/bench/run || rc=$$?; tests/bench/run --doc && exit $$rc

fuzz: deps
	$(Q)tests/fuzz/run $(FUZZ_S)

# The unit tests with gcov's counters, which say which test runs which line.
coverage_build = $(MAKE) QUIET=1 BUILD=$(BUILD)/coverage CFLAGS='-O0 -g --coverage -fprofile-abs-path -Wno-cpp' \
	LDFLAGS=--coverage unit-tests

# Hours for a thousand. MINUTES ends it earlier; tests/mutate/run has more options.
mutate: deps
	$(Q)$(MAKE) QUIET=1 tests
	$(Q)$(coverage_build)
	$(Q)nice -n 19 tests/mutate/run --count $(or $(N),100) $(if $(SEED),--seed $(SEED)) $(if $(MINUTES),--minutes $(MINUTES))

coverage: deps
	$(Q)$(coverage_build)
	$(Q)tests/mutate/run --coverage

fault: deps
	$(Q)$(MAKE) QUIET=1 tests
	$(Q)tests/run 'fault/*'

# Some twenty minutes; tests/power/run says what it does, and takes fewer images.
fault-power: deps
	$(Q)$(MAKE) QUIET=1 tests
	$(Q)tests/power/run

lint: deps
	$(Q)$(MAKE) QUIET=1 all
	$(Q)tests/run check/style check/manuals

# A reproducible source archive: the same bytes wherever it is made.
dist:
	$(Q)mkdir -p $(BUILD)
	$(Q)packaging/dist $(VERSION) >$(BUILD)/tunlease-$(VERSION).tar.gz
	@echo $(BUILD)/tunlease-$(VERSION).tar.gz

# Boots machines of their own, with the packages of this tree installed. What it cannot boot here it leaves out,
# and says so in its last line; then it has shown nothing, and is no failure either.
check-packages: deps
	$(Q)NO_DEPS=$(NO_DEPS) packaging/deps $(package_packages)
	@echo 'building, and packages of it'
	$(Q)$(MAKE) QUIET=1 all $(BUILD)/tests/logsink
	$(Q)$(MAKE) QUIET=1 deb >/dev/null
	$(Q)rc=0; TEST_DEBS="$$(realpath '$(DEB_DIR)')" tests/run -a 'package/*' || rc=$$?; [ $$rc != 77 ] || { echo \
		"check-packages LEFT OUT, nothing was tried: $$(sed -n 1p $(BUILD)/test-logs/skipped)"; exit 0; }; exit $$rc

# DEB_VERSION=0.1.0-1~before: another version than that of packaging/debian/changelog, for a package that is
# to be replaced by, or to replace, one of the same changelog. DEB_DIR: where the packages are to be.
DEB_DIR ?= $(BUILD)/deb
deb:
	$(Q)NO_DEPS=$(NO_DEPS) packaging/deps $(build_packages) $(deb_packages)
	$(Q)$(MAKE) -s dist >/dev/null
	$(Q)packaging/deb $(BUILD)/tunlease-$(VERSION).tar.gz $(VERSION) $(DEB_DIR) $(DEB_VERSION)
	@ls $(DEB_DIR)/*.deb

# For Fedora and its relatives, where nobody has tried them: packaging/rpm/README.rpm.
rpm:
	$(Q)NO_DEPS=$(NO_DEPS) packaging/deps $(build_packages) rpm
	$(Q)$(MAKE) -s dist >/dev/null
	$(Q)packaging/rpm/build $(BUILD)/tunlease-$(VERSION).tar.gz $(BUILD)/rpm
	@ls $(BUILD)/rpm/*.rpm

# The gateway as a container; packaging/oci/README.md says how to run it, and of what its digest is made.
image:
	$(Q)NO_DEPS=$(NO_DEPS) packaging/deps mmdebstrap buildah
	$(Q)rm -rf $(BUILD)/oci
	$(Q)$(MAKE) DEB_DIR=$(BUILD)/oci/deb deb >/dev/null
	$(Q)SOURCE_DATE_EPOCH=$${SOURCE_DATE_EPOCH:-$$(packaging/dist --date)} packaging/oci/build \
		$(BUILD)/oci/tunlease-$(VERSION).tar $(VERSION) $(BUILD)/oci/deb/tunlease_*.deb $(BUILD)/oci/deb/libpam-tunnel_*.deb
	@echo $(BUILD)/oci/tunlease-$(VERSION).tar

clean:
	rm -rf $(BUILD)
