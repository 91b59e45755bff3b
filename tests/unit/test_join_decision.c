/* SPDX-License-Identifier: ISC */
/* Who joins: what an invite becomes, in which order it is judged, and what leaves it unspent. */
#include "leased/requests/join.h"

#include "leased/requests/agent_port.h"
#include "leased/requests/beats.h"
#include "leased/requests/join_guesses.h"
#include "leased/requests/join_result.h"
#include "leased/requests/request_context.h"
#include "leased/watch/clock_jumps.h"
#include "leased/watch/copies_seen.h"
#include "leased/watch/listeners_cache.h"
#include "leased/watch/records.h"
#include "lib/base/text.h"
#include "lib/conf/conf.h"
#include "lib/lease/invite_code.h"
#include "lib/session/session.h"
#include "lib/store/freezes.h"
#include "lib/store/invites.h"
#include "lib/store/leases.h"
#include "lib/wire/control.h"
#include "lib/wire/join.h"
#include "lib/wire/register.h"

#include "tests/unit/store_helpers.h"

#include <bsd/string.h>
#include <event2/event.h>
#include <jansson.h>

static struct conf conf;
static struct control_site site;
static struct port_memory ports;
static struct join_guesses guesses;
static struct listeners_cache listeners;
static struct clock_jumps jumps;
static struct beats beats;
static struct copies_seen copies;
static struct store *st;
static char code[INVITE_CODE_BYTES];
static const char *source;
static int64_t now_s;

static int begin(void **state)
{
    struct permit p;
    (void)set_up(state);
    memset(&conf, 0, sizeof(conf));
    memset(&guesses, 0, sizeof(guesses));
    memset(&ports, 0, sizeof(ports));
    memset(&jumps, 0, sizeof(jumps));
    jumps.state_fd = -1;
    (void)strlcpy(conf.public_host, "gw.example.com", sizeof(conf.public_host));
    (void)strlcpy(conf.join_login, "join", sizeof(conf.join_login));
    (void)strlcpy(conf.agent_login, "gw-tunnel", sizeof(conf.agent_login));
    (void)strlcpy(conf.agent_bind_host, "127.0.0.1", sizeof(conf.agent_bind_host));
    (void)strlcpy(conf.ceiling.agent_login, "gw-tunnel", sizeof(conf.ceiling.agent_login));
    (void)strlcpy(conf.ceiling.forward_login, "pfwd", sizeof(conf.ceiling.forward_login));
    (void)strlcpy(site.ssh_user, "gw-tunnel", sizeof(site.ssh_user));
    conf.public_port = 22;
    conf.default_ttl_s = 86400;
    conf.quarantine_ttl_s = QUARANTINE_S;
    assert_null(permit_parse("127.0.0.1:8000-8999", PERMIT_CEILING, &p));
    assert_int_equal(ceiling_rules_add(&conf.ceiling.open, "", &p), 0);
    assert_null(permit_parse("127.0.0.1:20001-20099", PERMIT_CEILING, &p));
    assert_int_equal(ceiling_rules_add(&conf.ceiling.listen, "", &p), 0);
    source = "192.0.2.7";
    now_s = NOW_S;
    st = open_store();
    return 0;
}

static int end(void **state)
{
    store_close(st);
    ceiling_rules_release(&conf.ceiling.open);
    ceiling_rules_release(&conf.ceiling.listen);
    return tear_down(state);
}

/* ---- inviting ---- */

static struct invite terms_of(const char *name)
{
    struct invite i = {.ttl_s = 3600, .expires_s = NOW_S + 86400};
    (void)strlcpy(i.terms.name, name, sizeof(i.terms.name));
    (void)strlcpy(i.terms.login, "pfwd", sizeof(i.terms.login));
    return i;
}

/* Adds it, with a fresh code, and releases it. */
static int64_t add_invite(struct invite *i)
{
    const struct store_actor by = actor_at(NOW_S);
    struct store_conflict conflict;
    uint8_t hash[SECRET_HASH_BYTES];
    int64_t id = 0;
    invite_code_make(code);
    secret_hash(code, hash);
    assert_int_equal(store_begin(st), STORE_OK);
    assert_int_equal(store_invite_add(st, i, hash, &by, &id, &conflict), STORE_OK);
    assert_int_equal(store_commit(st), STORE_OK);
    store_rollback(st);
    invite_release(i);
    return id;
}

