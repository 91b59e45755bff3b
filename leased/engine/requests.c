/* SPDX-License-Identifier: ISC */
/*
 * Register and heartbeat (CONTRACT 6), decided within the batch's transaction. What http sent is
 * checked again here: every field is a stranger's.
 */
#include "leased/engine/engine.h"
#include "lib/base/buf.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/lease/lease.h"

#include <bsd/stdlib.h>
#include <bsd/string.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const char no_ports_text[] = "every port of AllowListen is taken or in quarantine";

enum { HERD = 20, HERD_WINDOW_MS = 10000, HERD_SPREAD_MS = 30000, TARGET_BYTES = 300 };

static enum store_rc answer_error(struct control_answer *a, enum control_code code,
                                  const char *error)
{
    a->code = (uint32_t)code;
    (void)strlcpy(a->error, error, sizeof(a->error));
    return STORE_OK;
}

/* One visible line of at most max bytes: it goes into the store and into ssh_config stanzas. */
static bool is_plain(const char *text, size_t max)
{
    return strlen(text) <= max && free_text_problem(text) == NULL;
}

/* ---- who asks ---- */

enum credential {
    CREDENTIAL_NONE,    /* none, or a wrong one */
    CREDENTIAL_ENROLS,  /* an enrolment key, or a token with a use left */
    CREDENTIAL_REPEATS, /* a token that admitted this very agent before */
    CREDENTIAL_SECRET,  /* the agent's own */
};

struct asking {
    enum credential what;
    struct token token; /* id 0: no token */
    uint8_t hash[SECRET_HASH_BYTES];
};

static enum store_rc judge_credential(struct engine *e, const struct control_request *r,
                                      const struct member *known, int64_t now_s, struct asking *ret)
{
    const char *credential = control_request_get(r, CONTROL_CREDENTIAL);
    const char *agent_id = control_request_get(r, CONTROL_AGENT_ID);
    struct asking a = {.what = CREDENTIAL_NONE};

    secret_hash(credential, a.hash);
    *ret = a;
    if (*credential == '\0')
        return STORE_OK;
    if (known != NULL && known->has_secret && secret_equal(known->secret_hash, a.hash)) {
        ret->what = CREDENTIAL_SECRET;
        return STORE_OK;
    }
    if (api_keys_have(&e->keys, a.hash)) {
        ret->what = CREDENTIAL_ENROLS;
        return STORE_OK;
    }
    enum store_rc rc = store_token_find(e->store, a.hash, &a.token);
    if (rc != STORE_OK)
        return rc == STORE_NONE ? STORE_OK : rc;
    if (a.token.expires_s <= now_s ||
        (a.token.name[0] != '\0' && strcmp(a.token.name, agent_id) != 0))
        return STORE_OK;
    if (known != NULL && known->token_id == a.token.id)
        a.what = CREDENTIAL_REPEATS;
    else if (a.token.uses_left > 0)
        a.what = CREDENTIAL_ENROLS;
    *ret = a;
    return STORE_OK;
}

/* known: the agent that a good enrolment key or token no longer speaks for; NULL: it is not good.
 */
static enum store_rc refuse_credential(struct engine *e, const struct control_request *r,
                                       const struct asking *asking, const struct member *known,
                                       struct control_answer *a)
{
    const char *agent_id = control_request_get(r, CONTROL_AGENT_ID);
    bool tried = *control_request_get(r, CONTROL_CREDENTIAL) != '\0';
    if (tried &&
        limiter_failed(&e->limiter, r->address, agent_id, asking->hash, clock_monotonic_ms()))
        return answer_error(a, CONTROL_RATE_LIMITED, "too many wrong credentials: wait a minute");
    if (known != NULL && asking->what != CREDENTIAL_NONE)
        return answer_error(a, CONTROL_UNAUTHORIZED,
                            known->has_secret
                                ? "only its agent_secret speaks for this agent, until an admin "
                                  "says 'leasectl agent reset'"
                                : "an admin added it: for it speaks a token of 'leasectl agent "
                                  "add' or 'leasectl token create --name'");
    return answer_error(
        a, CONTROL_UNAUTHORIZED,
        tried ? "the credential is neither an enrolment key or token that is good for "
                "this agent, nor its own secret"
              : "a credential is needed: Authorization: Bearer, X-API-Key or api_key");
}

/* ---- facts ---- */

static void add_fact(struct buf *out, const char *name, const char *value)
{
    if (*value == '\0')
        return;
    buf_add(out, name);
    buf_add(out, " ");
    buf_add(out, value);
    buf_add(out, "\n");
}

/* The value of a fact among its lines, "" when it is not there. */
static void get_fact(const char *facts, const char *name, char *out, size_t out_bytes)
{
    size_t len = strlen(name);
    out[0] = '\0';
    for (const char *line = facts; *line != '\0';) {
        size_t line_len = strcspn(line, "\n");
        if (strncmp(line, name, len) == 0 && line[len] == ' ') {
            (void)snprintf(out, out_bytes, "%.*s", (int)(line_len - len - 1), line + len + 1);
            return;
        }
        line += line_len + (line[line_len] == '\n' ? 1 : 0);
    }
}

