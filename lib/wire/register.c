/* SPDX-License-Identifier: ISC */
#include "lib/wire/register.h"

#include "lib/base/buf.h"
#include "lib/base/hex.h"
#include "lib/base/text.h"
#include "lib/lease/pubkey.h"
#include "lib/lease/time_text.h"
#include "lib/wire/document.h"
#include "lib/wire/fields.h"

#include <bsd/string.h>
#include <ctype.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static json_t *parse_body(const char *text, size_t len)
{
    json_t *root = NULL;
    if (len <= REGISTER_BODY_MAX)
        (void)document_parse(text, len, &root);
    return root;
}

static void set_text(json_t *object, const char *name, const char *text)
{
    if (text != NULL && text[0] != '\0')
        (void)json_object_set_new(object, name, json_string(text));
}

static void set_number(json_t *object, const char *name, int64_t number)
{
    if (number != 0)
        (void)json_object_set_new(object, name, json_integer(number));
}

/* Sets an array of the lines of text; nothing when there are none. */
static void set_lines(json_t *object, const char *name, const char *text)
{
    json_t *array = json_array();
    const char *rest = text, *line;
    int len;
    while ((line = text_next_line(&rest, &len)) != NULL)
        if (len > 0)
            (void)json_array_append_new(array, json_stringn(line, (size_t)len));
    if (json_array_size(array) > 0)
        (void)json_object_set(object, name, array);
    json_decref(array);
}

static void set_counter(json_t *object, const struct agent_counter *counter)
{
    char nonce[AGENT_NONCE_TEXT_BYTES];
    if (counter == NULL || counter->number == 0)
        return;
    hex_encode(counter->nonce, sizeof(counter->nonce), nonce);
    set_number(object, "counter", counter->number);
    set_text(object, "nonce", nonce);
}

int register_request_format(const struct register_request *r, struct buf *out)
{
    json_t *object = json_object();
    set_text(object, "action", "register");
    set_text(object, "agent_id", r->agent_id);
    set_text(object, "public_key", r->public_key);
    set_text(object, "hostname", r->hostname);
    set_text(object, "user", r->user);
    set_text(object, "target", r->target);
    set_text(object, "reverse_bind_host", r->reverse_bind_host);
    set_number(object, "port_b", r->port_b);
    set_lines(object, "host_keys", r->host_keys);
    set_counter(object, r->counter);
    return document_write(object, JSON_COMPACT, out);
}

int heartbeat_request_format(const char *agent_id, const struct agent_counter *counter,
                             struct buf *out)
{
    json_t *object = json_pack("{s:s,s:s}", "action", "heartbeat", "agent_id", agent_id);
    set_counter(object, counter);
    return document_write(object, JSON_COMPACT, out);
}

/* Strict, because it ends up among ssh's arguments. */
static bool is_host(const char *host)
{
    if (*host == '-' || *host == '\0')
        return false;
    for (; *host != '\0'; host++)
        if (!isalnum((unsigned char)*host) && strchr("._-:%*", *host) == NULL)
            return false;
    return true;
}

static const char *get_host_keys(const json_t *root, struct register_answer *ret)
{
    static const char problem[] = "has invalid host keys";
    const json_t *array = json_object_get(root, "gateway_host_keys"), *item;
    size_t i;
    if (array == NULL || json_is_null(array))
        return NULL;
    if (!json_is_array(array))
        return problem;
    json_array_foreach(array, i, item)
    {
        struct pubkey key;
        const char *text = json_string_value(item);
        if (ret->host_key_count == REGISTER_HOST_KEYS_MAX)
            return "has too many host keys";
        if (text == NULL || pubkey_parse_file(text, strlen(text), &key) != NULL)
            return problem;
        char **slot = &ret->host_keys[ret->host_key_count];
        if (asprintf(slot, "%s %s", key.type, key.base64) < 0) {
            *slot = NULL;
            return "does not fit in memory";
        }
        ret->host_key_count++;
    }
    return NULL;
}

