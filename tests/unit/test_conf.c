/* SPDX-License-Identifier: ISC */
/* The configuration: each keyword sets its own field and no other; each error names its line. */
#include "lib/conf/load.h"

#include "lib/base/buf.h"
#include "lib/base/text.h"

#include "tests/unit/helpers.h"

#include <strings.h>

static char *dir, *file, *env_file;

static int set_up(void **state)
{
    (void)state;
    dir = temp_dir_make();
    file = path_in(dir, "tunlease.conf");
    env_file = path_in(dir, "leased.env");
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    free(env_file);
    free(file);
    temp_dir_remove(dir);
    return 0;
}

/* ---- every field in a line of its own ---- */

static void show_permit(struct buf *out, const struct permit *p)
{
    char text[PERMIT_TEXT_BYTES];
    permit_format(p, text);
    buf_add(out, text);
}

static void show_listener(struct buf *out, const struct conf_listener *l)
{
    if (l->unix_path[0] != '\0')
        buf_addf(out, "unix:%s%s%s", l->unix_path, l->proxy_group[0] != '\0' ? "!" : "",
                 l->proxy_group);
    else
        show_permit(out, &l->address);
}

static void show_rules(struct buf *out, const char *name, const struct ceiling_rules *rules)
{
    buf_addf(out, "%s=", name);
    for (size_t i = 0; i < rules->count; i++) {
        buf_addf(out, "%s%s%s", i > 0 ? "," : "", rules->items[i].login,
                 *rules->items[i].login != '\0' ? "@" : "");
        show_permit(out, &rules->items[i].permit);
    }
    buf_add(out, "\n");
}

static void show(const struct conf *c, struct buf *out)
{
    buf_addf(out, "database=%s\nrun_dir=%s\n", c->paths.database, c->paths.run_dir);
    buf_addf(out, "forward_login=%s,%s\n", c->forward_login, c->ceiling.forward_login);
    buf_addf(out, "agent_login=%s,%s\n", c->agent_login, c->ceiling.agent_login);
    buf_addf(out, "tunnel_group=%s\n", c->tunnel_group);
    buf_addf(out, "join_login=%s\n", c->join_login);
    buf_addf(out, "session_refusal=%d\n", (int)c->session_refusal);
    buf_addf(out, "default_ttl=%lld\n", (long long)c->default_ttl_s);
    buf_addf(out, "max_ttl=%lld\n", (long long)c->max_ttl_s);
    buf_add(out, "default_open=");
    if (c->default_open.low != 0)
        show_permit(out, &c->default_open);
    buf_add(out, "\n");
    show_rules(out, "allow_open", &c->ceiling.open);
    show_rules(out, "allow_listen", &c->ceiling.listen);
    buf_addf(out, "bind_host=%s\nlisten=", c->agent_bind_host);
    for (size_t i = 0; i < c->listen_count; i++) {
        buf_add(out, i > 0 ? "," : "");
        show_listener(out, &c->listen[i]);
    }
    buf_add(out, " control=");
    if (c->ceiling.control.low != 0)
        show_permit(out, &c->ceiling.control);
    buf_addf(out,
             "\nplain_http=%d\nproxy_header=%s\napi_key_file=%s\napi_keys=", c->allow_plain_http,
             conf_proxy_header_name(c->proxy_header), c->api_key_file);
    for (size_t i = 0; i < c->api_key_count; i++)
        buf_addf(out, "%s%s", i > 0 ? "," : "", c->api_keys[i]);
    buf_addf(out, "\nmax_pending=%u\nissue_keys=%d\n", c->max_pending_agents, c->issue_keys);
    buf_addf(out, "public_host=%s\npublic_port=%u\n", c->public_host, c->public_port);
    buf_addf(out, "sshd=%s\n", c->sshd);
    buf_addf(out, "jump_user=%s\ncontact=%s\nmetrics=", c->jump_user, c->contact);
    if (c->has_metrics_listen)
        show_listener(out, &c->metrics_listen);
    buf_addf(out, "\nquarantine=%lld\n", (long long)c->quarantine_ttl_s);
    buf_addf(out, "keep_expired=%lld\n", (long long)c->keep_expired_s);
    buf_addf(out, "audit_keep=%lld\n", (long long)c->audit_keep_s);
    buf_addf(out, "heartbeat=%lld\n", (long long)c->heartbeat_interval_s);
    buf_addf(out, "copied_agents=%d\n", (int)c->copied_agents);
}

/* The three conf_load functions; err gets the problems, one a line, without the last newline. */
static int conclude(int rc, struct buf *problems, char err[static CONF_ERROR_BYTES])
{
    const char *text = buf_text(problems);
    assert_non_null(text);
    assert_int_equal(rc != 0, *text != '\0');
    (void)snprintf(err, CONF_ERROR_BYTES, "%s", text);
    if (err[0] != '\0') {
        assert_int_equal(err[strlen(err) - 1], '\n');
        err[strlen(err) - 1] = '\0';
    }
    buf_release(problems);
    return rc;
}

static int load_strictly(struct conf *ret, char err[static CONF_ERROR_BYTES], struct buf *warnings)
{
    struct buf problems = {0};
    return conclude(conf_load(file, ret, &problems, warnings), &problems, err);
}

static int load_as_daemon(struct conf *ret, char err[static CONF_ERROR_BYTES])
{
    struct buf problems = {0};
    return conclude(conf_load_daemon(file, ret, &problems, NULL), &problems, err);
}

/* Writes both files (env NULL: no leased.env) and loads them. Returns the fields, to be freed; or
 * NULL and err. */
static char *load(const char *text, const char *env, char err[static CONF_ERROR_BYTES],
                  struct buf *warnings)
{
    struct conf c;
    struct buf fields = {0};
    write_text(file, text);
    (void)unlink(env_file);
    if (env != NULL)
        write_file(env_file, env, strlen(env), 0600);
    if (load_strictly(&c, err, warnings) != 0)
        return NULL;
    assert_string_equal(err, "");
    show(&c, &fields);
    conf_release(&c);
    assert_non_null(buf_text(&fields));
    return fields.data;
}