static int64_t invite_friend(const char *name)
{
    struct invite i = terms_of(name);
    assert_int_equal(permit_list_parse("127.0.0.1:8009", &i.terms.open), 0);
    return add_invite(&i);
}

static int64_t invite_host(const char *name, bool replaces)
{
    struct invite i = terms_of(name);
    (void)strlcpy(i.terms.login, "gw-tunnel", sizeof(i.terms.login));
    i.is_agent = true;
    i.replaces = replaces;
    return add_invite(&i);
}

static bool is_open(int64_t id)
{
    char sql[80];
    (void)snprintf(sql, sizeof(sql), "SELECT uses_left FROM token WHERE id = %lld", (long long)id);
    return raw_number(sql) == 1;
}

/* ---- joining ---- */

static bool lease_only; /* asked for by try_over */

/* Joins with key number n over a connection of key number connected. *ret_result is to be freed. */
static enum store_rc try_over(const char *typed, unsigned char n, unsigned char connected,
                              bool json, struct join_result **ret_result)
{
    static struct control_request r;
    char key[PUBKEY_TYPE_BYTES + PUBKEY_BASE64_BYTES];
    struct session conn = {.pid = 1};
    struct join_result *ret = join_result_make();
    const struct pubkey pub = key_number(n);
    const struct request_context ctx = {.conf = &conf,
                                        .store = st,
                                        .listeners = &listeners,
                                        .clock_jumps = &jumps,
                                        .ports = &ports,
                                        .guesses = &guesses,
                                        .beats = &beats,
                                        .copies_seen = &copies,
                                        .site = &site,
                                        .now_s = now_s};
    control_request_init(&r, CONTROL_JOIN);
    r.wants_json = json;
    r.lease_only = lease_only;
    (void)snprintf(key, sizeof(key), "%s %s", pub.type, pub.base64);
    assert_int_equal(control_request_set(&r, CONTROL_CREDENTIAL, typed, strlen(typed)), 0);
    assert_int_equal(control_request_set(&r, CONTROL_PUBLIC_KEY, key, strlen(key)), 0);
    (void)strlcpy(conn.fingerprint, key_number(connected).fingerprint, sizeof(conn.fingerprint));
    (void)strlcpy(conn.source, source, sizeof(conn.source));
    assert_int_equal(store_begin(st), STORE_OK);
    enum store_rc rc = join_decide_as(&ctx, &r, &conn, ret);
    if (rc == STORE_OK)
        assert_int_equal(store_commit(st), STORE_OK);
    store_rollback(st);
    *ret_result = ret;
    return rc;
}

/* The same where the store works. To be freed. */
static struct join_result *join_over(const char *typed, unsigned char n, unsigned char connected,
                                     bool json)
{
    struct join_result *ret = NULL;
    if (try_over(typed, n, connected, json, &ret) != STORE_OK)
        fail_msg("%s", store_error(st));
    assert_non_null(ret->text);
    return ret;
}

static void joins(const char *what, unsigned char n, int exit, const char *part)
{
    struct join_result *got = join_over(code, n, n, false);
    if (got->exit != exit || strstr(got->text, part) == NULL)
        fail_msg("%s: exit %d: %s", what, got->exit, got->text);
    CHECK(what, strstr(got->text, code) == NULL);
    join_result_free(got);
}

static void change(enum store_rc (*fn)(struct store *, const char *, const struct store_actor *),
                   const char *login)
{
    const struct store_actor by = actor_at(NOW_S);
    assert_int_equal(store_begin(st), STORE_OK);
    assert_int_equal(fn(st, login, &by), STORE_OK);
    assert_int_equal(store_commit(st), STORE_OK);
    store_rollback(st);
}

static void revoke_lease(int64_t id)
{
    const struct store_actor by = actor_at(NOW_S);
    struct lease l = {0};
    assert_int_equal(store_lease_by_id(st, id, &l), STORE_OK);
    assert_int_equal(store_begin(st), STORE_OK);
    assert_int_equal(store_lease_revoke(st, &l, false, &by), STORE_OK);
    assert_int_equal(store_commit(st), STORE_OK);
    store_rollback(st);
    lease_release(&l);
}

