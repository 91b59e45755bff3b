/* SPDX-License-Identifier: ISC */
/* Lines of authorized_keys as sshd reads them. That sshd does is shown by e2e/authorized_oracle. */
#include "lib/lease/authorized/line.h"

#include "lib/base/buf.h"
#include "lib/lease/authorized/allows.h"
#include "lib/lease/authorized/from.h"
#include "lib/lease/authorized/seen.h"

#include "tests/unit/helpers.h"

#define ED "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAID0yHeel4IHSa8aJVewb+EujK0Lw1y6XzK/xKIV7t/Wh"

/* `FLAGS|open|listen|more` of what a line allows, or its death. */
static void describe(const struct authorized_line *l, struct buf *out)
{
    static const char *const deaths[] = {
        "alive",      "option",  "value", "twice",      "quotes",      "blank", "from",
        "principals", "damaged", "dsa",   "protocol 1", "certificate", "mark",  "no key"};
    buf_clear(out);
    if (l->kind == AUTHORIZED_BLANK)
        buf_add(out, "blank");
    if (l->kind == AUTHORIZED_UNREAD)
        buf_add(out, "unread");
    if (l->kind == AUTHORIZED_DEAD)
        buf_addf(out, "dead: %s", deaths[l->death]);
    if (l->kind != AUTHORIZED_KEY && l->kind != AUTHORIZED_AUTHORITY)
        return;
    buf_addf(out, "%s%s%s%s%s%s", l->kind == AUTHORIZED_KEY ? "" : "authority ",
             l->port_forwarding ? "F" : "-", l->agent_forwarding ? "A" : "-",
             l->x11_forwarding ? "X" : "-", l->pty ? "P" : "-", l->user_rc ? "U" : "-");
    const struct authorized_permits *lists[] = {&l->open, &l->listen};
    for (size_t i = 0; i < 2; i++) {
        buf_add(out, i == 0 ? " L" : " R");
        for (size_t k = 0; k < lists[i]->count; k++)
            buf_addf(out, " %s:%u%s", lists[i]->items[k].host, lists[i]->items[k].port,
                     lists[i]->items[k].bare ? "b" : "");
    }
    if (l->command != NULL)
        buf_addf(out, " command=%s", l->command);
    if (l->from != NULL)
        buf_addf(out, " from=%s", l->from);
    if (l->principals != NULL)
        buf_addf(out, " principals=%s", l->principals);
    if (l->expires_text != NULL)
        buf_addf(out, " expiry=%lld%s", (long long)l->expires_s, l->expires_local ? "l" : "");
    if (l->tunnel != AUTHORIZED_TUNNEL_NONE)
        buf_addf(out, " tunnel=%d", l->tunnel);
    if (!l->touch_required)
        buf_add(out, " untouched");
    if (l->verify_required)
        buf_add(out, " verify");
    for (size_t i = 0; i < l->environment_count; i++)
        buf_addf(out, " %s", l->environment[i]);
}

static void check_line(const char *what, const char *text, size_t len, const char *want)
{
    struct authorized_line l;
    struct buf out = {.data = NULL};
    CHECK(what, authorized_line_read(text, len, &l) == 0);
    describe(&l, &out);
    check_text(what, buf_text(&out), want, __FILE__, __LINE__);
    CHECK(what,
          (l.kind == AUTHORIZED_DEAD) == (l.reason[0] != '\0') || l.kind == AUTHORIZED_UNREAD);
    authorized_line_release(&l);
    buf_release(&out);
}