static const char *parse_answer(const json_t *root, struct register_answer *a)
{
    enum { YEAR_S = 366 * 86400, DAY_MS = 86400000 };
    int64_t end_s;
    if (!fields_text(root, "agent_id", a->agent_id, sizeof(a->agent_id)) ||
        lease_name_problem(a->agent_id) != NULL)
        return "has no valid agent_id";
    if (!fields_port(root, "port_b", &a->port_b) || a->port_b == 0)
        return "has no valid port_b";
    if (!fields_port(root, "port_changed_from", &a->port_changed_from) ||
        !fields_port(root, "ssh_port", &a->ssh_port) ||
        !fields_port(root, "control_port", &a->control_port))
        return "has an invalid port";
    if (!fields_text(root, "ssh_user", a->ssh_user, sizeof(a->ssh_user)) ||
        login_name_problem(a->ssh_user) != NULL)
        return "has no valid ssh_user";
    if (!fields_text(root, "ssh_host", a->ssh_host, sizeof(a->ssh_host)) ||
        (a->ssh_host[0] != '\0' && !is_host(a->ssh_host)) ||
        !fields_text(root, "jump_host", a->jump_host, sizeof(a->jump_host)) ||
        (a->jump_host[0] != '\0' && !is_host(a->jump_host)) ||
        !fields_text(root, "reverse_bind_host", a->reverse_bind_host,
                     sizeof(a->reverse_bind_host)) ||
        (a->reverse_bind_host[0] != '\0' && !is_host(a->reverse_bind_host)))
        return "has an invalid host name";
    if (!fields_text(root, "jump_user", a->jump_user, sizeof(a->jump_user)) ||
        (a->jump_user[0] != '\0' && login_name_problem(a->jump_user) != NULL))
        return "has an invalid jump_user";
    if (!fields_text(root, "lease_expires_at", a->lease_expires_at, sizeof(a->lease_expires_at)) ||
        (a->lease_expires_at[0] != '\0' && time_parse(a->lease_expires_at, &end_s) != 0))
        return "has an invalid lease_expires_at";
    if (!fields_number(root, "lease_ttl_seconds", 100 * (int64_t)YEAR_S, &a->lease_ttl_seconds) ||
        !fields_number(root, "heartbeat_interval_seconds", YEAR_S,
                       &a->heartbeat_interval_seconds) ||
        !fields_number(root, "reconnect_after_ms", DAY_MS, &a->reconnect_after_ms) ||
        !fields_number(root, "counter", AGENT_COUNTER_MAX, &a->counter))
        return "has a number that is out of range";
    if (!fields_text(root, "agent_secret", a->agent_secret, sizeof(a->agent_secret)) ||
        !fields_text(root, "connect_hint", a->connect_hint, sizeof(a->connect_hint)))
        return "has a text that is too long or not printable";
    return get_host_keys(root, a);
}

const char *register_answer_parse(const char *text, size_t len, struct register_answer *ret)
{
    struct register_answer a = {.port_b = 0};
    json_t *root = parse_body(text, len);
    if (root == NULL)
        return "is not a JSON object";
    const char *problem = parse_answer(root, &a);
    json_decref(root);
    if (problem != NULL) {
        register_answer_release(&a);
        return problem;
    }
    if (a.ssh_port == 0)
        a.ssh_port = 22;
    *ret = a;
    return NULL;
}

void register_answer_release(struct register_answer *a)
{
    for (size_t i = 0; i < a->host_key_count; i++)
        free(a->host_keys[i]);
    *a = (struct register_answer){.port_b = 0};
}

const char *heartbeat_answer_parse(const char *text, size_t len, struct heartbeat_answer *ret)
{
    struct heartbeat_answer a = {.up = -1};
    char tunnel[16];
    int64_t end_s;
    const char *problem = NULL;
    json_t *root = parse_body(text, len);
    if (root == NULL)
        return "is not a JSON object";
    if (!fields_port(root, "port_b", &a.port_b) ||
        !fields_text(root, "lease_expires_at", a.lease_expires_at, sizeof(a.lease_expires_at)) ||
        (a.lease_expires_at[0] != '\0' && time_parse(a.lease_expires_at, &end_s) != 0) ||
        !fields_text(root, "tunnel", tunnel, sizeof(tunnel)) ||
        !fields_number(root, "counter", AGENT_COUNTER_MAX, &a.counter))
        problem = "has an invalid field";
    else if (strcmp(tunnel, "up") == 0 || strcmp(tunnel, "down") == 0)
        a.up = tunnel[0] == 'u';
    json_decref(root);
    if (problem == NULL)
        *ret = a;
    return problem;
}

void register_error_parse(const char *text, size_t len, struct register_error *ret)
{
    json_t *root = parse_body(text, len);
    const char *error = json_string_value(json_object_get(root, "error"));
    const char *code = json_string_value(json_object_get(root, "code"));
    ret->code = code != NULL ? control_code_named(code) : CONTROL_CODE__MAX;
    (void)strlcpy(ret->text, error != NULL ? error : "", sizeof(ret->text));
    json_decref(root);
}

int register_answer_format(const struct register_answer *a, struct buf *out)
{
    json_t *object = json_object(), *keys = json_array();
    set_text(object, "agent_id", a->agent_id);
    set_number(object, "port_b", a->port_b);
    set_number(object, "port_changed_from", a->port_changed_from);
    set_text(object, "ssh_user", a->ssh_user);
    set_text(object, "ssh_host", a->ssh_host);
    set_number(object, "ssh_port", a->ssh_port);
    set_number(object, "control_port", a->control_port);
    set_text(object, "jump_user", a->jump_user);
    set_text(object, "jump_host", a->jump_host);
    set_text(object, "reverse_bind_host", a->reverse_bind_host);
    set_text(object, "lease_expires_at", a->lease_expires_at);
    set_number(object, "lease_ttl_seconds", a->lease_ttl_seconds);
    set_number(object, "heartbeat_interval_seconds", a->heartbeat_interval_seconds);
    set_number(object, "reconnect_after_ms", a->reconnect_after_ms);
    for (size_t i = 0; i < a->host_key_count; i++)
        (void)json_array_append_new(keys, json_string(a->host_keys[i]));
    (void)json_object_set_new(object, "gateway_host_keys", keys);
    set_text(object, "connect_hint", a->connect_hint);
    if (document_write(object, JSON_INDENT(2), out) != 0)
        return -1;
    buf_add(out, "\n");
    return out->failed ? -1 : 0;
}

uint16_t register_old_port(const char *text, size_t len)
{
    uint16_t port = 0;
    json_t *root = parse_body(text, len);
    if (root != NULL && !fields_port(root, "port_b", &port))
        port = 0;
    json_decref(root);
    return port;
}