/* ---- friends ---- */

static void a_friend_joins(void **state)
{
    const int64_t id = invite_friend("alice");
    char lower[sizeof(code)];
    int64_t lease = 0;
    (void)state;
    for (size_t i = 0; i < sizeof(code); i++)
        lower[i] = text_lower(code[i]);
    struct join_result *got = join_over(lower, 5, 5, false);
    CHECK("joined", got->exit == JOIN_JOINED && got->why == NULL && !got->is_again);
    CHECK("the first line",
          strncmp(got->text, "joined as 'alice' with your key ssh-ed25519 ", 44) == 0);
    CHECK("the line", strstr(got->text, " -L 8009:127.0.0.1:8009 pfwd@gw.example.com\n") != NULL);
    CHECK("spent", !is_open(id));
    CHECK("the key", find(st, "pfwd", 5, &lease) == STORE_OK && lease == got->lease_id);
    CHECK("the end",
          raw_number("SELECT expires_s FROM lease WHERE name = 'alice'") == NOW_S + 3600);
    CHECK("audit", raw_number("SELECT count(*) FROM audit WHERE actor = 'join' AND source = "
                              "'192.0.2.7' AND lease = 'alice'") == 2);
    join_result_free(got);
}

static void the_same_answer_again(void **state)
{
    (void)state;
    (void)invite_friend("alice");
    struct join_result *first = join_over(code, 5, 5, false);
    now_s = NOW_S + 600;
    struct join_result *again = join_over(code, 5, 5, false);
    CHECK_TEXT("the same", again->text, first->text);
    CHECK("says that it is", again->is_again && again->exit == JOIN_JOINED);
    join_result_free(again);
    joins("another key", 6, JOIN_NO_INVITE, "no such invite");
    raw_sql("UPDATE lease SET open = '127.0.0.1:8100' WHERE name = 'alice'");
    joins("as the lease is now", 5, JOIN_JOINED, " -L 8100:127.0.0.1:8100 ");
    now_s = NOW_S + 601;
    joins("ten minutes are over", 5, JOIN_NO_INVITE, "no such invite");
    now_s = NOW_S + 10;
    revoke_lease(first->lease_id);
    joins("revoked meanwhile", 5, JOIN_NO_INVITE, "no such invite");
    CHECK("one lease", raw_number("SELECT count(*) FROM lease") == 1);
    join_result_free(first);
}

/* What was wrong with a code is not told, nor whether there ever was one. */
static void one_answer_for_all_codes(void **state)
{
    char want[512], spent[sizeof(code)], over[sizeof(code)], revoked[sizeof(code)];
    const struct store_actor by = actor_at(NOW_S);
    (void)state;
    (void)invite_friend("alice");
    memcpy(spent, code, sizeof(code));
    joins("spends it", 5, JOIN_JOINED, "joined");
    (void)invite_friend("bob");
    memcpy(over, code, sizeof(code));
    raw_sql("UPDATE token SET expires_s = 1 WHERE name = '!bob'");
    const int64_t id = invite_friend("carol");
    memcpy(revoked, code, sizeof(code));
    assert_int_equal(store_begin(st), STORE_OK);
    assert_int_equal(store_invite_revoke(st, id, &by), STORE_OK);
    assert_int_equal(store_commit(st), STORE_OK);
    store_rollback(st);
    struct join_result *got = join_over("2222-2222-2222-2222", 6, 6, false);
    (void)strlcpy(want, got->text, sizeof(want));
    join_result_free(got);
    const char *const codes[] = {
        spent, over, revoked, "", "x", "KQ7P-3XMA-9TRE", "' OR 1=1 --", "2222-2222-2222-222\xff"};
    for (size_t i = 0; i < COUNT(codes); i++) {
        got = join_over(codes[i], 6, 6, i % 2 == 0);
        CHECK(codes[i], got->exit == JOIN_NO_INVITE);
        CHECK_TEXT(codes[i], got->text, want);
        join_result_free(got);
    }
    CHECK("nothing was added", raw_number("SELECT count(*) FROM lease") == 1);
}