/* What the agent says of itself; each host key is one that ssh could use. NULL, or what is wrong.
 */
static const char *collect_facts(const struct control_request *r, const struct agent_marks *marks,
                                 struct buf *out)
{
    const char *hostname = control_request_get(r, CONTROL_HOSTNAME);
    const char *user = control_request_get(r, CONTROL_USER);
    const char *target = control_request_get(r, CONTROL_TARGET);
    const char *keys = control_request_get(r, CONTROL_HOST_KEYS);
    struct pubkey key;
    size_t key_count = 0;

    if (!is_plain(hostname, 253))
        return "hostname is too long, or holds control characters";
    if (*user != '\0' && login_name_problem(user) != NULL)
        return "user is no user name";
    if (!is_plain(target, TARGET_BYTES))
        return "target is too long, or holds control characters";
    if (marks->by_admin)
        buf_add(out, "admin 1\n");
    if (marks->issued)
        buf_add(out, "issued 1\n");
    if (marks->home_port != 0)
        buf_addf(out, "home_port %u\n", marks->home_port);
    reissue_format(&marks->reissue, out);
    add_fact(out, "hostname", hostname);
    add_fact(out, "user", user);
    add_fact(out, "target", target);
    for (const char *line = keys; *line != '\0';) {
        size_t len = strcspn(line, "\n");
        if (++key_count > CONTROL_HOST_KEYS_MAX)
            return "host_keys are too many";
        if (pubkey_parse_file(line, len, &key) != NULL)
            return "a host key is no OpenSSH public key";
        buf_addf(out, "host_key %s %s\n", key.type, key.base64);
        line += len + (line[len] == '\n' ? 1 : 0);
    }
    return out->len + REISSUE_LINE_BYTES < AGENT_FACTS_BYTES ? NULL : "host_keys are too long";
}

static struct agent_marks read_marks(const char *facts)
{
    char issued[8], home_port[8];
    get_fact(facts, "issued", issued, sizeof(issued));
    get_fact(facts, "home_port", home_port, sizeof(home_port));
    return (struct agent_marks){.by_admin = strncmp(facts, "admin 1\n", 8) == 0,
                                .issued = strcmp(issued, "1") == 0,
                                .home_port = (uint16_t)strtoul(home_port, NULL, 10),
                                .reissue = reissue_parse(facts)};
}

/* The marks of an agent, asked for once. */
static enum store_rc get_marks(struct engine *e, struct member *m)
{
    char facts[AGENT_FACTS_BYTES];
    if (m->has_marks)
        return STORE_OK;
    enum store_rc rc = store_agent_facts(e->store, m->id, facts);
    if (rc == STORE_OK) {
        m->marks = read_marks(facts);
        m->has_marks = true;
    }
    return rc;
}

/* ---- another secret ---- */

static int64_t boot_s(void)
{
    return clock_boot_ms() / 1000;
}

/* The newest login of an agent's key: written down, or of a session that is up. False: cannot
 * tell. */
static bool newest_login(const struct engine *e, int64_t lease_id, int64_t last_login_s,
                         int64_t *ret)
{
    struct session_list list;
    if (!e->has_registry || registry_read(&e->registry, lease_id, &list) != 0)
        return false;
    session_list_filter(&list, session_is_open, NULL);
    for (size_t i = 0; i < list.count; i++)
        if (list.items[i].since_s > last_login_s)
            last_login_s = list.items[i].since_s;
    session_list_release(&list);
    *ret = last_login_s;
    return true;
}

/* From now on, as of a register that is being answered. */
static enum store_rc begin_reissue(const struct engine *e, const char *name, int64_t now_s,
                                   struct reissue *ret)
{
    struct agent a;
    enum store_rc rc = store_agent_find(e->store, name, &a);
    if (rc != STORE_OK)
        return rc;
    *ret = (struct reissue){.since = REISSUE_REGISTERED, .wall_s = now_s, .boot_s = boot_s()};
    /* Where it cannot be told, none was known: then any login ends it. */
    (void)newest_login(e, a.id, a.last_login_s, &ret->login_s);
    return STORE_OK;
}

/*
 * Whether what came with a request speaks for an agent that is known. An enrolment key or token
 * does so as long as it would be given a new secret: the agent's public key is known to others, and
 * whoever is given a secret can shut it out with that.
 */
static enum store_rc speaks_for(struct engine *e, const char *name, struct member *m,
                                const struct asking *asking, bool *ret)
{
    struct agent a;
    int64_t login_s = 0;
    *ret = asking->what == CREDENTIAL_SECRET;
    if (*ret || asking->what == CREDENTIAL_NONE)
        return STORE_OK;
    enum store_rc rc = get_marks(e, m);
    if (rc != STORE_OK || (m->secret_used && m->marks.reissue.since != REISSUE_RESET))
        return rc;
    /* Its first one. Whom an admin added has a token for that, which the others do not know. */
    *ret = !m->has_secret && (!m->marks.by_admin || asking->token.id != 0);
    if (*ret)
        return STORE_OK;
    rc = store_agent_find(e->store, name, &a);
    *ret = rc == STORE_OK && newest_login(e, a.id, a.last_login_s, &login_s) &&
           reissue_allowed(&m->marks.reissue, engine_now_s(), boot_s(), login_s);
    return rc;
}