/* The lines of b that differ from the same line of a, joined by ';'. */
static void difference(const char *a, const char *b, struct buf *out)
{
    while (*b != '\0') {
        size_t a_len = strcspn(a, "\n"), b_len = strcspn(b, "\n");
        if (a_len != b_len || memcmp(a, b, b_len) != 0) {
            buf_add(out, out->len > 0 ? ";" : "");
            buf_add_mem(out, b, b_len);
        }
        a += a_len + 1;
        b += b_len + 1;
    }
}

static void check_moves(const char *what, const char *text, const char *env, const char *moved)
{
    char err[CONF_ERROR_BYTES];
    struct buf moves = {0};
    char *before = load("", NULL, err, NULL), *after = load(text, env, err, NULL);
    if (after == NULL)
        fail_msg("%s: %s", what, err);
    difference(before, after, &moves);
    CHECK_TEXT(what, buf_text(&moves), moved);
    buf_release(&moves);
    free(after);
    free(before);
}

static const struct moves_row {
    const char *text, *moved;
} keyword_rows[] = {
    {"Database /srv/a.db", "database=/srv/a.db"},
    {"RunDir /run/other", "run_dir=/run/other"},
    {"ForwardLogin fw", "forward_login=fw,fw"},
    {"AgentLogin ag", "agent_login=ag,ag"},
    {"TunnelGroup tg", "tunnel_group=tg"},
    {"JoinLogin join", "join_login=join"},
    {"SessionRefusal silent", "session_refusal=1"},
    {"DefaultTTL 1d12h", "default_ttl=129600"},
    {"MaxTTL 8d", "max_ttl=691200"},
    {"DefaultOpen 127.0.0.1:8009", "default_open=127.0.0.1:8009"},
    {"AllowOpen 10.0.0.1:80-90", "allow_open=10.0.0.1:80-90"},
    {"AllowListen 127.0.0.1:30000-30999", "allow_listen=127.0.0.1:30000-30999"},
    {"AgentBindHost ::1\nAllowListen [::1]:20000-29999\nAllowListen 127.0.0.1:20000-29999",
     "allow_listen=[::1]:20000-29999,127.0.0.1:20000-29999;bind_host=::1"},
    {"Listen 127.0.0.1:13000", "listen=127.0.0.1:13000 control=127.0.0.1:13000"},
    {"AllowPlainHTTP yes", "plain_http=1"},
    {"ApiKeyFile /etc/tunlease/keys", "api_key_file=/etc/tunlease/keys"},
    {"MaxPendingAgents 7", "max_pending=7"},
    {"IssueKeys yes", "issue_keys=1"},
    {"PublicHost gw.example.com", "public_host=gw.example.com"},
    {"PublicPort 2222", "public_port=2222"},
    {"Sshd /opt/openssh/sbin/sshd", "sshd=/opt/openssh/sbin/sshd"},
    {"JumpUser li", "jump_user=li"},
    {"Contact \"ask li@example.com\"", "contact=ask li@example.com"},
    {"MetricsListen 127.0.0.1:9100", "metrics=127.0.0.1:9100"},
    {"QuarantineTTL 8d", "quarantine=691200"},
    {"KeepExpired 8d", "keep_expired=691200"},
    {"AuditKeep 8d", "audit_keep=691200"},
    {"HeartbeatInterval 30s", "heartbeat=30"},
    {"CopiedAgents refuse", "copied_agents=1"},
    /* Other spellings of the same, and the ends of ranges. */
    {"# nothing\n\n", ""},
    {"daTABase /srv/a.db", "database=/srv/a.db"},
    {"SessionRefusal MESSAGE", ""},
    {"CopiedAgents NEWEST", ""},
    {"MaxTTL none", "max_ttl=0"},
    {"MaxTTL 7d", "max_ttl=604800"},
    {"MaxPendingAgents 1", "max_pending=1"},
    {"MaxPendingAgents 1000000", "max_pending=1000000"},
    {"PublicPort 1", "public_port=1"},
    {"PublicPort 65535", "public_port=65535"},
    {"PublicHost 192.0.2.1", "public_host=192.0.2.1"},
    {"PublicHost 2001:db8::1", "public_host=2001:db8::1"},
    {"Contact a b c d e f g h i", "contact=a b c d e f g h i"},
    {"AllowOpen localhost:80\nAllowOpen x db1:*", "allow_open=127.0.0.1:80,x@db1:*"},
    {"AllowListen 127.0.0.1:*\nAllowListen x 127.0.0.1:1",
     "allow_listen=127.0.0.1:*,x@127.0.0.1:1"},
    {"Listen unix:/run/x.sock", "listen=unix:/run/x.sock control="},
    {"Listen unix:/run/x.sock PROXY www-data\nProxyHeader x-real-ip",
     "listen=unix:/run/x.sock!www-data control=;proxy_header=X-Real-IP"},
    {"Listen 127.0.0.1:1\nListen unix:/x proxy p\nProxyHeader X-Forwarded-For",
     "listen=127.0.0.1:1,unix:/x!p control=127.0.0.1:1;proxy_header=X-Forwarded-For"},
    {"Listen unix:/run/x.sock\nListen [::1]:1\nListen 127.0.0.1:2",
     "listen=unix:/run/x.sock,[::1]:1,127.0.0.1:2 control=127.0.0.1:2"},
    {"Listen 127.9.9.9:1", "listen=127.9.9.9:1 control=127.9.9.9:1"},
    {"Listen 0.0.0.0:1\nAllowPlainHTTP yes", "listen=0.0.0.0:1 control=127.0.0.1:1;plain_http=1"},
    {"Listen 10.0.0.1:1\nAllowPlainHTTP yes", "listen=10.0.0.1:1 control=10.0.0.1:1;plain_http=1"},
    {"Listen 10.0.0.1:1\nListen 127.0.0.1:2\nAllowPlainHTTP yes",
     "listen=10.0.0.1:1,127.0.0.1:2 control=127.0.0.1:2;plain_http=1"},
    {"Listen 0.0.0.0:1\nListen 127.0.0.1:2\nAllowPlainHTTP yes",
     "listen=0.0.0.0:1,127.0.0.1:2 control=127.0.0.1:2;plain_http=1"},
    {"Listen 10.0.0.1:1\nListen 0.0.0.0:2\nListen [::1]:3\nAllowPlainHTTP yes",
     "listen=10.0.0.1:1,0.0.0.0:2,[::1]:3 control=127.0.0.1:2;plain_http=1"},
    {"MetricsListen unix:/run/m.sock", "metrics=unix:/run/m.sock"},
    {"AgentBindHost localhost", ""},
};