static void a_key_that_cannot_be_used(void **state)
{
    (void)grant(st, "bob", "pfwd", 5, "127.0.0.1:8001", "");
    revoke_lease(grant(st, "carol", "pfwd", 6, "127.0.0.1:8001", ""));
    (void)grant(st, "dan", "other", 7, "127.0.0.1:8001", "");
    const int64_t id = invite_friend("alice");
    (void)state;
    joins("it holds a lease", 5, JOIN_TAKEN,
          "ssh -i FILE -o IdentitiesOnly=yes join@gw.example.com");
    conf.public_port = 2222;
    joins("it was revoked", 6, JOIN_TAKEN, "IdentitiesOnly=yes -p 2222 join@");
    CHECK("not spent", is_open(id));
    joins("it has a lease on another login", 7, JOIN_JOINED, "joined as 'alice'");
}

static void a_name_that_is_taken(void **state)
{
    const int64_t other = grant(st, "bob", "pfwd", 5, "127.0.0.1:8001", "");
    const int64_t id = invite_friend("alice");
    (void)state;
    raw_sql("UPDATE lease SET name = 'alice' WHERE name = 'bob'");
    joins("taken", 6, JOIN_TAKEN, "The name 'alice' is taken");
    CHECK("not spent", is_open(id));
    CHECK("no lease", find(st, "pfwd", 6, NULL) == STORE_NONE);
    revoke_lease(other);
    joins("free again", 6, JOIN_JOINED, "joined as 'alice'");
}

static void a_source_that_is_not_invited(void **state)
{
    struct invite i = terms_of("alice");
    assert_int_equal(permit_list_parse("127.0.0.1:8009", &i.terms.open), 0);
    assert_null(source_list_parse("198.51.100.0/24", &i.terms.from));
    const int64_t id = add_invite(&i);
    (void)state;
    joins("from elsewhere", 5, JOIN_CEILING, "198.51.100.0/24 alone, and you come from 192.0.2.7");
    source = "";
    joins("from nowhere", 5, JOIN_CEILING, "you come from elsewhere");
    CHECK("not spent", is_open(id));
    source = "198.51.100.9";
    joins("from there", 5, JOIN_JOINED, "joined");
}

static void a_ceiling_that_is_lower_now(void **state)
{
    const int64_t id = invite_friend("alice");
    (void)state;
    conf.max_ttl_s = 3599;
    joins("a shorter time", 5, JOIN_CEILING, "MaxTTL");
    conf.max_ttl_s = 3600;
    struct permit_list none = {0};
    struct ceiling_rules open = conf.ceiling.open;
    conf.ceiling.open = (struct ceiling_rules){.items = NULL};
    joins("a port less", 5, JOIN_CEILING, "127.0.0.1:8009: AllowOpen");
    conf.ceiling.open = open;
    CHECK("not spent", is_open(id));
    joins("as before", 5, JOIN_JOINED, "joined");
    permit_list_release(&none);
}

static void frozen(void **state)
{
    const int64_t id = invite_friend("alice");
    (void)state;
    change(store_freeze, "*");
    joins("all logins", 5, JOIN_UNAVAILABLE, "frozen");
    change(store_thaw, "*");
    change(store_freeze, "pfwd");
    joins("its login", 5, JOIN_UNAVAILABLE, "frozen");
    CHECK("not spent", is_open(id));
    change(store_thaw, "pfwd");
    change(store_freeze, "join");
    joins("JoinLogin", 5, JOIN_UNAVAILABLE, "frozen");
    change(store_thaw, "join");
    change(store_freeze, "gw-tunnel");
    joins("another login", 5, JOIN_JOINED, "joined");
}

static void another_key_than_the_connection_s(void **state)
{
    const int64_t id = invite_friend("alice");
    (void)state;
    struct join_result *got = join_over(code, 5, 6, false);
    CHECK("refused", got->exit == JOIN_UNAVAILABLE && strstr(got->text, "Nothing was spent"));
    CHECK("not spent", is_open(id));
    CHECK("nobody has it",
          find(st, "pfwd", 5, NULL) == STORE_NONE && find(st, "pfwd", 6, NULL) == STORE_NONE);
    join_result_free(got);
}