/* ---- ports ---- */

static bool is_usable(void *ctx, uint16_t port)
{
    return !engine_listens(ctx, port, SNAPSHOT_MS);
}

static bool in_ceiling(const struct engine *e, uint16_t port)
{
    char text[PERMIT_TEXT_BYTES];
    struct permit p;
    (void)snprintf(text, sizeof(text),
                   strchr(e->conf.agent_bind_host, ':') != NULL ? "[%s]:%u" : "%s:%u",
                   e->conf.agent_bind_host, port);
    return permit_parse(text, PERMIT_PORT, &p) == NULL &&
           ceiling_listen_problem(&e->conf.ceiling, e->conf.agent_login, &p) == NULL;
}

/* A port that was another's is given again only when the clock can be believed. */
static int64_t quarantine_s(struct engine *e)
{
    return engine_is_cautious(e) ? INT64_MAX / 4 : e->conf.quarantine_ttl_s;
}

/*
 * The port that is kept for whom its lease was deleted. STORE_NONE: there is none. Finding that
 * takes a look through all ports, so that no port at all is kept is remembered.
 */
static enum store_rc former_port(struct engine *e, const char *name, uint16_t *ret)
{
    int64_t version = 0;
    bool any = false;
    enum store_rc rc = store_version_seen(e->store, &version);
    if (rc != STORE_OK || (e->no_kept_ports && e->no_kept_version == version))
        return rc != STORE_OK ? rc : STORE_NONE;
    rc = store_port_former(e->store, name, ret, &any);
    e->no_kept_ports = rc == STORE_NONE && !any;
    e->no_kept_version = version;
    return rc;
}

/*
 * A port that is nobody's: one that never was anybody's, from where the last one was found on, so
 * that a full range is not looked through anew by every agent; else the one that was freed longest
 * ago. STORE_NONE: all are taken.
 */
static enum store_rc pick_port(struct engine *e, int64_t now_s, uint16_t *ret)
{
    const struct ceiling_rules *rules = &e->conf.ceiling.listen;
    const int64_t never = INT64_MAX / 4, after_s = quarantine_s(e);
    for (int again = 0; again < 2; again++)
        for (size_t i = 0; i < rules->count; i++) {
            const struct permit *p = &rules->items[i].permit;
            bool go_on = again == 0 && e->next_port > p->low && e->next_port <= p->high;
            if (!ceiling_rule_holds(rules, i, e->conf.agent_login) ||
                strcmp(p->host, e->conf.agent_bind_host) != 0)
                continue;
            enum store_rc rc =
                store_port_pick(e->store, go_on ? e->next_port : p->low, p->high,
                                again == 0 ? never : after_s, now_s, is_usable, e, ret);
            if (rc == STORE_NONE)
                continue;
            if (rc == STORE_OK && again == 0)
                e->next_port = (uint16_t)(*ret == UINT16_MAX ? 0 : *ret + 1);
            return rc;
        }
    return STORE_NONE;
}

static int set_listen(struct engine *e, struct lease *l, uint16_t port)
{
    char text[PERMIT_TEXT_BYTES];
    struct permit p;
    permit_list_release(&l->listen);
    (void)snprintf(text, sizeof(text),
                   strchr(e->conf.agent_bind_host, ':') != NULL ? "[%s]:%u" : "%s:%u",
                   e->conf.agent_bind_host, port);
    return permit_parse(text, PERMIT_PORT, &p) == NULL && permit_list_add(&l->listen, &p) == NULL
               ? 0
               : -1;
}

/*
 * Whether the agent means to listen where this gateway lets it. sshd would refuse any other
 * address, in words that say less.
 */
static bool binds_as_told(const struct engine *e, const char *host)
{
    const char *ours = e->conf.agent_bind_host;
    return *host == '\0' || strcasecmp(host, ours) == 0 ||
           (strcasecmp(host, "localhost") == 0 && strcmp(ours, "127.0.0.1") == 0);
}

static enum store_rc refuse_bind_host(const struct engine *e, const char *host,
                                      struct control_answer *a)
{
    char text[CONTROL_ERROR_BYTES];
    (void)snprintf(text, sizeof(text),
                   is_plain(host, 64) ? "agents listen on %s here, not on %s: AgentBindHost of the "
                                        "gateway says so, within its AllowListen"
                                      : "agents listen on %s here: AgentBindHost of the gateway "
                                        "says so, within its AllowListen",
                   e->conf.agent_bind_host, host);
    return answer_error(a, CONTROL_FORBIDDEN, text);
}

/* ---- register ---- */

struct registering {
    struct engine *e;
    const struct control_request *r;
    bool issued; /* its key was made here, for this request */
    struct store_actor by;
    struct pubkey key;
    struct member agent;
    struct asking asking;
    int64_t now_s;
    struct control_answer *answer;
};