/* tests/authorized_keys.shapes: `# N SHAPE ...`, then comments, then the line. */
static void shapes(void **state)
{
    (void)state;
    static const struct {
        int shape;
        const char *want;
    } rows[] = {
        {1, "F---- L 127.0.0.1:8009 R"},
        {2, "FA--U L localhost:8009 R command=/bin/echo do-not-send-commands"},
        {4, "FAXPU L R"},
        {5, "dead: quotes"},
        {6, "FA--U L localhost:8009 R command=/bin/echo no"},
        {7, "F---- L 127.0.0.1:1 R localhost:20001 command=/bin/false"},
        {9, "F-X-U L 127.0.0.1:8009 127.0.0.1:9090 R from=127.0.0.0/8,!127.0.0.9,*.example.org "
            "expiry=4102358400l"},
        {10, "F---- L 127.0.0.1:8009 R 127.0.0.1:1 command=echo \"hi, there\""},
        {11, "authority FAXPU L 127.0.0.1:8009 R principals=pfwd,ops"},
        {13, "----- L 127.0.0.1:8009 R"},
        {15, "dead: dsa"},
        {16, "blank"},
        {18, "dead: protocol 1"},
        {21, "F---- L 127.0.0.1:9090 R"},
        {22, "dead: option"},
        {24, "F---- L 127.0.0.1:8009 R expiry=1577836800l"},
    };
    FILE *f = fopen("tests/authorized_keys.shapes", "r");
    CHECK("tests/authorized_keys.shapes", f != NULL);
    char *line = NULL, what[32];
    size_t room = 0, at = 0;
    int shape = 0, next;
    ssize_t len;
    while ((len = getline(&line, &room, f)) > 0) {
        if (sscanf(line, "# %d SHAPE", &next) == 1) {
            shape = next;
            continue;
        }
        if (strncmp(line, "#  ", 3) == 0 || strstr(line, "SSHD: ") || strstr(line, "UTF-8"))
            continue;
        (void)snprintf(what, sizeof(what), "shape %d", shape);
        CHECK(what, at < COUNT(rows) && rows[at].shape == shape);
        check_line(what, line, (size_t)len, rows[at++].want);
    }
    free(line);
    (void)fclose(f);
    assert_int_equal(at, COUNT(rows));
}

