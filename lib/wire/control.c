/* SPDX-License-Identifier: ISC */
#include "lib/wire/control.h"

#include "lib/base/text.h"
#include "lib/lease/time_text.h"
#include "lib/wire/document.h"

#include <arpa/inet.h>
#include <bsd/string.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

const char *control_action_name(enum control_action action)
{
    static const char *const names[CONTROL_ACTION__MAX] = {
        [CONTROL_REGISTER] = "register", [CONTROL_HEARTBEAT] = "heartbeat",
        [CONTROL_HEALTH] = "healthz",    [CONTROL_VERSION] = "version",
        [CONTROL_METRICS] = "metrics",   [CONTROL_PAGE] = "page",
        [CONTROL_STATUS] = "status",     [CONTROL_READY] = "ready",
        [CONTROL_JOIN] = "join",         [CONTROL_REFUSED] = "http"};
    return action > 0 && action < CONTROL_ACTION__MAX ? names[action] : "unknown";
}

const char *control_list_name(enum control_list list)
{
    static const char *const names[CONTROL_LIST__MAX] = {[CONTROL_LIST_LEASES] = "leases",
                                                         [CONTROL_LIST_AGENTS] = "agents",
                                                         [CONTROL_LIST_SESSIONS] = "sessions",
                                                         [CONTROL_LIST_AUDIT] = "audit"};
    return names[list];
}

/* ---- packets ---- */

void control_request_init(struct control_request *r, enum control_action action)
{
    memset(r, 0, offsetof(struct control_request, text));
    r->action = (uint32_t)action;
    r->text[0] = '\0'; /* all fields that are not set point here */
    r->text_bytes = 1;
}

int control_request_set(struct control_request *r, enum control_field field, const char *value,
                        size_t len)
{
    if (len >= (size_t)CONTROL_TEXT_BYTES - r->text_bytes || memchr(value, '\0', len) != NULL)
        return -1;
    memcpy(r->text + r->text_bytes, value, len);
    r->text[r->text_bytes + len] = '\0';
    r->at[field] = r->text_bytes;
    r->text_bytes = (uint16_t)(r->text_bytes + len + 1);
    return 0;
}

const char *control_request_get(const struct control_request *r, enum control_field field)
{
    return r->text + r->at[field];
}

size_t control_request_bytes(const struct control_request *r)
{
    return offsetof(struct control_request, text) + r->text_bytes;
}

/* Limits, log and audit compare addresses as text, so each address must have one spelling. */
bool control_address_is_plain(const char *address)
{
    unsigned char binary[sizeof(struct in6_addr)];
    char again[CONTROL_ADDRESS_BYTES];
    for (int i = 0; i < 2; i++) {
        int family = i == 0 ? AF_INET : AF_INET6;
        if (inet_pton(family, address, binary) == 1)
            return inet_ntop(family, binary, again, sizeof(again)) != NULL &&
                   strcmp(address, again) == 0;
    }
    return false;
}

static bool is_text(const char *s)
{
    size_t len;
    while ((len = text_char_bytes(s)) > 0)
        s += len;
    return *s == '\0';
}

bool control_action_is_agents(enum control_action action)
{
    return action == CONTROL_REGISTER || action == CONTROL_HEARTBEAT;
}

/* What only requests on MetricsListen or on the join socket may have. */
static const char *listener_problem(const struct control_request *r)
{
    const bool is_page = r->action == CONTROL_PAGE || r->action == CONTROL_STATUS;
    const bool is_join = r->action == CONTROL_JOIN;
    const char *filter = control_request_get(r, CONTROL_FILTER);
    const bool is_agents = control_action_is_agents((enum control_action)r->action);
    if (r->on_metrics_listen == 0 && (is_page || (r->peer_port != 0 && !is_agents)))
        return "a request for the page from elsewhere than MetricsListen";
    if (r->on_metrics_listen == 0 && !is_join && r->peer_uid != 0)
        return "a user from elsewhere than a unix socket that tells it";
    if (is_join ? r->on_metrics_listen != 0 || r->peer_pid <= 0 || r->address[0] != '\0'
                : r->peer_pid != 0 || r->wants_json != 0 || r->lease_only != 0)
        return "what only a request on the join socket has, or not all of it";
    if (strlen(filter) > CONTROL_FILTER_BYTES || !is_text(filter) ||
        (*filter != '\0' && r->action != CONTROL_STATUS))
        return "an invalid filter";
    for (size_t i = 0; i < CONTROL_LIST__MAX; i++)
        if (r->offsets[i] > CONTROL_OFFSET_MAX ||
            (r->offsets[i] != 0 && r->action != CONTROL_STATUS))
            return "an invalid offset";
    return NULL;
}