static int64_t end_of(const struct engine *e, const struct member *a, int64_t now_s)
{
    int64_t end_s = now_s + e->conf.default_ttl_s;
    return a->fixed_end || end_s < a->expires_s ? a->expires_s : end_s;
}

/* After a restart of the gateway all agents come at once: told to come back one after the other. */
static uint32_t spread(struct engine *e, int64_t now_ms)
{
    if (now_ms - e->registers_since_ms > HERD_WINDOW_MS) {
        e->registers_since_ms = now_ms;
        e->registers_lately = 0;
    }
    return ++e->registers_lately > HERD ? arc4random_uniform(HERD_SPREAD_MS) : 0;
}

static void fill_answer(struct registering *in, int64_t expires_s, uint16_t port,
                        const char *secret, int64_t now_ms)
{
    struct control_answer *a = in->answer;
    a->code = CONTROL_OK;
    (void)strlcpy(a->agent_id, control_request_get(in->r, CONTROL_AGENT_ID), sizeof(a->agent_id));
    (void)strlcpy(a->user, control_request_get(in->r, CONTROL_USER), sizeof(a->user));
    (void)strlcpy(a->secret, secret, sizeof(a->secret));
    a->port_b = port;
    a->lease_expires_s = expires_s;
    a->lease_ttl_s = expires_s - in->now_s;
    a->reconnect_after_ms = spread(in->e, now_ms);
}

static int fill_lease(struct registering *in, struct lease *l, uint16_t port)
{
    struct engine *e = in->e;
    struct lease_key key = {.pub = in->key, .added_s = in->now_s};
    (void)strlcpy(l->name, control_request_get(in->r, CONTROL_AGENT_ID), sizeof(l->name));
    (void)strlcpy(l->login, e->conf.agent_login, sizeof(l->login));
    l->expires_s = in->now_s + e->conf.default_ttl_s;
    /* Heartbeats travel through its own tunnel, where leased listens on a port at all. */
    if (e->conf.ceiling.control.low != 0 &&
        permit_list_add(&l->open, &e->conf.ceiling.control) != NULL)
        return -1;
    return set_listen(e, l, port) == 0 && lease_add_key(l, &key) == 0 ? 0 : -1;
}

/* The lease, its key and its port; or, on a conflict, nothing of it. *l is to be released. */
static enum store_rc add_agent(struct registering *in, uint16_t port, const char *facts,
                               struct lease *l, int64_t *ret_id, struct store_conflict *conflict)
{
    struct engine *e = in->e;
    lease_release(l);
    if (fill_lease(in, l, port) != 0 || facts == NULL)
        return STORE_FAIL;
    enum store_rc rc = store_savepoint(e->store);
    if (rc != STORE_OK)
        return rc;
    rc = store_agent_add(e->store, l, in->asking.token.id, facts, quarantine_s(e), &in->by, ret_id,
                         conflict);
    if (rc != STORE_OK && rc != STORE_CONFLICT)
        return rc; /* the whole batch goes */
    enum store_rc end_rc = store_savepoint_end(e->store, rc == STORE_OK);
    return end_rc == STORE_OK ? rc : end_rc;
}

/* Whether one more may register before it has connected. Those that connected since the last count
 * are found by another one, once a second: it reads all leases. */
static enum store_rc has_room(struct engine *e, bool *ret)
{
    int64_t now_ms = clock_monotonic_ms();
    enum store_rc rc = STORE_OK;
    if (e->pending_agents >= (int64_t)e->conf.max_pending_agents &&
        now_ms - e->pending_seen_ms >= 1000) {
        rc = store_agents_pending(e->store, &e->pending_agents);
        e->pending_seen_ms = now_ms;
    }
    *ret = e->pending_agents < (int64_t)e->conf.max_pending_agents;
    return rc;
}

static enum store_rc register_new(struct registering *in, int64_t now_ms)
{
    struct engine *e = in->e;
    struct control_answer *a = in->answer;
    char secret[SECRET_TEXT_BYTES];
    uint8_t hash[SECRET_HASH_BYTES];
    struct store_conflict conflict;
    struct lease l = {0};
    struct buf facts = {0};
    int64_t id = 0;
    uint16_t port = in->r->port_b;
    bool room = false;
    enum store_rc rc = STORE_OK;
    const struct agent_marks marks = {
        .issued = in->issued,
        .reissue = {.since = REISSUE_REGISTERED, .wall_s = in->now_s, .boot_s = boot_s()}};
    const char *problem = collect_facts(in->r, &marks, &facts);