/* The order in which it is judged: who has no good code learns nothing else. */
static void the_code_comes_first(void **state)
{
    (void)grant(st, "bob", "pfwd", 5, "127.0.0.1:8001", "");
    const int64_t id = invite_friend("alice");
    (void)state;
    change(store_freeze, "*");
    struct join_result *got = join_over("2222-2222-2222-2222", 5, 5, false);
    CHECK("a wrong code, a taken key, frozen", got->exit == JOIN_NO_INVITE);
    join_result_free(got);
    change(store_thaw, "*");
    conf.max_ttl_s = 1;
    joins("the key before the ceiling", 5, JOIN_TAKEN, "holds a lease");
    raw_sql("UPDATE lease SET name = 'alice' WHERE name = 'bob'");
    joins("the ceiling before the name", 6, JOIN_CEILING, "MaxTTL");
    CHECK("not spent", is_open(id));
}

static void wrong_codes_are_counted(void **state)
{
    struct event_base *base = event_base_new();
    struct records records;
    char from[32];
    (void)state;
    assert_int_equal(records_start(&records, base, NULL, NULL), 0);
    for (unsigned i = 0; i < 30; i++)
        CHECK("ten of one source", join_guesses_add(&guesses, "2001:db8::1", 1000, 1) == (i < 10));
    CHECK("its /64 is one source", !join_guesses_add(&guesses, "2001:db8::2", 1000, 1));
    CHECK("another", join_guesses_add(&guesses, "2001:db8:0:1::2", 1000, 1));
    CHECK("a minute later", join_guesses_add(&guesses, "2001:db8::3", 62000, 62));
    for (unsigned i = 0; i < 200; i++) {
        (void)snprintf(from, sizeof(from), "198.51.100.%u", i);
        CHECK("a hundred in all", join_guesses_add(&guesses, from, 200000, 200) == (i < 100));
    }
    join_guesses_flush(&guesses, &records, 3000000, 3000, false);
    assert_int_equal(records.count, 0);
    join_guesses_flush(&guesses, &records, 4000000, 4000, false);
    assert_int_equal(records.count, JOIN_GUESS_ROWS);
    unsigned of_net = 0, of_others = 0;
    for (size_t i = 0; i < records.count; i++) {
        of_net += strcmp(records.items[i].lease, "2001:db8::/64") == 0 &&
                  strcmp(records.items[i].detail, "wrong_codes=11 since_s=1") == 0;
        of_others +=
            strcmp(records.items[i].lease, "") == 0 &&
            strcmp(records.items[i].detail, "wrong_codes=43 since_s=200 other_sources=1") == 0;
    }
    CHECK("one row a source", of_net == 1);
    CHECK("one row for the others", of_others == 1);
    join_guesses_flush(&guesses, &records, 9000000, 9000, true);
    assert_int_equal(records.count, JOIN_GUESS_ROWS);
    assert_int_equal(store_begin(st), STORE_OK);
    assert_int_equal(records_write(&records, st), STORE_OK);
    assert_int_equal(store_commit(st), STORE_OK);
    store_rollback(st);
    CHECK("audit", raw_number("SELECT count(*) FROM audit WHERE action = 'join_refused' AND source "
                              "= '2001:db8::/64' AND lease = ''") == 1);
    event_free(records.on_flush);
    free(records.items);
    event_base_free(base);
}

/* Without the lines of its agents the friend could use nothing of the lease. */
static void agents_that_cannot_be_read(void **state)
{
    struct invite i = terms_of("alice");
    struct join_result *got = NULL;
    char sql[128];
    (void)state;
    (void)add_agent(st, "db1", 9, "", NOW_S);
    struct permit p;
    assert_null(permit_parse("127.0.0.1:20001-20099", PERMIT_CEILING, &p));
    assert_int_equal(ceiling_rules_add(&conf.ceiling.open, "", &p), 0);
    assert_int_equal(lease_open_parse("agent:db1", &i.terms), 0);
    const int64_t id = add_invite(&i);
    (void)snprintf(sql, sizeof(sql),
                   "UPDATE lease SET agent_facts = hex(zeroblob(%d)) WHERE name = 'db1'",
                   AGENT_FACTS_BYTES);
    raw_sql(sql);
    assert_int_equal(try_over(code, 5, 5, false, &got), STORE_FAIL);
    CHECK("not spent", is_open(id) && find(st, "pfwd", 5, NULL) == STORE_NONE);
    join_result_free(got);
    raw_sql("UPDATE lease SET agent_facts = '' WHERE name = 'db1'");
    joins("readable again", 5, JOIN_JOINED, "ssh -J");
}