const char *control_request_problem(const struct control_request *r, size_t len)
{
    if (len < offsetof(struct control_request, text) + 1 || len > sizeof(*r))
        return "a packet of a wrong size";
    if (r->text_bytes == 0 || r->text_bytes > CONTROL_TEXT_BYTES ||
        control_request_bytes(r) != len || r->text[r->text_bytes - 1] != '\0')
        return "texts that do not fill the packet";
    for (size_t i = 0; i < CONTROL_FIELD__MAX; i++)
        if (r->at[i] >= r->text_bytes)
            return "a field outside the packet";
    if (r->action == 0 || r->action >= CONTROL_ACTION__MAX)
        return "an unknown action";
    if (memchr(r->address, '\0', sizeof(r->address)) == NULL)
        return "an address without an end";
    if (r->address[0] != '\0' && !control_address_is_plain(r->address))
        return "an invalid address";
    if (r->on_metrics_listen > 1 || r->is_admitted > r->on_metrics_listen || r->wants_json > 1 ||
        r->lease_only > 1)
        return "a flag that is neither 0 nor 1";
    const char *problem = listener_problem(r);
    if (problem != NULL)
        return problem;
    if (r->counter.number < 0 || r->counter.number > AGENT_COUNTER_MAX)
        return "an invalid counter";
    const bool is_report = r->action == CONTROL_REFUSED;
    if (is_report != (r->count > 0) || is_report != (r->code != CONTROL_OK) ||
        r->code >= CONTROL_CODE__MAX)
        return "an invalid report of refusals";
    return NULL;
}

size_t control_answer_bytes(const struct control_answer *a)
{
    return offsetof(struct control_answer, report) + a->report_bytes;
}

static bool has_end(const char *text, size_t bytes)
{
    return memchr(text, '\0', bytes) != NULL;
}

const char *control_answer_problem(const struct control_answer *a, size_t len)
{
    if (len < offsetof(struct control_answer, report) || a->report_bytes > CONTROL_REPORT_BYTES ||
        control_answer_bytes(a) != len || a->whole_bytes > CONTROL_WHOLE_BYTES ||
        (a->whole_bytes != 0 && (a->report_bytes == 0 || a->report_bytes > a->whole_bytes)))
        return "a packet of a wrong size";
    if (a->has_keys != 0 && memchr(a->report, '\0', a->report_bytes) == NULL)
        return "keys without an end";
    if (a->code >= CONTROL_CODE__MAX || a->action >= CONTROL_ACTION__MAX ||
        !has_end(a->error, sizeof(a->error)) || !has_end(a->agent_id, sizeof(a->agent_id)) ||
        !has_end(a->user, sizeof(a->user)) || !has_end(a->secret, sizeof(a->secret)))
        return "a malformed packet";
    return NULL;
}

static const struct {
    const char *name;
    int status;
} codes[CONTROL_CODE__MAX] = {
    [CONTROL_OK] = {"ok", 200},
    [CONTROL_BAD_REQUEST] = {"bad_request", 400},
    [CONTROL_UNAUTHORIZED] = {"unauthorized", 401},
    [CONTROL_FORBIDDEN] = {"forbidden", 403},
    [CONTROL_EXPIRED] = {"expired", 403},
    [CONTROL_REVOKED] = {"revoked", 403},
    [CONTROL_NOT_FOUND] = {"not_found", 404},
    [CONTROL_CONFLICT] = {"conflict", 409},
    [CONTROL_COPIED] = {"copied", 409},
    [CONTROL_GONE] = {"gone", 410},
    [CONTROL_TOO_LARGE] = {"too_large", 413},
    [CONTROL_UNSUPPORTED] = {"unsupported", 415},
    [CONTROL_RATE_LIMITED] = {"rate_limited", 429},
    [CONTROL_NO_PORTS] = {"no_ports", 503},
    [CONTROL_UNAVAILABLE] = {"unavailable", 503},
};