static void options(void **state)
{
    (void)state;
    static const struct {
        const char *what, *options, *want;
    } rows[] = {
        {"none", "", "FAXPU L R"},
        {"restrict", "restrict ", "----- L R"},
        {"restrict in capitals", "RESTRICT ", "----- L R"},
        {"restrict and more", "restrict,pty,agent-forwarding,X11-Forwarding,user-rc ", "-AXPU L R"},
        {"restrict takes back", "port-forwarding,pty,restrict ", "----- L R"},
        {"an option behind restrict", "restrict,port-forwarding,no-port-forwarding ", "----- L R"},
        {"NO- in capitals", "NO-PTY,No-User-rc ", "FAX-- L R"},
        {"no-restrict", "no-restrict ", "dead: option"},
        {"no-command", "no-command=\"x\" ", "dead: option"},
        {"a longer word", "restricted ", "dead: option"},
        {"empty options", ",,restrict,, ", "----- L R"},
        {"a comma alone", ", ", "FAXPU L R"},
        {"a comma before the blank", "restrict, ", "----- L R"},
        {"a blank before the comma", "restrict ,pty ", "dead: blank"},
        {"a blank behind the comma", "restrict, pty ", "dead: blank"},
        {"tabs", "\trestrict\t \t", "----- L R"},
        {"a tab in the options", "restrict,\tpty ", "dead: blank"},
        {"carriage return in the options", "restrict\r ", "dead: option"},
        {"a byte order mark", "\xef\xbb\xbfrestrict ", "dead: mark"},
        {"command", "command=\"a \\\"b\\\" \\\\ c\" ", "FAXPU L R command=a \"b\" \\\\ c"},
        {"an empty command", "command=\"\" ", "FAXPU L R command="},
        {"command twice", "command=\"a\",command=\"b\" ", "dead: twice"},
        {"command without quotes", "command=a ", "dead: quotes"},
        {"command in single quotes", "command='a b' ", "dead: quotes"},
        {"command without value", "command ", "dead: option"},
        {"a blank before the value", "command= \"a\" ", "dead: blank"},
        {"a blank before =", "command =\"a\" ", "dead: blank"},
        {"a quote that is not closed", "command=\"a ", "dead: quotes"},
        {"text behind the quote", "command=\"a\"b ", "dead: option"},
        {"two options without comma", "command=\"a\"pty ", "dead: option"},
        {"from twice", "from=\"1.2.3.4\",from=\"1.2.3.4\" ", "dead: twice"},
        {"from", "from=\"1.2.3.0/24,!1.2.3.4\" ", "FAXPU L R from=1.2.3.0/24,!1.2.3.4"},
        {"from with host bits", "from=\"1.2.3.4/24\" ", "dead: from"},
        {"from of nobody", "from=\"\" ", "dead: from"},
        {"from with an empty word", "from=\"1.2.3.4,\" ", "dead: from"},
        {"from that excludes", "from=\"!1.2.3.4\" ", "dead: from"},
        {"principals", "principals=\"a\" ", "dead: principals"},
        {"authority", "cert-authority,principals=\"a\" ", "authority FAXPU L R principals=a"},
        {"principals twice", "cert-authority,principals=\"a\",principals=\"b\" ", "dead: twice"},
        {"no-cert-authority", "no-cert-authority ", "dead: option"},
        {"environment", "environment=\"A=b\",environment=\"A=c\",environment=\"B=\" ",
         "FAXPU L R A=b B="},
        {"environment without =", "environment=\"A\" ", "dead: value"},
        {"environment with a dash", "environment=\"A-B=c\" ", "dead: value"},
        {"environment without name", "environment=\"=c\" ", "dead: value"},
        {"tunnel", "tunnel=\"3\" ", "FAXPU L R tunnel=3"},
        {"tunnel any", "tunnel=\"ANY\" ", "FAXPU L R tunnel=-2"},
        {"tunnel none", "tunnel=\"x\" ", "dead: value"},
        {"touch", "no-touch-required,verify-required ", "FAXPU L R untouched verify"},
        {"touch again", "no-touch-required,touch-required ", "FAXPU L R"},

        {"permitopen", "permitopen=\"h:1\",permitopen=\"[::1]:*\",permitopen=\"*:2\" ",
         "FAXPU L h:1 ::1:0 *:2 R"},
        {"permitopen by port", "permitopen=\"80\" ", "dead: value"},
        {"permitopen of no host", "permitopen=\":80\" ", "FAXPU L :80 R"},
        {"permitopen with a slash", "permitopen=\"h/80\" ", "FAXPU L h:80 R"},
        {"permitopen with a service", "permitopen=\"h:ssh\" ", "FAXPU L h:22 R"},
        {"permitopen, port with +", "permitopen=\"h:+080\" ", "FAXPU L h:80 R"},
        {"permitopen, port with a blank", "permitopen=\"h: 80\" ", "FAXPU L h:80 R"},
        {"permitopen, port 0", "permitopen=\"h:0\" ", "dead: value"},
        {"permitopen, port 65536", "permitopen=\"h:65536\" ", "dead: value"},
        {"permitopen, a range", "permitopen=\"h:1-2\" ", "dead: value"},
        {"permitopen, a list", "permitopen=\"h:1,h:2\" ", "dead: value"},
        {"permitopen, 18*", "permitopen=\"h:18*\" ", "dead: value"},
        {"permitopen none", "permitopen=\"none\" ", "dead: value"},
        {"permitopen, bare IPv6", "permitopen=\"::1:80\" ", "dead: value"},
        {"permitopen, half a bracket", "permitopen=\"[::1:80\" ", "dead: value"},
        {"permitopen behind a bracket", "permitopen=\"[::1]x:80\" ", "dead: value"},
        {"permitopen empty", "permitopen=\"\" ", "dead: value"},
        {"permitlisten by port", "permitlisten=\"80\",permitlisten=\"*\" ", "FAXPU L R *:80b *:0b"},
        {"permitlisten", "permitlisten=\"localhost:80\",permitlisten=\"127.*:81\" ",
         "FAXPU L R localhost:80 127.*:81"},
        {"permitlisten of a path", "permitlisten=\"/tmp/x\" ", "dead: value"},
        {"permitlisten of a service", "permitlisten=\"ssh\" ", "FAXPU L R *:22b"},

        {"expiry in UTC", "expiry-time=\"20300102Z\" ", "FAXPU L R expiry=1893542400"},
        {"expiry with UTC", "expiry-time=\"203001020304utc\" ", "FAXPU L R expiry=1893553440"},
        {"expiry with seconds", "expiry-time=\"20300102030405Z\" ", "FAXPU L R expiry=1893553445"},
        {"expiry in local time", "expiry-time=\"20300102\" ", "FAXPU L R expiry=1893542400l"},
        {"the earliest expiry", "expiry-time=\"20300103Z\",expiry-time=\"20300102\" ",
         "FAXPU L R expiry=1893542400l"},
        {"expiry with dashes", "expiry-time=\"2030-01-02\" ", "dead: value"},
        {"expiry since 1970", "expiry-time=\"1893542400\" ", "dead: value"},
        {"expiry in month 13", "expiry-time=\"20301302Z\" ", "dead: value"},
        {"expiry at the first second", "expiry-time=\"19700101Z\" ", "dead: value"},
    };
    char line[512];
    for (size_t i = 0; i < COUNT(rows); i++) {
        int len = snprintf(line, sizeof(line), "%s%s someone@somewhere\r\n", rows[i].options, ED);
        check_line(rows[i].what, line, (size_t)len, rows[i].want);
    }
}