enum { KEYWORDS_OF_MANUAL = 28 };

static void every_keyword(void **state)
{
    char err[CONF_ERROR_BYTES], host[256] = "", first[64];
    struct buf expected = {0};
    (void)state;
    for (size_t i = 0; i < COUNT(keyword_rows); i++)
        check_moves(keyword_rows[i].text, keyword_rows[i].text, NULL, keyword_rows[i].moved);
    for (size_t i = 0; i < KEYWORDS_OF_MANUAL; i++) /* the first rows are one for each */
        for (size_t k = 0; k < i; k++) {
            (void)snprintf(first, sizeof(first), "%.*s",
                           (int)strcspn(keyword_rows[i].text, " ") + 1, keyword_rows[i].text);
            CHECK(first, strncmp(keyword_rows[k].text, first, strlen(first)) != 0);
        }
    char *fields = load("", NULL, err, NULL);
    assert_int_equal(gethostname(host, sizeof(host) - 1), 0);
    buf_addf(
        &expected,
        "database=%s/lib/tunlease/leases.db\nrun_dir=%s/tunlease\nforward_login=pfwd,pfwd\n"
        "agent_login=gw-tunnel,gw-tunnel\ntunnel_group=_tunnel\njoin_login=\nsession_refusal=0\n"
        "default_ttl=604800\nmax_ttl=7776000\ndefault_open=\n"
        "allow_open=127.0.0.1:*,[::1]:*\nallow_listen=127.0.0.1:20000-29999\n"
        "bind_host=127.0.0.1\nlisten=127.0.0.1:12000 control=127.0.0.1:12000\nplain_http=0\n"
        "proxy_header=\napi_key_file=\napi_keys=\nmax_pending=256\nissue_keys=0\npublic_host=%s\n"
        "public_port=22\nsshd=\njump_user=\ncontact=\nmetrics=\nquarantine=604800\n"
        "keep_expired=2592000\naudit_keep=34560000\nheartbeat=60\ncopied_agents=0\n",
        TUNLEASE_LOCALSTATEDIR, TUNLEASE_RUNSTATEDIR, host);
    assert_string_equal(fields, buf_text(&expected));
    buf_release(&expected);
    free(fields);
}

#define LONG127                                                                                    \
    "0123456789012345678901234567890123456789012345678901234567890123456789"                       \
    "012345678901234567890123456789012345678901234567890123456"