const char *control_code_name(enum control_code code)
{
    return codes[code].name;
}

enum control_code control_code_named(const char *name)
{
    int code = 0;
    while (code < CONTROL_CODE__MAX && strcmp(codes[code].name, name) != 0)
        code++;
    return (enum control_code)code;
}

int control_code_status(enum control_code code)
{
    return codes[code].status;
}

/* ---- requests ---- */

static const struct {
    const char *name;
    enum control_field field;
    const char *wrong; /* the problem if it is not a string, or too long */
} text_fields[] = {
    {"agent_id", CONTROL_AGENT_ID, "agent_id is not a string, or is too long"},
    {"public_key", CONTROL_PUBLIC_KEY, "public_key is not a string, or is too long"},
    {"hostname", CONTROL_HOSTNAME, "hostname is not a string, or is too long"},
    {"user", CONTROL_USER, "user is not a string, or is too long"},
    {"target", CONTROL_TARGET, "target is not a string, or is too long"},
    {"reverse_bind_host", CONTROL_BIND_HOST, "reverse_bind_host is not a string, or is too long"},
};

enum { TEXT_MAX = 4096 };

static int set_text(struct control_request *r, enum control_field field, const json_t *value)
{
    if (!json_is_string(value) || json_string_length(value) > TEXT_MAX)
        return -1;
    return control_request_set(r, field, json_string_value(value), json_string_length(value));
}

static const char *parse_host_keys(const json_t *list, struct control_request *r)
{
    static const char wrong[] = "host_keys is not a list of at most 8 public keys";
    struct buf keys = {0};
    size_t i;
    const json_t *key;
    const char *problem = NULL;
    if (!json_is_array(list) || json_array_size(list) > CONTROL_HOST_KEYS_MAX)
        return wrong;
    json_array_foreach(list, i, key)
    {
        if (!json_is_string(key) || json_string_length(key) > TEXT_MAX ||
            strpbrk(json_string_value(key), "\r\n") != NULL)
            problem = wrong;
        else
            buf_addf(&keys, "%s\n", json_string_value(key));
    }
    if (problem == NULL && (buf_text(&keys) == NULL ||
                            control_request_set(r, CONTROL_HOST_KEYS,
                                                keys.data != NULL ? keys.data : "", keys.len) != 0))
        problem = wrong;
    buf_release(&keys);
    return problem;
}

/* A counter of 0 is that of an agent that was told none yet. */
static const char *parse_counter(const json_t *object, struct agent_counter *ret)
{
    const json_t *number = json_object_get(object, "counter");
    const json_t *nonce = json_object_get(object, "nonce");
    struct agent_counter counter = {.number = 0};
    if (number == NULL || json_is_null(number))
        return nonce == NULL || json_is_null(nonce) ? NULL : "nonce is there without counter";
    if (!json_is_integer(number) || json_integer_value(number) < 0 ||
        json_integer_value(number) > AGENT_COUNTER_MAX)
        return "counter is not a whole number from 0 to 2^53 - 1";
    if (!json_is_string(nonce) || strlen(json_string_value(nonce)) != json_string_length(nonce) ||
        !agent_nonce_parse(json_string_value(nonce), counter.nonce))
        return "nonce is not 32 hexadecimal digits";
    counter.number = json_integer_value(number);
    *ret = counter;
    return NULL;
}