/* What a line of these options allows, tried with ssh: docs/sshd-facts.md 7. */
static void allowed(void **state)
{
    (void)state;
    static const struct {
        const char *what, *options;
        bool listen;
        const char *host;
        unsigned port;
        bool allowed;
    } rows[] = {
        {"anything", "", false, "h", 1, true},
        {"any -R", "permitopen=\"h:1\"", true, "", 4711, true},
        {"restrict", "restrict", false, "h", 1, false},
        {"restrict and a permit", "restrict,permitopen=\"h:1\"", false, "h", 1, false},
        {"a permit", "permitopen=\"h:1\"", false, "h", 1, true},
        {"another port", "permitopen=\"h:1\"", false, "h", 2, false},
        {"another spelling", "permitopen=\"localhost:1\"", false, "127.0.0.1", 1, false},
        {"capitals", "permitopen=\"h:1\"", false, "H", 1, false},
        {"any host", "permitopen=\"*:1\"", false, "::1", 1, true},
        {"any port", "permitopen=\"[::1]:*\"", false, "::1", 9, true},
        {"no pattern in permitopen", "permitopen=\"127.*:1\"", false, "127.0.0.1", 1, false},
        {"a port alone", "permitlisten=\"80\"", true, "0.0.0.0", 80, true},
        {"a port alone, any address", "permitlisten=\"80\"", true, "", 80, true},
        {"localhost", "permitlisten=\"localhost:80\"", true, "LOCALHOST", 80, true},
        {"not 127.0.0.1", "permitlisten=\"localhost:80\"", true, "127.0.0.1", 80, false},
        {"a pattern", "permitlisten=\"127.*:80\"", true, "127.0.0.9", 80, true},
        {"capitals in the rule", "permitlisten=\"NONE:1\"", true, "none", 1, false},
        {"-R 0", "permitlisten=\"localhost:80\"", true, "localhost", 0, false},
        {"-R 0 of any port", "permitlisten=\"localhost:*\"", true, "localhost", 0, true},
        {"an empty host", "permitlisten=\":80\"", true, "", 80, true},
        {"an empty host is no other", "permitlisten=\":80\"", true, "localhost", 80, false},
    };
    char line[512];
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct authorized_line l;
        int len = snprintf(line, sizeof(line), "%s, %s", rows[i].options, ED);
        CHECK(rows[i].what, authorized_line_read(line, (size_t)len, &l) == 0);
        bool got = rows[i].listen ? authorized_allows_listen(&l, rows[i].host, rows[i].port)
                                  : authorized_allows_open(&l, rows[i].host, rows[i].port);
        CHECK(rows[i].what, got == rows[i].allowed);
        authorized_line_release(&l);
    }
}

static void sources(void **state)
{
    (void)state;
    static const struct {
        const char *list;
        bool fine, name, any;
    } rows[] = {
        {"10.0.0.0/8,::1", true, false, false},
        {"*", true, false, true},
        {"*,!10.0.0.1", true, false, false},
        {"127.*", true, false, false},
        {"fe80::*%eth0", true, false, false},
        {"fe80*", true, false, false},
        {"*.example.org", true, true, false},
        {"gateway", true, true, false},
        {"dead.beef", true, true, false},
        {"10.0.0.1/8", false, false, false},
        {"10.0.0.0/33", false, false, false},
        {"::1/64", false, false, false},
        {"", false, false, false},
        {"a,", false, true, false},
        {"!10.0.0.1", false, false, false},
        {"10.0.0.0/8x,a", true, true, false},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        CHECK(rows[i].list, (authorized_from_problem(rows[i].list) == NULL) == rows[i].fine);
        CHECK(rows[i].list, authorized_from_has_name(rows[i].list) == rows[i].name);
        CHECK(rows[i].list, authorized_from_is_any(rows[i].list) == rows[i].any);
    }
}

