/* SPDX-License-Identifier: ISC */
/* The ceiling: which rules apply to a login, and what it allows at most. */
#include "lib/lease/ceiling.h"

#include "tests/unit/helpers.h"

#include <bsd/string.h>

static struct permit permit_of(const char *text)
{
    struct permit p;
    CHECK_PROBLEM(text, permit_parse(text, PERMIT_CEILING, &p), NULL);
    return p;
}

static void add(struct ceiling_rules *rules, const char *login, const char *text)
{
    struct permit p = permit_of(text);
    assert_int_equal(ceiling_rules_add(rules, login, &p), 0);
}

static void judged(void **state)
{
    static const struct {
        const char *what, *login, *permit;
        bool may_open, may_listen;
    } rows[] = {
        {"lowest port of a rule", "pfwd", "127.0.0.1:8000", true, false},
        {"below it", "pfwd", "127.0.0.1:7999", false, false},
        {"highest port of a rule", "pfwd", "127.0.0.1:8999", true, false},
        {"above it", "pfwd", "127.0.0.1:9000", false, false},
        {"a range within", "pfwd", "127.0.0.1:8000-8255", true, false},
        {"a range that two rules cover together", "pfwd", "[::1]:100-201", false, false},
        {"a range in the first of them", "pfwd", "[::1]:100-150", true, false},
        {"another host", "pfwd", "127.0.0.2:8000", false, false},
        {"ForwardLogin may not listen, even within AllowListen", "pfwd", "127.0.0.1:20000", false,
         false},
        {"another login listens within it", "other", "127.0.0.1:20000", false, true},
        {"last port of AllowListen", "other", "127.0.0.1:29999", false, true},
        {"past it", "other", "127.0.0.1:30000", false, false},
        {"AgentLogin opens the control port", "gw-tunnel", "127.0.0.1:12000", true, false},
        {"AgentLogin opens nothing else, though a rule covers it", "gw-tunnel", "127.0.0.1:8000",
         false, false},
        {"AgentLogin opens no range around it", "gw-tunnel", "127.0.0.1:12000-12001", false, false},
        {"the control port on another host", "gw-tunnel", "[::1]:12000", false, false},
        {"AgentLogin listens", "gw-tunnel", "127.0.0.1:20000", false, true},
        {"the control port is not for others", "pfwd", "127.0.0.1:12000", false, false},
        {"a login with rules of its own", "special", "db1:5432", true, true},
        {"the general rules do not apply to it", "special", "127.0.0.1:8000", false, true},
        {"its rules apply to no other login", "pfwd", "db1:5432", false, false},
        {"a login's name is case-sensitive", "Special", "db1:5432", false, false},
        {"the page", "pfwd", "127.0.0.1:8500", false, false},
        {"a range with the page in it", "pfwd", "127.0.0.1:8400-8600", false, false},
        {"a range beside it", "pfwd", "127.0.0.1:8501-8600", true, false},
        {"the page by another address of loopback", "wide", "127.9.9.9:8500", false, false},
        {"by a name", "wide", "localhost:8500", false, false},
        {"by the name of this host", "wide", "gateway.test:8500", false, false},
        {"by the unspecified address", "wide", "0.0.0.0:8500", false, false},
        {"by IPv6", "wide", "[::1]:8500", false, false},
        {"by IPv4 in IPv6", "wide", "[::ffff:127.0.0.1]:8500", false, false},
        {"the same port of another host", "wide", "db1:8500", true, false},
        {"another port of this one", "wide", "localhost:8501", true, false},
        {"its port is for no listener", "special", "127.0.0.1:8500", false, false},
        {"on no address", "special", "db1:8500", false, false},
    };
    static const char *const wide[] = {"127.9.9.9:*", "localhost:*", "gateway.test:*",
                                       "0.0.0.0:*",   "[::1]:*",     "[::ffff:127.0.0.1]:*",
                                       "db1:*"};
    struct ceiling c = {.forward_login = "pfwd", .agent_login = "gw-tunnel"};
    (void)state;
    add(&c.open, "", "127.0.0.1:8000-8999");
    add(&c.open, "special", "db1:5432");
    add(&c.open, "", "[::1]:100-150");
    add(&c.open, "", "[::1]:151-200");
    add(&c.listen, "", "127.0.0.1:20000-29999");
    add(&c.listen, "special", "127.0.0.1:*");
    add(&c.listen, "special", "db1:*");
    c.control = permit_of("127.0.0.1:12000");
    for (size_t i = 0; i < COUNT(wide); i++)
        add(&c.open, "wide", wide[i]);
    c.page = permit_of("127.0.0.1:8500");
    (void)strlcpy(c.own_name, "Gateway.test", sizeof(c.own_name));
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct permit p = permit_of(rows[i].permit);
        CHECK(rows[i].what,
              (ceiling_open_problem(&c, rows[i].login, &p) == NULL) == rows[i].may_open);
        CHECK(rows[i].what,
              (ceiling_listen_problem(&c, rows[i].login, &p) == NULL) == rows[i].may_listen);
    }
    ceiling_rules_release(&c.open);
    ceiling_rules_release(&c.listen);
    assert_int_equal(c.open.count, 0);
    assert_null(c.open.items);
}

static void without_rules(void **state)
{
    struct ceiling c = {.forward_login = "pfwd", .agent_login = "gw-tunnel"};
    struct permit p = permit_of("127.0.0.1:8009"), zero = {.host = ""};
    (void)state;
    CHECK_PROBLEM("no rule covers nothing", ceiling_open_problem(&c, "pfwd", &p), "AllowOpen");
    CHECK_PROBLEM("no rule covers nothing", ceiling_listen_problem(&c, "x", &p), "AllowListen");
    CHECK_PROBLEM("no control port", ceiling_open_problem(&c, "gw-tunnel", &p), "AgentLogin");
    CHECK_PROBLEM("not even a zero permit equals it", ceiling_open_problem(&c, "gw-tunnel", &zero),
                  "AgentLogin");
    add(&c.open, "special", "127.0.0.1:*");
    CHECK_PROBLEM("a rule for one login is none for others", ceiling_open_problem(&c, "pfwd", &p),
                  "AllowOpen");
    assert_true(ceiling_rule_applies(&c.open, 0, "special"));
    assert_false(ceiling_rule_applies(&c.open, 0, "pfwd"));
    ceiling_rules_release(&c.open);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(judged),
        cmocka_unit_test(without_rules),
    };
    return cmocka_run_group_tests_name("ceiling", tests, NULL, NULL);
}