static const char *parse_object(const json_t *object, struct control_request *r)
{
    const json_t *value = json_object_get(object, "action");
    const char *action = json_string_value(value);
    if (action != NULL && strcmp(action, "register") == 0)
        r->action = CONTROL_REGISTER;
    else if (action != NULL && strcmp(action, "heartbeat") == 0)
        r->action = CONTROL_HEARTBEAT;
    else
        return "action is neither \"register\" nor \"heartbeat\"";
    for (size_t i = 0; i < sizeof(text_fields) / sizeof(text_fields[0]); i++) {
        value = json_object_get(object, text_fields[i].name);
        if (value != NULL && !json_is_null(value) && set_text(r, text_fields[i].field, value) != 0)
            return text_fields[i].wrong;
    }
    value = json_object_get(object, "api_key");
    if (value != NULL && !json_is_null(value)) {
        if (!json_is_string(value))
            return "api_key is not a string";
        if (*control_request_get(r, CONTROL_CREDENTIAL) == '\0' &&
            set_text(r, CONTROL_CREDENTIAL, value) != 0)
            return "api_key is too long";
    }
    value = json_object_get(object, "port_b");
    if (value != NULL && !json_is_null(value)) {
        json_int_t port = json_is_integer(value) ? json_integer_value(value) : -1;
        if (port < 1 || port > UINT16_MAX)
            return "port_b is not a number from 1 to 65535";
        r->port_b = (uint16_t)port;
    }
    value = json_object_get(object, "host_keys");
    if (value != NULL && !json_is_null(value)) {
        const char *problem = parse_host_keys(value, r);
        if (problem != NULL)
            return problem;
    }
    if (*control_request_get(r, CONTROL_AGENT_ID) == '\0')
        return "agent_id is missing";
    return parse_counter(object, &r->counter);
}

const char *control_parse(const char *body, size_t len, struct control_request *ret)
{
    json_t *object;
    const char *problem = document_parse(body, len, &object);
    if (problem == NULL)
        problem = parse_object(object, ret);
    json_decref(object);
    return problem;
}

/* ---- answers ---- */

static json_t *host_key_list(const struct control_site *site)
{
    json_t *list = json_array();
    for (size_t i = 0; i < CONTROL_HOST_KEYS_MAX && site->host_keys[i][0] != '\0'; i++)
        (void)json_array_append_new(list, json_string(site->host_keys[i]));
    return list;
}

/* Writes the members of an object without its braces. */
enum { MEMBERS = JSON_COMPACT | JSON_EMBED };

static bool is_same_site(const struct control_site *a, const struct control_site *b)
{
    size_t i = 0;
    if (memcmp(a, b, offsetof(struct control_site, host_keys)) != 0)
        return false;
    while (i < CONTROL_HOST_KEYS_MAX && a->host_keys[i][0] != '\0' &&
           strcmp(a->host_keys[i], b->host_keys[i]) == 0)
        i++;
    return i == CONTROL_HOST_KEYS_MAX || (a->host_keys[i][0] == '\0' && b->host_keys[i][0] == '\0');
}

/* Formats the members that are the same in every answer, host keys above all: they are most of it.
 */
static int update_cache(struct control_site_cache *cache, const struct control_site *site)
{
    if (cache->members.len > 0 && is_same_site(&cache->site, site))
        return 0;
    memcpy(&cache->site, site,
           sizeof(cache->site)); /* first: engine may change the page meanwhile */
    (void)snprintf(cache->hint, sizeof(cache->hint), "ssh -J %s%s%s -p ", cache->site.jump_user,
                   cache->site.jump_user[0] != '\0' ? "@" : "", cache->site.ssh_host);
    buf_clear(&cache->members);
    return document_write(
        json_pack(
            "{s:s,s:s,s:i,s:o,s:o,s:s,s:s,s:I,s:o}", "ssh_user", cache->site.ssh_user, "ssh_host",
            cache->site.ssh_host, "ssh_port", (int)cache->site.ssh_port, "control_port",
            cache->site.control_port != 0 ? json_integer(cache->site.control_port) : json_null(),
            "jump_user", document_text_or_null(cache->site.jump_user), "jump_host",
            cache->site.ssh_host, "reverse_bind_host", cache->site.reverse_bind_host,
            "heartbeat_interval_seconds", (json_int_t)cache->site.heartbeat_interval_s,
            "gateway_host_keys", host_key_list(&cache->site)),
        MEMBERS, &cache->members);
}

/*
 * The other members are written one by one. Thousands of answers a second are formatted, and
 * building a json_t object first would take several times as long.
 */
static void add_name(struct buf *out, const char *name)
{
    buf_add(out, out->len > 0 && out->data[out->len - 1] == '{' ? "\"" : ",\"");
    buf_add(out, name);
    buf_add(out, "\":");
}