/* The earlier line of the same key; a line that refuses is passed over. */
static void repeats(void **state)
{
    (void)state;
    static const struct {
        const char *what, *lines[3];
        unsigned long earlier; /* of the last */
        bool condition, end;
    } rows[] = {
        {"first", {ED}, 0, false, false},
        {"again", {ED, "restrict " ED}, 1, false, false},
        {"behind a dead one", {"x " ED, ED}, 0, false, false},
        {"behind one that is over", {"expiry-time=\"20200101Z\" " ED, ED}, 0, false, false},
        {"behind one that ends", {"expiry-time=\"20990101Z\" " ED, ED}, 1, false, true},
        {"behind one with from", {"from=\"10.0.0.1\" " ED, ED}, 1, true, false},
        {"the one without a condition", {"from=\"10.0.0.1\" " ED, ED, ED}, 2, false, false},
        {"an authority is no key", {"cert-authority " ED, ED}, 0, false, false},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct authorized_seen seen = {.keys = NULL};
        struct authorized_earlier e = {.line_no = 0};
        for (unsigned long k = 0; k < 3 && rows[i].lines[k] != NULL; k++) {
            struct authorized_line l;
            const char *text = rows[i].lines[k];
            CHECK(rows[i].what, authorized_line_read(text, strlen(text), &l) == 0);
            CHECK(rows[i].what, authorized_seen_add(&seen, &l, k + 1, 1800000000, &e));
            authorized_line_release(&l);
        }
        CHECK(rows[i].what, e.line_no == rows[i].earlier && e.has_condition == rows[i].condition);
        CHECK(rows[i].what, (e.expires_s != 0) == rows[i].end);
        authorized_seen_release(&seen);
    }
}

/* A line longer than what is judged; as many permits as sshd takes; environment that never ends. */
static void limits(void **state)
{
    (void)state;
    static char line[AUTHORIZED_LINE_BYTES + 64];
    struct authorized_line l;
    memset(line, ' ', sizeof(line));
    memcpy(line + sizeof(line) - sizeof(ED), ED, sizeof(ED) - 1);
    assert_int_equal(authorized_line_read(line, sizeof(line), &l), 0);
    assert_int_equal(l.kind, AUTHORIZED_UNREAD);
    authorized_line_release(&l);
    assert_int_equal(authorized_line_read(line + 64, sizeof(line) - 65, &l), 0);
    assert_int_equal(l.kind, AUTHORIZED_KEY);
    authorized_line_release(&l);
    size_t bytes = 0;
    for (unsigned i = 0; bytes < AUTHORIZED_LINE_BYTES - 200; i++)
        bytes += (size_t)sprintf(line + bytes, "environment=\"A%u=\",", i);
    bytes += (size_t)sprintf(line + bytes, " %s", ED);
    assert_int_equal(authorized_line_read(line, bytes, &l), 0);
    assert_int_equal(l.kind, AUTHORIZED_DEAD);
    assert_int_equal(l.environment_count, AUTHORIZED_ENVIRONMENT_MAX);
    authorized_line_release(&l);
    for (int permits = AUTHORIZED_PERMITS_MAX; permits <= AUTHORIZED_PERMITS_MAX + 1; permits++) {
        size_t len = 0;
        for (int i = 0; i < permits; i++)
            len += (size_t)sprintf(line + len, "permitopen=\"h:%d\",", i + 1);
        len += (size_t)sprintf(line + len, " %s", ED);
        assert_int_equal(authorized_line_read(line, len, &l), 0);
        assert_int_equal(l.kind,
                         permits > AUTHORIZED_PERMITS_MAX ? AUTHORIZED_DEAD : AUTHORIZED_KEY);
        authorized_line_release(&l);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shapes),  cmocka_unit_test(options), cmocka_unit_test(allowed),
        cmocka_unit_test(sources), cmocka_unit_test(repeats), cmocka_unit_test(limits),
    };
    (void)setenv("TZ", "UTC", 1);
    return cmocka_run_group_tests_name("authorized_line", tests, NULL, NULL);
}