    if (problem != NULL) {
        rc = answer_error(a, CONTROL_BAD_REQUEST, problem);
        goto out;
    }
    rc = has_room(e, &room);
    if (rc != STORE_OK)
        goto out;
    if (!room) {
        rc = answer_error(a, CONTROL_RATE_LIMITED,
                          "too many agents have registered and never connected (MaxPendingAgents)");
        goto out;
    }
    if (!engine_knows_listeners(e)) {
        rc = answer_error(a, CONTROL_UNAVAILABLE,
                          "the gateway cannot tell which ports are free: see its log");
        goto out;
    }
    if (port == 0)
        rc = former_port(e, control_request_get(in->r, CONTROL_AGENT_ID), &port);
    if (rc != STORE_OK && rc != STORE_NONE)
        goto out;
    rc = STORE_OK;
    /* On a port that was its own, it may be its own listener that has just gone. */
    const int64_t look_ms = in->r->port_b == 0 ? 0 : FRESH_MS;
    bool wants_port = port != 0 && in_ceiling(e, port) &&
                      !(engine_listens(e, port, SNAPSHOT_MS) && engine_listens(e, port, look_ms));
    if (wants_port)
        rc = add_agent(in, port, buf_text(&facts), &l, &id, &conflict);
    if (!wants_port || (rc == STORE_CONFLICT && conflict.what == CONFLICT_PORT)) {
        rc = pick_port(e, in->now_s, &port);
        if (rc == STORE_OK)
            rc = add_agent(in, port, buf_text(&facts), &l, &id, &conflict);
    }
    if (rc == STORE_NONE || (rc == STORE_CONFLICT && conflict.what == CONFLICT_PORT)) {
        rc = answer_error(a, CONTROL_NO_PORTS, no_ports_text);
        goto out;
    }
    if (rc == STORE_CONFLICT) {
        char text[CONTROL_ERROR_BYTES];
        (void)snprintf(text, sizeof(text), "the key is that of the agent '%s'", conflict.lease);
        rc = answer_error(a, CONTROL_CONFLICT, text);
        goto out;
    }
    if (rc == STORE_OK && in->asking.token.id != 0)
        rc = store_token_use(e->store, in->asking.token.id);
    if (rc != STORE_OK)
        goto out;
    secret_make(secret);
    secret_hash(secret, hash);
    rc = store_agent_update(e->store, id,
                            &(struct agent_update){.secret_hash = hash,
                                                   .token_id = in->asking.token.id,
                                                   .facts = buf_text(&facts)});
    if (rc == STORE_OK) {
        e->pending_agents++;
        fill_answer(in, l.expires_s, port, secret, now_ms);
    }
    explicit_bzero(secret, sizeof(secret));
out:
    buf_release(&facts);
    lease_release(&l);
    return rc;
}

/* In place of the port it has. *port moves when that is not another's by now. */
static enum store_rc move_port(struct registering *in, struct lease *l, uint16_t next,
                               uint16_t *port)
{
    struct engine *e = in->e;
    struct store_conflict conflict;
    enum store_rc rc = store_savepoint(e->store);
    if (rc == STORE_OK)
        rc = set_listen(e, l, next) == 0
                 ? store_lease_set(e->store, l, quarantine_s(e), &in->by, &conflict)
                 : STORE_FAIL;
    if (rc != STORE_OK && rc != STORE_CONFLICT)
        return rc;
    e->no_kept_ports = false;
    if (rc == STORE_OK)
        *port = next;
    return store_savepoint_end(e->store, rc == STORE_OK);
}

/* An expired lease comes back: its port is its own again, or, where that is another's by now,
 * another one. STORE_NONE: there is none. */
static enum store_rc take_port_back(struct registering *in, uint16_t *port, uint16_t *home)
{
    struct engine *e = in->e;
    struct store_conflict conflict;
    struct lease l = {0};
    uint16_t next = 0;
    enum store_rc rc = store_lease_by_id(e->store, in->agent.id, &l);
    if (rc == STORE_OK)
        rc = store_ports_take_back(e->store, &l, quarantine_s(e), in->now_s, &conflict);
    if (rc == STORE_CONFLICT) {
        *home = 0;
        rc = engine_knows_listeners(e) ? pick_port(e, in->now_s, &next) : STORE_NONE;
        if (rc == STORE_OK)
            rc = move_port(in, &l, next, port);
    }
    lease_release(&l);
    return rc == STORE_OK ? control_port_move_one(e, in->agent.id, &in->by) : rc;
}

/*
 * A foreign listener on the agent's port: another one meanwhile, and the old one is tried again at
 * the next register. *port is what it has; *home what it should have in place of it, or 0. Nothing
 * moves under a live tunnel: it would hold a permit that its lease no longer has, and be ended.
 */
static enum store_rc settle_port(struct registering *in, uint16_t *port, uint16_t *home)
{
    struct engine *e = in->e;
    struct lease l = {0};
    uint16_t wanted = *home != 0 ? *home : *port, next = wanted;

    bool foreign = engine_listens(e, wanted, SNAPSHOT_MS);
    if ((!foreign && wanted == *port) || e->listening.is_unknown)
        return STORE_OK;
    if (engine_may_have_session(e, in->agent.id))
        return STORE_OK;
    /* Its own listener may have gone since the look. */
    foreign = engine_listens(e, wanted, 0);
    if (!foreign && wanted == *port)
        return STORE_OK;
    if (foreign && wanted != *port && !engine_listens(e, *port, SNAPSHOT_MS))
        return STORE_OK; /* still: it keeps the one it was given in place of it */
    enum store_rc rc = foreign ? pick_port(e, in->now_s, &next) : STORE_OK;
    if (rc != STORE_OK)
        return rc == STORE_NONE ? STORE_OK : rc; /* none is free: the old one, and luck */
    rc = store_lease_by_id(e->store, in->agent.id, &l);
    if (rc == STORE_OK)
        rc = move_port(in, &l, next, port);
    lease_release(&l);
    /* Where the old one is another's by now, its quarantine being over, it stays where it is. */
    if (rc == STORE_OK)
        *home = foreign ? wanted : 0;
    return rc;
}