/* ---- private hosts ---- */

/* The member "agent", as tunnel-agent parses it. */
static void parse_agent(const struct join_result *got, struct register_answer *ret)
{
    json_t *root = json_loads(got->text, JSON_REJECT_DUPLICATES, NULL);
    char *member = json_dumps(json_object_get(root, "agent"), 0);
    CHECK_PROBLEM(got->text, register_answer_parse(member, strlen(member), ret), NULL);
    free(member);
    json_decref(root);
}

static void for_a_lease_only(void **state)
{
    (void)state;
    lease_only = true;
    const int64_t host = invite_host("db1", false);
    joins("a private host's", 5, JOIN_TAKEN, "is for the private host 'db1'");
    CHECK("not spent", is_open(host) && find(st, "gw-tunnel", 5, NULL) == STORE_NONE);
    lease_only = false;
    joins("the same without", 5, JOIN_JOINED, "db1");
    lease_only = true;
    (void)invite_friend("alice");
    joins("a friend's", 6, JOIN_JOINED, "alice");
    lease_only = false;
}

static bool has_secret(const char *name, const char *secret)
{
    struct agent a;
    uint8_t hash[SECRET_HASH_BYTES];
    secret_hash(secret, hash);
    assert_int_equal(store_agent_find(st, name, &a), STORE_OK);
    return a.has_secret && !a.secret_used && secret_equal(a.secret_hash, hash);
}

static void a_private_host_joins(void **state)
{
    struct register_answer told, again;
    const int64_t id = invite_host("db1", false);
    (void)state;
    struct join_result *got = join_over(code, 5, 5, true);
    CHECK(got->text, got->exit == JOIN_JOINED);
    CHECK("spent", !is_open(id));
    parse_agent(got, &told);
    CHECK("an agent with a port", told.port_b >= 20001 && told.port_b <= 20099);
    CHECK("its secret", has_secret("db1", told.agent_secret));
    CHECK("its key", find(st, "gw-tunnel", 5, NULL) == STORE_OK);
    join_result_free(got);
    got = join_over(code, 5, 5, true);
    parse_agent(got, &again);
    CHECK("a lost answer: the same port, a secret that counts",
          again.port_b == told.port_b && has_secret("db1", again.agent_secret));
    join_result_free(got);
    register_answer_release(&told);
    register_answer_release(&again);
    raw_sql("UPDATE lease SET secret_used = 1 WHERE name = 'db1'");
    got = join_over(code, 5, 5, true);
    CHECK("none after it was used", strstr(got->text, "\"agent_secret\":null") != NULL);
    join_result_free(got);
}

static void a_private_host_by_plain_ssh(void **state)
{
    (void)state;
    (void)invite_host("db1", false);
    struct join_result *got = join_over(code, 5, 5, false);
    CHECK("its line", strstr(got->text, "-R 127.0.0.1:200") != NULL);
    CHECK("no secret", strstr(got->text, "secret") == NULL);
    CHECK("no enrolment key speaks for it",
          raw_number("SELECT secret_used FROM lease WHERE name = 'db1'") == 1);
    join_result_free(got);
}

static void a_private_host_in_place_of_another(void **state)
{
    struct register_answer told;
    const int64_t old = add_agent(st, "db1", 5, "hostname old\nhost_key ssh-ed25519 AAAA\n", NOW_S);
    (void)state;
    raw_sql("UPDATE lease SET secret_hash = x'01', secret_used = 1, turn = x'0000000000000007', "
            "max_sessions = -1 WHERE name = 'db1'");
    (void)grant(st, "eve", "gw-tunnel", 9, "", "127.0.0.1:20050");
    const int64_t id = invite_host("db1", true);
    joins("a key of another", 9, JOIN_TAKEN, "holds a lease");
    CHECK("not spent, and the old key stays",
          is_open(id) && find(st, "gw-tunnel", 5, NULL) == STORE_OK);
    struct join_result *got = join_over(code, 6, 6, true);
    parse_agent(got, &told);
    CHECK("the same lease and port", got->lease_id == old && told.port_b == 20005);
    CHECK("the old key is void", find(st, "gw-tunnel", 5, NULL) == STORE_NONE);
    CHECK("the new one holds it", find(st, "gw-tunnel", 6, NULL) == STORE_OK);
    CHECK("its counter is void, and a freeze of a copy",
          raw_number("SELECT turn IS NULL AND max_sessions = 0 FROM lease WHERE name = 'db1'") ==
              1);
    CHECK("the old secret is void", has_secret("db1", told.agent_secret));
    CHECK("what it said is void",
          raw_number("SELECT agent_facts LIKE '%AAAA%' OR agent_facts LIKE '%hostname%' FROM lease "
                     "WHERE name = 'db1'") == 0);
    register_answer_release(&told);
    join_result_free(got);
}