static int add_text(struct buf *out, const char *name, const char *value)
{
    add_name(out, name);
    return document_add_text(out, value);
}

static void add_number(struct buf *out, const char *name, int64_t value)
{
    add_name(out, name);
    buf_addf(out, "%" PRId64, value);
}

static int add_keys(struct buf *out, const struct control_answer *a)
{
    const size_t public_bytes = strnlen(a->report, a->report_bytes) + 1;
    struct buf private = {0};
    int rc = add_text(out, "public_key", a->report);
    if (public_bytes >= a->report_bytes)
        return rc;
    buf_add_mem(&private, a->report + public_bytes, a->report_bytes - public_bytes);
    if (rc == 0)
        rc = buf_text(&private) != NULL ? add_text(out, "private_key", private.data) : -1;
    if (private.data != NULL)
        explicit_bzero(private.data, private.len);
    buf_release(&private);
    return rc;
}

static int add_register(struct buf *out, const struct control_answer *a,
                        const struct control_site_cache *cache)
{
    char expires[TIME_TEXT_BYTES], hint[sizeof(cache->hint) + 64];
    time_format_rfc3339(a->lease_expires_s, expires);
    (void)snprintf(hint, sizeof(hint), "%s%u %s%slocalhost", cache->hint, a->port_b, a->user,
                   a->user[0] != '\0' ? "@" : "");
    add_number(out, "lease_ttl_seconds", a->lease_ttl_s);
    add_number(out, "reconnect_after_ms", a->reconnect_after_ms);
    if (a->port_changed_from != 0)
        add_number(out, "port_changed_from", a->port_changed_from);
    if (add_text(out, "lease_expires_at", expires) != 0 || add_text(out, "connect_hint", hint) != 0)
        return -1;
    if (a->secret[0] == '\0') {
        add_name(out, "agent_secret");
        buf_add(out, "null");
    } else if (add_text(out, "agent_secret", a->secret) != 0) {
        return -1;
    }
    if (a->has_keys != 0 && add_keys(out, a) != 0)
        return -1;
    buf_add(out, ",");
    buf_add_mem(out, cache->members.data, cache->members.len);
    return 0;
}

static const char *tunnel_name(uint8_t tunnel)
{
    return tunnel == CONTROL_TUNNEL_UP ? "up" : tunnel == CONTROL_TUNNEL_DOWN ? "down" : "unknown";
}

static int add_heartbeat(struct buf *out, const struct control_answer *a)
{
    char expires[TIME_TEXT_BYTES];
    time_format_rfc3339(a->lease_expires_s, expires);
    return add_text(out, "lease_expires_at", expires) == 0
               ? add_text(out, "tunnel", tunnel_name(a->tunnel))
               : -1;
}

static int add_answer(struct buf *out, const struct control_answer *a,
                      const struct control_site_cache *cache)
{
    if (a->code != CONTROL_OK)
        return add_text(out, "error", a->error) == 0
                   ? add_text(out, "code", control_code_name((enum control_code)a->code))
                   : -1;
    if (a->action != CONTROL_REGISTER && a->action != CONTROL_HEARTBEAT)
        return add_text(out, "version", TUNLEASE_VERSION);
    if (add_text(out, "agent_id", a->agent_id) != 0)
        return -1;
    add_number(out, "port_b", a->port_b);
    if (a->counter != 0)
        add_number(out, "counter", a->counter);
    return a->action == CONTROL_REGISTER ? add_register(out, a, cache) : add_heartbeat(out, a);
}

int control_format(const struct control_answer *a, const struct control_site *site,
                   struct control_site_cache *cache, struct buf *out)
{
    if (a->report_bytes > 0 && a->has_keys == 0) {
        buf_add_mem(out, a->report, a->report_bytes);
        return out->failed ? -1 : 0;
    }
    if (a->code == CONTROL_OK && a->action == CONTROL_REGISTER && update_cache(cache, site) != 0)
        return -1;
    buf_add(out, "{");
    if (add_answer(out, a, cache) != 0)
        return -1;
    buf_add(out, "}");
    return out->failed ? -1 : 0;
}

void control_site_cache_release(struct control_site_cache *cache)
{
    buf_release(&cache->members);
}