static enum store_rc register_known(struct registering *in, int64_t now_ms)
{
    struct engine *e = in->e;
    struct member *known = &in->agent;
    char secret[SECRET_TEXT_BYTES] = "";
    struct buf facts = {0};
    bool by_secret = in->asking.what == CREDENTIAL_SECRET;
    const uint16_t port_before = known->port;
    /* Before anything changes: a refused request leaves the port where it was. */
    const char *problem = collect_facts(in->r, &known->marks, &facts);
    enum store_rc rc = STORE_OK;
    if (problem != NULL) {
        rc = answer_error(in->answer, CONTROL_BAD_REQUEST, problem);
        goto out;
    }
    if (known->expires_s <= in->now_s)
        rc = take_port_back(in, &known->port, &known->marks.home_port);
    if (rc == STORE_NONE) {
        rc = answer_error(in->answer, CONTROL_NO_PORTS, no_ports_text);
        goto out;
    }
    if (rc == STORE_OK)
        rc = settle_port(in, &known->port, &known->marks.home_port);
    /* A reset is for one secret. For a lost answer the time goes on from the first. */
    if (rc == STORE_OK && !by_secret &&
        (!known->has_secret || known->marks.reissue.since == REISSUE_RESET))
        rc = begin_reissue(e, control_request_get(in->r, CONTROL_AGENT_ID), in->now_s,
                           &known->marks.reissue);
    if (rc != STORE_OK)
        goto out;
    const uint16_t home = known->marks.home_port;
    buf_clear(&facts);
    (void)collect_facts(in->r, &known->marks, &facts);
    if (buf_text(&facts) == NULL) {
        rc = STORE_FAIL;
        goto out;
    }
    if (by_secret) {
        (void)strlcpy(secret, control_request_get(in->r, CONTROL_CREDENTIAL), sizeof(secret));
    } else {
        secret_make(secret); /* in place of one that was never used, or was reset */
        secret_hash(secret, known->secret_hash);
        known->has_secret = true;
    }
    known->secret_used = by_secret;
    if (in->asking.what == CREDENTIAL_ENROLS && in->asking.token.id != 0)
        rc = store_token_use(e->store, in->asking.token.id);
    if (in->asking.token.id != 0)
        known->token_id = in->asking.token.id;
    known->expires_s = known->lease_expires_s = end_of(e, known, in->now_s);
    const struct agent_update u = {.secret_hash = by_secret ? NULL : known->secret_hash,
                                   .secret_used = known->secret_used,
                                   .token_id = known->token_id,
                                   .facts = buf_text(&facts),
                                   .heartbeat_ms = now_ms,
                                   .expires_s = known->expires_s};
    if (rc == STORE_OK)
        rc = store_agent_update(e->store, known->id, &u);
    if (rc == STORE_OK) {
        fill_answer(in, known->expires_s, known->port, secret, now_ms);
        in->answer->port_changed_from = home != 0 ? home : port_before;
        if (in->answer->port_changed_from == known->port)
            in->answer->port_changed_from = 0;
    }
out:
    explicit_bzero(secret, sizeof(secret));
    buf_release(&facts);
    return rc;
}

/* A new pair in place of the old one, for an agent whose key was made here before. STORE_NONE: it
 * was not. */
static enum store_rc replace_key(struct registering *in)
{
    struct engine *e = in->e;
    struct store_conflict conflict;
    struct lease l = {0};
    struct lease_key key = {.pub = in->key, .added_s = in->now_s};
    if (!in->agent.marks.issued)
        return STORE_NONE;
    enum store_rc rc = store_lease_by_id(e->store, in->agent.id, &l);
    if (rc == STORE_OK)
        rc = store_key_add(e->store, &l, &key, &in->by, &conflict);
    /* A request ends nobody's session: the key of the live one goes at the next time. */
    const struct session *live = engine_session_of(e, in->agent.id);
    for (size_t i = 0; rc == STORE_OK && i < l.key_count; i++)
        if (live == NULL || strcmp(live->fingerprint, l.keys[i].pub.fingerprint) != 0)
            rc = store_key_remove(e->store, &l, l.keys[i].pub.fingerprint, &in->by);
    lease_release(&l);
    return rc;
}

/* Whether the key is one of the agent's; STORE_NONE: it is not. */
static enum store_rc check_key(struct registering *in)
{
    struct member *m = &in->agent;
    if (strcmp(m->fingerprint, in->key.fingerprint) == 0)
        return STORE_OK;
    enum store_rc rc = store_agent_has_key(in->e->store, m->id, in->key.fingerprint);
    if (rc == STORE_OK)
        (void)strlcpy(m->fingerprint, in->key.fingerprint, sizeof(m->fingerprint));
    return rc;
}