static void refused(void **state)
{
    static const struct {
        const char *text;
        unsigned line; /* 0: the file as a whole */
        const char *why;
    } rows[] = {
        {"\n# x\nDatabse /srv/a.db\n", 3, "Databse /srv/a.db is no keyword"},
        {"Databse /srv/a.db\n", 1, "tunlease.conf(5) (did you mean 'Database'?)"},
        {"allowoepn 127.0.0.1:*\n", 1, "tunlease.conf(5) (did you mean 'AllowOpen'?)"},
        {"Database=/srv/a.db\n", 1, "is no keyword"},
        {"Database /a\ndatabase /a\n", 2, "second time"},
        {"Listen 127.0.0.1:1\nMaxTTL 9d\nMaxTTL 9d\n", 3, "second time"},
        {"Database \"/a\n", 1, "quote"},
        {"Database\n", 1, "exactly one"},
        {"Database /a /b\n", 1, "exactly one"},
        {"Database a.db\n", 1, "absolute"},
        {"Database /" LONG127 LONG127 "\n", 1, "too long"},
        {"RunDir run\n", 1, "absolute"},
        {"ForwardLogin -x\n", 1, "may not start"},
        {"ForwardLogin a@b\n", 1, "may hold only"},
        {"JoinLogin a@b\n", 1, "may hold only"},
        {"JoinLogin a b\n", 1, "exactly one"},
        {"AgentLogin \"\"\n", 1, "is empty"},
        {"TunnelGroup a,b\n", 1, "may hold only"},
        {"SessionRefusal loud\n", 1, "neither 'message' nor 'silent'"},
        {"CopiedAgents oldest\n", 1, "neither 'newest' nor 'refuse'"},
        {"DefaultTTL 7\n", 1, "not a duration"},
        {"DefaultTTL none\n", 1, "not a duration"},
        {"DefaultTTL 0d\n", 1, "not a duration"},
        {"MaxTTL never\n", 1, "not a duration"},
        {"DefaultOpen 127.0.0.1:0\n", 1, "1 to 65535"},
        {"DefaultOpen 127.0.0.1:80-81\n", 1, "range"},
        {"DefaultOpen 127.0.0.1:*\n", 1, "ceiling"},
        {"AllowOpen 8009\n", 1, "AllowOpen 8009 names no host: write AllowOpen 127.0.0.1:8009"},
        {"allowopen pfwd 8009\n", 1, "write AllowOpen pfwd 127.0.0.1:8009"},
        {"AllowOpen http://127.0.0.1:8009/\n", 1, "is a URL: write AllowOpen 127.0.0.1:8009"},
        {"AllowOpen a:80,b:81\n", 1, "write each for itself, AllowOpen a:80 and AllowOpen b:81"},
        {"AllowOpen a:80 b:81\n", 1, "write each for itself, AllowOpen a:80 and AllowOpen b:81"},
        {"AllowOpen a:1 b:2 c:3\n", 1, "AllowOpen a:1 and AllowOpen b:2 and AllowOpen c:3"},
        {"AllowOpen /run/x.sock\n", 1, "is the path of a socket"},
        {"DefaultOpen 8009:127.0.0.1:80\n", 1, "write DefaultOpen 127.0.0.1:80"},
        {"AllowListen 20001:127.0.0.1:22\n", 1, "write AllowListen 127.0.0.1:20001"},
        {"AllowListen ::1:20001\n", 1, "write AllowListen [::1]:20001"},
        {"AllowOpen *\n", 1, "names no host"},
        {"AllowOpen *:80\n", 1, "names every host, and a ceiling is for one: write"},
        {"AllowOpen x y 127.0.0.1:80\n", 1, "takes [LOGIN]"},
        {"AllowOpen\n", 1, "takes [LOGIN]"},
        {"AllowOpen a@b 127.0.0.1:80\n", 1, "may hold only"},
        {"AllowListen 127.0.0.1:90-80\n", 1, "ends before"},
        {"AgentBindHost *\n", 1, "the host is neither"},
        {"AgentBindHost 127.0.0.1:80\n", 1, "not an IPv6"},
        {"Listen 12000\n", 1, "neither HOST:PORT nor unix"},
        {"Listen 127.0.0.1:1-2\n", 1, "range"},
        {"Listen unix:x.sock\n", 1, "absolute"},
        {"Listen unix:/" LONG127 "\n", 1, "too long"},
        {"Listen a:1\nListen a:1\nListen a:1\nListen a:1\nListen a:1\nListen a:1\nListen a:1\n"
         "Listen a:1\nListen a:1\n",
         9, "more than 8"},
        {"Listen unix:/x proxy\n", 1, "names no group"},
        {"Listen unix:/x other p\n", 1, "or unix:/path proxy GROUP"},
        {"Listen unix:/x proxy p q\n", 1, "exactly one value"},
        {"Listen 127.0.0.1:1 proxy p\n", 1, "works only with unix:/path"},
        {"Listen unix:/x proxy -p\n", 1, "may not start"},
        {"MetricsListen unix:/x proxy p\n", 1, "exactly one value"},
        {"ProxyHeader Forwarded\n", 1, "neither 'X-Real-IP' nor"},
        {"AllowPlainHTTP true\n", 1, "'yes' nor 'no'"},
        {"IssueKeys 1\n", 1, "'yes' nor 'no'"},
        {"ApiKeyFile keys\n", 1, "absolute"},
        {"MaxPendingAgents 0\n", 1, "1 to 1000000"},
        {"MaxPendingAgents 1000001\n", 1, "1 to 1000000"},
        {"MaxPendingAgents 7x\n", 1, "1 to 1000000"},
        {"MaxPendingAgents +7\n", 1, "1 to 1000000"},
        {"MaxPendingAgents 07\n", 1, "1 to 1000000"},
        {"MaxPendingAgents \" 7\"\n", 1, "1 to 1000000"},
        {"PublicHost gw:22\n", 1, "no host name"},
        {"PublicHost [2001:db8::1]\n", 1, "no host name"},
        {"PublicPort 0\n", 1, "1 to 65535"},
        {"PublicPort 65536\n", 1, "1 to 65535"},
        {"PublicPort 022\n", 1, "1 to 65535"},
        {"PublicPort +22\n", 1, "1 to 65535"},
        {"PublicPort \"22 \"\n", 1, "1 to 65535"},
        {"JumpUser a/b\n", 1, "may hold only"},
        {"Contact\n", 1, "takes a value"},
        {"Contact a\x1b[2J\n", 1, "control character"},
        {"Contact \"" LONG127 LONG127 "xx\"\n", 1, "too long"},
        {"MetricsListen 9100\n", 1, "neither HOST:PORT nor unix"},
        {"MetricsListen 127.0.0.1:1\nMetricsListen 127.0.0.1:2\n", 2, "second time"},
        {"QuarantineTTL 1\n", 1, "not a duration"},
        {"KeepExpired x\n", 1, "not a duration"},
        {"AuditKeep -1d\n", 1, "not a duration"},
        {"HeartbeatInterval 60\n", 1, "not a duration"},
        /* Rules about several keywords. */
        {"Listen unix:/x proxy p\n", 0, "ProxyHeader is missing"},
        {"Listen unix:/x\nProxyHeader X-Real-IP\n", 0, "there is no such line"},
        {"Listen unix:/x proxy p\nListen unix:/x\nProxyHeader X-Real-IP\n", 0,
         "two lines of Listen"},
        {"Listen 0.0.0.0:1\n", 0, "AllowPlainHTTP"},
        {"Listen 127.0.0.1:1\nListen 192.0.2.1:1\n", 0, "AllowPlainHTTP"},
        {"Listen [::ffff:127.0.0.1]:1\n", 0, "AllowPlainHTTP"},
        {"Listen 127.0.0.1:1\nListen [::1]:1\nListen 127.0.0.1:1\n", 0, "two lines of Listen"},
        {"Listen unix:/a\nListen unix:/b\nMetricsListen unix:/a\n", 0, "two lines of Listen"},
        {"MetricsListen 127.0.0.1:12000\n", 0, "two lines of Listen"},
        {"DefaultTTL 91d\n", 0, "longer than MaxTTL"},
        {"MaxTTL 6d23h\n", 0, "longer than MaxTTL"},
        {"ForwardLogin gw-tunnel\n", 0, "two logins"},
        {"AgentLogin pfwd\n", 0, "two logins"},
        {"JoinLogin pfwd\n", 0, "JoinLogin and ForwardLogin must be two logins"},
        {"JoinLogin x\nForwardLogin x\n", 0, "JoinLogin and ForwardLogin must be two logins"},
        {"JoinLogin gw-tunnel\n", 0, "JoinLogin and AgentLogin must be two logins"},
        {"JoinLogin li\nJumpUser li\n", 0, "JoinLogin and JumpUser must be two logins"},
        {"AgentBindHost 127.0.0.2\n", 0, "'AllowListen gw-tunnel 127.0.0.2:20000-29999'"},
        {"AllowListen [::1]:1\n", 0, "does not lie within AllowListen"},
        {"AllowListen gw-tunnel [::1]:1\nAllowListen 127.0.0.1:1\n", 0,
         "'AllowListen gw-tunnel 127.0.0.1:20000-29999'"},
        {"DefaultOpen db1:80\n", 0, "DefaultOpen does not lie"},
        {"DefaultOpen 127.0.0.1:80\nAllowOpen pfwd 127.0.0.1:81\n", 0, "DefaultOpen does not lie"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        char err[CONF_ERROR_BYTES], place[CONF_ERROR_BYTES];
        char *fields = load(rows[i].text, NULL, err, NULL);
        CHECK(rows[i].text, fields == NULL);
        if (rows[i].line > 0)
            (void)snprintf(place, sizeof(place), "%s:%u: ", file, rows[i].line);
        else
            (void)snprintf(place, sizeof(place), "%s: ", file);
        CHECK_PROBLEM(rows[i].text, err, rows[i].why);
        if (strncmp(err, place, strlen(place)) != 0)
            fail_msg("%s: '%s' does not begin with '%s'", rows[i].text, err, place);
        CHECK("one line", strchr(err, '\n') == NULL);
    }
}

static void environment(void **state)
{
    static const struct {
        const char *what, *text, *env, *moved;
    } rows[] = {
        {"empty file", "", "", ""},
        {"comments and blanks", "", "# a\n; b\n\n  \n", ""},
        {"API_KEY", "", "API_KEY=k1\n", "api_keys=k1"},
        {"API_KEYS", "", "API_KEYS=k1,k2\n", "api_keys=k1,k2"},
        {"both", "", "API_KEYS=k1,k2\nAPI_KEY=k3\n", "api_keys=k1,k2,k3"},
        {"empty keys", "", "API_KEY=\nAPI_KEYS=,k1,,\n", "api_keys=k1"},
        {"= within a key", "", "API_KEY=a=b==\n", "api_keys=a=b=="},
        {"# within a key", "", "API_KEY=a#b\n", "api_keys=a#b"},
        {"double quotes", "", "API_KEY=\"a b\"\n", "api_keys=a b"},
        {"single quotes", "", "API_KEY='a b'\n", "api_keys=a b"},
        {"quotes that differ", "", "API_KEY='a\"\n", "api_keys='a\""},
        {"one quote", "", "API_KEY=\"\n", "api_keys=\""},
        {"CRLF and blanks", "", "  API_KEY=a \t\r\n", "api_keys=a"},
        {"no line end", "", "API_KEY=a", "api_keys=a"},
        {"SERVER_PORT", "", "SERVER_PORT=13000\n",
         "listen=127.0.0.1:13000 control=127.0.0.1:13000"},
        {"SERVER_HOST", "", "SERVER_HOST=127.0.0.2\n",
         "listen=127.0.0.2:12000 control=127.0.0.2:12000"},
        {"both, either order", "", "SERVER_PORT=13000\nSERVER_HOST=::1\n",
         "listen=[::1]:13000 control=[::1]:13000"},
        {"they replace every Listen", "Listen 127.0.0.1:1\nListen 127.0.0.1:2\n", "SERVER_PORT=3\n",
         "listen=127.0.0.1:3 control=127.0.0.1:3"},
        {"SSH_USER", "", "SSH_USER=tun\n", "agent_login=tun,tun"},
        {"SSH_USER wins over the file", "AgentLogin x\n", "SSH_USER=tun\n", "agent_login=tun,tun"},
        {"SSH_JUMP_USER", "", "SSH_JUMP_USER=li\n", "jump_user=li"},
        {"an empty value is none", "JumpUser li\n", "SSH_JUMP_USER=\nLEASE_TTL_DAYS=\n",
         "jump_user=li"},
        {"SSH_PUBLIC_HOST", "", "SSH_PUBLIC_HOST=gw\n", "public_host=gw"},
        {"AGENT_REVERSE_BIND_HOST", "AllowListen 127.0.0.2:1-9\n",
         "AGENT_REVERSE_BIND_HOST=127.0.0.2\n", "allow_listen=127.0.0.2:1-9;bind_host=127.0.0.2"},
        {"LEASE_TTL_DAYS", "", "LEASE_TTL_DAYS=30\n", "default_ttl=2592000"},
        {"LEASE_TTL_DAYS wins over the file", "DefaultTTL 1d\n", "LEASE_TTL_DAYS=30\n",
         "default_ttl=2592000"},
        {"somebody else's name", "", "PATH=/bin\nLANG=C\n", ""},
        {"names are case-sensitive", "", "api_key=k\n", ""},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        check_moves(rows[i].what, rows[i].text, rows[i].env, rows[i].moved);
}

static void environment_refused(void **state)
{
    static const struct {
        const char *env, *why;
    } rows[] = {
        {"API_KEY\n", "is not NAME=value"},
        {"SERVER_PORT=x\n", "SERVER_HOST, SERVER_PORT"},
        {"SERVER_PORT=123456789\n", "SERVER_PORT is too long"},
        {"SERVER_HOST=0.0.0.0\n", "AllowPlainHTTP"},
        {"SSH_USER=a b\n", "SSH_USER may hold only"},
        {"SSH_USER=pfwd\n", "two logins"},
        {"AGENT_REVERSE_BIND_HOST=0.0.0.0\n", "'AllowListen gw-tunnel 0.0.0.0:20000-29999'"},
        {"LEASE_TTL_DAYS=7d\n", "LEASE_TTL_DAYS"},
        {"LEASE_TTL_DAYS=07\n", "LEASE_TTL_DAYS"},
        {"LEASE_TTL_DAYS=+7\n", "LEASE_TTL_DAYS"},
        {"LEASE_TTL_DAYS=0\n", "LEASE_TTL_DAYS"},
        {"LEASE_TTL_DAYS=0.5\n", "LEASE_TTL_DAYS"},
        {"LEASE_TTL_DAYS=1w2\n", "LEASE_TTL_DAYS"},
        {"LEASE_TTL_DAYS=91\n", "longer than MaxTTL"},
        {"API_KEYS=1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,"
         "30,31,32,33\n",
         "more than 32"},
    };
    char err[CONF_ERROR_BYTES];
    struct conf c;
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        CHECK(rows[i].env, load("", rows[i].env, err, NULL) == NULL);
        CHECK_PROBLEM(rows[i].env, err, rows[i].why);
        CHECK_PROBLEM(rows[i].env, err, dir);
    }
    /* A line that does not fit would be taken apart at the wrong place. */
    char *line = malloc(8192);
    memset(line, 'k', 8191);
    memcpy(line, "API_KEY=", 8);
    for (size_t len = 4094; len <= 4096; len++) {
        line[len] = '\0';
        char *fields = load("", line, err, NULL);
        CHECK("4094 bytes", (fields != NULL) == (len <= 4094));
        free(fields);
        line[len] = 'k';
    }
    free(line);

    write_text(file, "");
    write_text(env_file, "API_KEY=k\n");
    assert_int_equal(chmod(env_file, 0660), 0);
    assert_int_equal(load_strictly(&c, err, NULL), -1);
    CHECK_PROBLEM("writable by the group", err, "only its owner may write");
    assert_int_equal(chmod(env_file, 0604), 0);
    assert_int_equal(load_as_daemon(&c, err), -1);
    CHECK_PROBLEM("readable by all, a daemon", err, "can be read by everybody");
    struct buf warnings = {0};
    assert_int_equal(load_strictly(&c, err, &warnings), 0);
    CHECK_PROBLEM("readable by all, a command", buf_text(&warnings), "can be read by everybody");
    conf_release(&c);
    buf_release(&warnings);
    assert_int_equal(unlink(env_file), 0);
    assert_int_equal(mkdir(env_file, 0755), 0);
    assert_int_equal(load_strictly(&c, err, NULL), -1);
    assert_int_equal(rmdir(env_file), 0);
    assert_int_equal(mkfifo(env_file, 0600), 0);
    (void)alarm((unsigned)slow_ms(5));
    assert_int_equal(load_strictly(&c, err, NULL), -1);
    (void)alarm(0);
    assert_int_equal(unlink(env_file), 0);
}

static void warned(void **state)
{
    char err[CONF_ERROR_BYTES];
    struct buf warnings = {0};
    (void)state;
    free(load("", "API_KEY=k\n", err, &warnings));
    assert_string_equal(buf_text(&warnings), "");
    char *fields = load("", "AUTHORIZED_KEYS_PATH=/x\nSTATE_DIR=/y\n", err, &warnings);
    assert_non_null(fields);
    CHECK_PROBLEM("AUTHORIZED_KEYS_PATH", buf_text(&warnings),
                  "leased.env: AUTHORIZED_KEYS_PATH is not used: no authorized_keys");
    CHECK_PROBLEM("STATE_DIR", buf_text(&warnings), "leased.env: STATE_DIR is not used");
    assert_int_equal(buf_text(&warnings)[warnings.len - 1], '\n');
    free(fields);
    buf_release(&warnings);
}

/* Each line that is wrong is named, and the others hold. */
static void tolerated(void **state)
{
    static const char *const named[] = {":1: MaxTTL soon is not a duration",
                                        ":2: Nonsense x is no keyword",
                                        ":4: RunDir /b is given a second time",
                                        ":6: AllowOpen x names no port",
                                        "LEASE_TTL_DAYS is not a number",
                                        "line 2 is not NAME=value",
                                        "ForwardLogin and AgentLogin must be two logins"};
    char err[CONF_ERROR_BYTES];
    struct buf problems = {0};
    struct conf c;
    (void)state;
    write_text(file, "MaxTTL soon\nNonsense x\nRunDir /a\nRunDir /b\nDatabase /d/s\nAllowOpen x\n"
                     "ForwardLogin gw-tunnel\nQuarantineTTL 3d\nAllowListen x\nListen x\n"
                     "MetricsListen x\n");
    write_file(env_file, "LEASE_TTL_DAYS=many\nsecret\nSSH_JUMP_USER=li\n", 45, 0600);
    assert_int_equal(load_strictly(&c, err, NULL), -1);
    assert_int_equal(conf_load_tolerant(file, &c, &problems), 0);
    for (size_t i = 0; i < sizeof(named) / sizeof(named[0]); i++)
        CHECK_PROBLEM(named[i], buf_text(&problems), named[i]);
    assert_string_equal(c.paths.run_dir, "/a");
    assert_string_equal(c.paths.database, "/d/s");
    assert_string_equal(c.jump_user, "li");
    assert_int_equal(c.quarantine_ttl_s, 3 * 86400);
    /* What could not be read has its default. */
    assert_int_equal(c.max_ttl_s, 90 * 86400);
    assert_int_equal(c.ceiling.open.count, 2);
    assert_int_equal(c.ceiling.listen.count, 1);
    assert_int_equal(c.listen_count, 1);
    assert_false(c.has_metrics_listen);
    conf_release(&c);
    buf_release(&problems);
    /* akc does not know either where its store is. */
    write_text(file, "Database d/s\n");
    assert_int_equal(conf_load_tolerant(file, &c, &problems), -1);
    CHECK_PROBLEM("Database", buf_text(&problems), "names no usable absolute path");
    write_text(file, "MaxTTL 8d\n");
    assert_int_equal(chmod(file, 0666), 0);
    buf_release(&problems);
    assert_int_equal(conf_load_tolerant(file, &c, &problems), -1);
    CHECK_PROBLEM("writable by all", buf_text(&problems), "only its owner may write");
    assert_int_equal(chmod(file, 0644), 0);
    assert_int_equal(unlink(env_file), 0);
    buf_release(&problems);
}

/* One try names all that is wrong, in the order in which it stands, and nothing that only follows
 * from a value that could not be read. */
static void all_problems(void **state)
{
    static const struct {
        const char *what, *text, *env, *problems; /* DIR stands for the directory */
    } rows[] = {
        {"two lines", "MaxTTL soon\nListen x\n", NULL,
         "DIR/tunlease.conf:1: MaxTTL soon is not a duration like 90s, 15m, 12h, 7d, 1d12h\n"
         "DIR/tunlease.conf:2: Listen x is neither HOST:PORT nor unix:/path\n"},
        {"a line, a name, a rule", "Nonsense\nForwardLogin gw-tunnel\n", "LEASE_TTL_DAYS=x\n",
         "DIR/tunlease.conf:1: Nonsense is no keyword of tunlease.conf(5)\n"
         "DIR/leased.env: LEASE_TTL_DAYS is not a number of days\n"
         "DIR/tunlease.conf: ForwardLogin and AgentLogin must be two logins\n"},
        {"two names", "", "SSH_JUMP_USER=a b\nSECRET\n",
         "DIR/leased.env: SSH_JUMP_USER may hold only A-Z a-z 0-9 . _ -\n"
         "DIR/leased.env: line 2 is not NAME=value\n"},
        {"two rules", "DefaultTTL 91d\nAgentBindHost 127.0.0.2\n", NULL,
         "DIR/tunlease.conf: DefaultTTL is longer than MaxTTL\n"
         "DIR/tunlease.conf: AgentBindHost (AGENT_REVERSE_BIND_HOST) 127.0.0.2 does not lie within "
         "AllowListen: 'AllowListen gw-tunnel 127.0.0.2:20000-29999' would let agents listen "
         "there\n"},
        {"no rule of what could not be read", "MaxTTL 1d\nDefaultTTL x\n", NULL,
         "DIR/tunlease.conf:2: DefaultTTL x is not a duration like 90s, 15m, 12h, 7d, 1d12h\n"},
        {"nor of a line that is not closed", "MaxTTL 1d\nDefaultTTL \"1h\n", NULL,
         "DIR/tunlease.conf:2: DefaultTTL a quote is not closed\n"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct conf c;
        struct buf problems = {0}, want = {0};
        for (const char *at = rows[i].problems; *at != '\0'; at++)
            if (strncmp(at, "DIR", 3) == 0 && (at == rows[i].problems || at[-1] == '\n')) {
                buf_add(&want, dir);
                at += 2;
            } else {
                buf_add_mem(&want, at, 1);
            }
        write_text(file, rows[i].text);
        (void)unlink(env_file);
        if (rows[i].env != NULL)
            write_file(env_file, rows[i].env, strlen(rows[i].env), 0600);
        CHECK(rows[i].what, conf_load(file, &c, &problems, NULL) == -1);
        assert_string_equal(buf_text(&problems), buf_text(&want));
        buf_release(&problems);
        buf_release(&want);
    }
    (void)unlink(env_file);
}

/* Of very many the first are listed, and the others counted. */
static void many_problems(void **state)
{
    struct buf text = {0}, problems = {0};
    struct conf c;
    size_t lines = 0;
    (void)state;
    for (int i = 0; i < 1000; i++)
        buf_add(&text, "Nonsense\n");
    write_text(file, buf_text(&text));
    assert_int_equal(conf_load(file, &c, &problems, NULL), -1);
    const char *rest = buf_text(&problems), *line, *last = NULL;
    for (int len; (line = text_next_line(&rest, &len)) != NULL; lines++)
        last = line;
    assert_int_equal(lines, 21);
    CHECK_PROBLEM("the last line", last, "tunlease.conf: 980 more problems are not listed\n");
    buf_release(&text);
    buf_release(&problems);
}

static void which_file(void **state)
{
    char err[CONF_ERROR_BYTES];
    struct buf problems = {0};
    struct conf c;
    (void)state;
    char *missing = path_in(dir, "missing.conf");
    /* A file that was named must be there. */
    assert_int_equal(conf_load(missing, &c, &problems, NULL), -1);
    CHECK_PROBLEM("missing", buf_text(&problems), "no such file");
    CHECK_PROBLEM("missing", buf_text(&problems), missing);
    assert_int_equal(conf_load(dir, &c, &problems, NULL), -1);
    buf_release(&problems);
    write_text(file, "MaxTTL 8d\n");
    assert_int_equal(chmod(file, 0666), 0);
    assert_int_equal(load_strictly(&c, err, NULL), -1);
    CHECK_PROBLEM("writable by all", err, "only its owner may write");
    write_file(file, "MaxTTL 8d\0x\n", 12, 0644);
    assert_int_equal(load_strictly(&c, err, NULL), -1);
    CHECK_PROBLEM("NUL", err, "NUL");
    free(missing);
}

/* ---- the two settings of the login path ---- */

static void paths(void **state)
{
    static const char *const defaults[] = {CONF_DEFAULT_DATABASE, CONF_DEFAULT_RUN_DIR};
    static const struct {
        const char *what, *text;
        const char *database, *run_dir; /* NULL: the default */
        const char *problem;
    } rows[] = {
        {"empty", "", NULL, NULL, NULL},
        {"both", "Database /a\nRunDir /b\n", "/a", "/b", NULL},
        {"one", "rundir /b\n", NULL, "/b", NULL},
        {"an unknown keyword is skipped", "Nonsense x\nDatabase /a\n", "/a", NULL, NULL},
        {"a bad value elsewhere is skipped", "MaxTTL never\nDatabase /a\n", "/a", NULL, NULL},
        {"a line that cannot be split is skipped", "Contact \"x\nDatabase /a\n", "/a", NULL, NULL},
        {"too many values elsewhere", "Contact 1 2 3 4 5 6 7 8 9\nDatabase /a\n", "/a", NULL, NULL},
        {"given twice elsewhere", "MaxTTL 1d\nMaxTTL 1d\nDatabase /a\n", "/a", NULL, NULL},
        {"given twice: the first counts", "Database /a\nDatabase /b\n", "/a", NULL, NULL},
        {"given twice, the second bad", "Database /a\nDatabase b\n", "/a", NULL, NULL},
        {"quoted", "Database \"/a b\"\n", "/a b", NULL, NULL},
        {"relative", "Database a\n", NULL, NULL, "no usable absolute path"},
        {"no value", "Database\n", NULL, NULL, "no usable absolute path"},
        {"two values", "RunDir /a /b\n", NULL, NULL, "no usable absolute path"},
        {"quote not closed", "Database \"/a\n", NULL, NULL, "no usable absolute path"},
        {"empty", "Database \"\"\n", NULL, NULL, "no usable absolute path"},
        {"too long", "Database /" LONG127 LONG127 "\n", NULL, NULL, "no usable absolute path"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct conf_paths got = {.database = "untouched"};
        write_text(file, rows[i].text);
        const char *problem = conf_paths_load(file, &got);
        CHECK_PROBLEM(rows[i].what, problem, rows[i].problem);
        if (problem != NULL) {
            CHECK_TEXT(rows[i].what, got.database, "untouched");
            continue;
        }
        CHECK_TEXT(rows[i].what, got.database,
                   rows[i].database != NULL ? rows[i].database : defaults[0]);
        CHECK_TEXT(rows[i].what, got.run_dir,
                   rows[i].run_dir != NULL ? rows[i].run_dir : defaults[1]);
    }
}

/* What akc knows of the logins: the file alone, and a bad line is no reason not to serve leases. */
static void login_lines(void **state)
{
    static const struct {
        const char *what, *text, *logins; /* NULL: a problem */
    } rows[] = {
        {"defaults", "", ",pfwd,gw-tunnel,,_tunnel"},
        {"all", "JoinLogin j\nForwardLogin f\nAgentLogin a\nJumpUser u\nTunnelGroup g\n",
         "j,f,a,u,g"},
        {"any case", "joinLOGIN j\n", "j,pfwd,gw-tunnel,,_tunnel"},
        {"the first counts", "JoinLogin j\nJoinLogin \n", "j,pfwd,gw-tunnel,,_tunnel"},
        {"no value", "JoinLogin\n", NULL},
        {"two values", "JoinLogin a b\n", NULL},
        {"too long", "TunnelGroup 0123456789012345678901234567890123\n", NULL},
        {"empty, then one", "JumpUser \"\"\nJumpUser a\n", NULL},
        {"a quote that is not closed", "AgentLogin \"a\n", NULL},
    };
    struct conf_paths got;
    struct conf_logins l;
    char text[256];
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        write_text(file, rows[i].text);
        CHECK_PROBLEM(rows[i].what, conf_paths_load_logins(file, &got, &l), NULL);
        CHECK_PROBLEM(rows[i].what, l.problem, rows[i].logins == NULL ? "no usable name" : NULL);
        (void)snprintf(text, sizeof(text), "%s,%s,%s,%s,%s", l.join_login, l.forward_login,
                       l.agent_login, l.jump_user, l.tunnel_group);
        if (rows[i].logins != NULL)
            CHECK_TEXT(rows[i].what, text, rows[i].logins);
    }
}

static void paths_file(void **state)
{
    struct conf_paths got;
    char text[512];
    (void)state;
    (void)unlink(file);
    assert_non_null(conf_paths_load(file, &got)); /* a named one must be there */
    write_text(file, "Database /a\n");
    assert_int_equal(chmod(file, 0664), 0);
    CHECK_PROBLEM("writable by the group", conf_paths_load(file, &got), "only its owner");
    CHECK_PROBLEM("directory", conf_paths_load(dir, &got), "regular file");
    if (geteuid() == 0) {
        assert_int_equal(chmod(file, 0644), 0);
        assert_int_equal(chown(file, 65534, 65534), 0);
        CHECK_PROBLEM("another's", conf_paths_load(file, &got), "owned by root or you");
        assert_int_equal(unlink(file), 0);
    }
    for (size_t len = 190; len <= 193; len++) {
        memset(text, 'x', len);
        text[0] = '/';
        text[len] = '\0';
        CHECK_PROBLEM("191 is the longest", conf_path_problem(text),
                      len <= 191 ? NULL : "too long");
    }
    CHECK_PROBLEM("empty", conf_path_problem(""), "absolute");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_keyword), cmocka_unit_test(refused),
        cmocka_unit_test(environment),   cmocka_unit_test(environment_refused),
        cmocka_unit_test(warned),        cmocka_unit_test(which_file),
        cmocka_unit_test(tolerated),     cmocka_unit_test(paths),
        cmocka_unit_test(all_problems),  cmocka_unit_test(many_problems),
        cmocka_unit_test(login_lines),   cmocka_unit_test(paths_file),
    };
    return cmocka_run_group_tests_name("conf", tests, set_up, tear_down);
}