/* Whoever was replaced has a code that he spent minutes ago, with a key that is void. */
static void a_host_that_was_replaced_asks_again(void **state)
{
    struct register_answer told;
    char old_code[sizeof(code)];
    (void)state;
    (void)invite_host("db1", false);
    memcpy(old_code, code, sizeof(code));
    join_result_free(join_over(code, 5, 5, true));
    (void)invite_host("db1", true);
    struct join_result *got = join_over(code, 6, 6, true);
    parse_agent(got, &told);
    join_result_free(got);
    got = join_over(old_code, 5, 5, true);
    CHECK(got->text, got->exit == JOIN_NO_INVITE && strstr(got->text, "secret") == NULL);
    CHECK("the secret of the new one counts", has_secret("db1", told.agent_secret));
    register_answer_release(&told);
    join_result_free(got);
}

static void a_private_host_with_its_old_key(void **state)
{
    const int64_t old = add_agent(st, "db1", 5, "", NOW_S);
    (void)state;
    raw_sql("UPDATE lease SET expires_s = 1 WHERE name = 'db1'");
    (void)invite_host("db1", true);
    struct join_result *got = join_over(code, 5, 5, true);
    CHECK(got->text, got->exit == JOIN_JOINED && got->lease_id == old);
    CHECK("renewed", raw_number("SELECT expires_s FROM lease WHERE name = 'db1'") == NOW_S + 3600);
    join_result_free(got);
}

static void a_revoked_host_is_not_replaced(void **state)
{
    const int64_t old = add_agent(st, "db1", 5, "", NOW_S);
    const int64_t id = invite_host("db1", true);
    (void)state;
    revoke_lease(old);
    joins("revoked", 6, JOIN_TAKEN, "The name 'db1' was revoked since");
    CHECK("not spent", is_open(id));
}

static void no_port_is_left(void **state)
{
    const int64_t id = invite_host("db1", false);
    struct ceiling_rules listen = conf.ceiling.listen;
    (void)state;
    conf.ceiling.listen = (struct ceiling_rules){.items = NULL};
    joins("none", 5, JOIN_CEILING, "no free port");
    conf.ceiling.listen = listen;
    CHECK("not spent", is_open(id));
}

int main(void)
{
#define CASE(fn) cmocka_unit_test_setup_teardown(fn, begin, end)
    const struct CMUnitTest tests[] = {
        CASE(a_friend_joins),
        CASE(the_same_answer_again),
        CASE(one_answer_for_all_codes),
        CASE(a_key_that_cannot_be_used),
        CASE(a_name_that_is_taken),
        CASE(a_source_that_is_not_invited),
        CASE(a_ceiling_that_is_lower_now),
        CASE(frozen),
        CASE(another_key_than_the_connection_s),
        CASE(the_code_comes_first),
        CASE(wrong_codes_are_counted),
        CASE(agents_that_cannot_be_read),
        CASE(for_a_lease_only),
        CASE(a_private_host_joins),
        CASE(a_private_host_by_plain_ssh),
        CASE(a_private_host_in_place_of_another),
        CASE(a_host_that_was_replaced_asks_again),
        CASE(a_private_host_with_its_old_key),
        CASE(a_revoked_host_is_not_replaced),
        CASE(no_port_is_left),
    };
    struct event_base *base = event_base_new();
    assert_int_equal(listeners_cache_start(&listeners, base, false), 0);
    int rc = cmocka_run_group_tests(tests, NULL, NULL);
    event_free(listeners.on_piece);
    event_base_free(base);
    return rc;
}