static enum store_rc decide_register(struct engine *e, struct queued *q, int64_t now_ms,
                                     struct control_answer *a)
{
    const struct control_request *r = &q->request;
    const char *name = control_request_get(r, CONTROL_AGENT_ID);
    const char *key_text = control_request_get(r, CONTROL_PUBLIC_KEY);
    struct registering in = {.e = e,
                             .r = r,
                             .issued = q->private_key != NULL,
                             .by = {.who = "agent", .source = r->address, .now_s = engine_now_s()},
                             .answer = a,
                             .now_s = engine_now_s()};

    if (lease_name_problem(name) != NULL)
        return answer_error(
            a, CONTROL_BAD_REQUEST,
            "agent_id is no name: 1 to 64 of A-Z a-z 0-9 . _ @ -, not first - or .");
    /* Where keys are issued, one that comes without was found to be nobody who gets one. */
    bool keyless = *key_text == '\0';
    if (keyless && !e->conf.issue_keys)
        return answer_error(a, CONTROL_BAD_REQUEST,
                            "public_key is missing (this gateway issues no keys)");
    const char *problem = keyless ? NULL : pubkey_parse_file(key_text, strlen(key_text), &in.key);
    if (problem != NULL)
        return answer_error(a, CONTROL_BAD_REQUEST, problem);

    enum store_rc rc = roster_find(&e->roster, e->store, name, &in.agent);
    bool known = rc == STORE_OK && !in.agent.revoked;
    bool revoked = rc == STORE_OK && in.agent.revoked && in.agent.is_agent;
    if (rc != STORE_OK && rc != STORE_NONE)
        return rc;
    rc = judge_credential(e, r, known ? &in.agent : NULL, in.now_s, &in.asking);
    if (rc != STORE_OK)
        return rc;
    /* Its own secret says who it is still, and so it may know. */
    bool own_secret =
        revoked && in.agent.has_secret && secret_equal(in.agent.secret_hash, in.asking.hash);
    if (in.asking.what == CREDENTIAL_NONE && !own_secret)
        return refuse_credential(e, r, &in.asking, NULL, a);
    if (revoked)
        return answer_error(a, CONTROL_REVOKED, "this agent was revoked");
    if (keyless)
        return refuse_credential(e, r, &in.asking, known ? &in.agent : NULL, a);
    const char *bind_host = control_request_get(r, CONTROL_BIND_HOST);
    if (!binds_as_told(e, bind_host))
        return refuse_bind_host(e, bind_host, a);
    if (!known) {
        rc = store_agent_key_is_barred(e->store, e->conf.agent_login, in.key.fingerprint);
        if (rc == STORE_OK)
            return answer_error(a, CONTROL_REVOKED, "the key is that of a revoked agent");
        if (rc != STORE_NONE)
            return rc;
        return register_new(&in, now_ms);
    }
    if (!in.agent.is_agent)
        return answer_error(a, CONTROL_CONFLICT,
                            "the name is taken by a lease that an admin granted: choose another "
                            "agent_id");
    /* A stolen enrolment key and the victim's public key must change nothing of the victim. */
    bool speaks = false;
    rc = speaks_for(e, name, &in.agent, &in.asking, &speaks);
    if (rc != STORE_OK)
        return rc;
    if (!speaks)
        return refuse_credential(e, r, &in.asking, &in.agent, a);
    rc = get_marks(e, &in.agent);
    if (in.issued) /* its keys change, also where it is refused below */
        roster_forget(&e->roster, name);
    if (rc == STORE_OK)
        rc = in.issued ? replace_key(&in) : check_key(&in);
    if (rc == STORE_NONE)
        return answer_error(
            a, CONTROL_CONFLICT,
            "this agent_id is registered with another key: a copied machine needs an "
            "agent_id of its own, a new key 'leasectl key add'");
    if (rc != STORE_OK)
        return rc;
    if (in.agent.fixed_end && in.agent.expires_s <= in.now_s)
        return answer_error(a, CONTROL_EXPIRED,
                            "the lease has ended, and an admin fixed that end: 'leasectl renew'");
    rc = register_known(&in, now_ms);
    if (rc != STORE_OK || a->code != CONTROL_OK) {
        roster_forget(&e->roster, name);
        return rc;
    }
    q->lease_id = in.agent.id;
    if (!in.issued)
        roster_put(&e->roster, name, &in.agent);
    return STORE_OK;
}

/* ---- heartbeat ---- */

/* Written down, where that is best; the agent's ends are what they are from now on. */
static enum store_rc write_beat(struct engine *e, struct member *m, int64_t now_ms,
                                int64_t expires_s)
{
    const struct beat beat = {.lease_id = m->id, .heartbeat_ms = now_ms, .expires_s = expires_s};
    const int64_t clock_ms = clock_monotonic_ms();
    m->expires_s = expires_s;
    if (beats_take(&e->beats, m->lease_expires_s, &beat, clock_ms))
        return beats_add(&e->beats, e->store, &beat, clock_ms);
    m->lease_expires_s = expires_s;
    return store_agent_beat(e->store, m->id, now_ms, expires_s);
}

/* A listener that is there, on the port of an agent with a session that nobody knows to be dead. */
static uint8_t tunnel_of(struct engine *e, const struct member *agent)
{
    if (engine_session_of(e, agent->id) == NULL)
        return e->is_blind ? CONTROL_TUNNEL_UNKNOWN : CONTROL_TUNNEL_DOWN;
    /* A session that was just opened binds its port a moment later, so "no" is asked again. */
    if (engine_listens(e, agent->port, SNAPSHOT_MS) || engine_listens(e, agent->port, FRESH_MS))
        return CONTROL_TUNNEL_UP;
    return e->listening.is_unknown ? CONTROL_TUNNEL_UNKNOWN : CONTROL_TUNNEL_DOWN;
}

static enum store_rc decide_heartbeat(struct engine *e, struct queued *q, int64_t now_ms,
                                      struct control_answer *a)
{
    const struct control_request *r = &q->request;
    const char *name = control_request_get(r, CONTROL_AGENT_ID);
    struct member agent;
    struct asking asking;
    int64_t now_s = engine_now_s();

    if (lease_name_problem(name) != NULL)
        return answer_error(a, CONTROL_BAD_REQUEST, "agent_id is no name");
    enum store_rc rc = roster_find(&e->roster, e->store, name, &agent);
    if (rc != STORE_OK && rc != STORE_NONE)
        return rc;
    bool known = rc == STORE_OK && agent.is_agent;
    enum store_rc cred_rc =
        judge_credential(e, r, known && !agent.revoked ? &agent : NULL, now_s, &asking);
    if (cred_rc != STORE_OK)
        return cred_rc;
    if (known && agent.revoked && agent.has_secret && secret_equal(agent.secret_hash, asking.hash))
        return answer_error(a, CONTROL_REVOKED, "this agent was revoked");
    bool speaks = asking.what != CREDENTIAL_NONE;
    if (known && !agent.revoked)
        rc = speaks_for(e, name, &agent, &asking, &speaks);
    if (rc != STORE_OK && rc != STORE_NONE)
        return rc;
    if (!speaks)
        return refuse_credential(e, r, &asking, known && !agent.revoked ? &agent : NULL, a);
    if (!known)
        return answer_error(a, CONTROL_NOT_FOUND, "there is no such agent: register first");
    if (agent.revoked)
        return answer_error(a, CONTROL_REVOKED, "this agent was revoked");
    if (agent.expires_s <= now_s)
        return answer_error(a, CONTROL_GONE,
                            agent.fixed_end ? "the lease has ended, and an admin fixed that end"
                                            : "the lease has expired: register again");
    int64_t expires_s = end_of(e, &agent, now_s);
    rc = write_beat(e, &agent, now_ms, expires_s);
    if (rc == STORE_OK && asking.what == CREDENTIAL_SECRET && !agent.secret_used) {
        rc = store_agent_secret_used(e->store, agent.id);
        agent.secret_used = true;
    }
    if (rc != STORE_OK)
        return rc;
    roster_put(&e->roster, name, &agent);
    q->lease_id = agent.id;
    a->code = CONTROL_OK;
    (void)strlcpy(a->agent_id, name, sizeof(a->agent_id));
    a->port_b = agent.port;
    a->lease_expires_s = expires_s;
    a->tunnel = tunnel_of(e, &agent);
    metrics_set_last_heartbeat(&e->metrics, now_s);
    return STORE_OK;
}

enum store_rc request_decide(struct engine *e, struct queued *q, int64_t now_ms,
                             struct control_answer *ret)
{
    return q->request.action == CONTROL_REGISTER ? decide_register(e, q, now_ms, ret)
                                                 : decide_heartbeat(e, q, now_ms, ret);
}

bool request_wants_key(struct engine *e, const struct control_request *r)
{
    const char *name = control_request_get(r, CONTROL_AGENT_ID);
    struct member agent;
    struct asking asking;
    if (e->lost.is_on || r->action != CONTROL_REGISTER || !e->conf.issue_keys ||
        *control_request_get(r, CONTROL_PUBLIC_KEY) != '\0' || lease_name_problem(name) != NULL)
        return false;
    enum store_rc rc = roster_refresh(&e->roster, e->store);
    if (rc == STORE_OK)
        rc = roster_find(&e->roster, e->store, name, &agent);
    bool known = rc == STORE_OK && !agent.revoked;
    if (rc != STORE_OK && rc != STORE_NONE)
        return false;
    /* Nobody without a good credential makes us start a program. */
    if ((rc == STORE_OK && agent.revoked) ||
        judge_credential(e, r, known ? &agent : NULL, engine_now_s(), &asking) != STORE_OK)
        return false;
    bool speaks = asking.what != CREDENTIAL_NONE;
    return (!known || speaks_for(e, name, &agent, &asking, &speaks) == STORE_OK) && speaks;
}
