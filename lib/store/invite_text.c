/* SPDX-License-Identifier: ISC */
#include "lib/store/invite_text.h"

#include "lib/base/buf.h"
#include "lib/base/number.h"
#include "lib/lease/duration.h"
#include "lib/store/invite.h"

#include <bsd/string.h>
#include <string.h>

/* ---- formatting ---- */

static void add_number(struct buf *out, const char *key, int64_t value)
{
    if (value != 0)
        buf_addf(out, "%s %lld\n", key, (long long)value);
}

static void add_text(struct buf *out, const char *key, const char *value)
{
    if (value == NULL)
        out->failed = true;
    else if (*value != '\0')
        buf_addf(out, "%s %s\n", key, value);
}

void invite_text_format(const struct invite *i, struct buf *out)
{
    const struct lease *l = &i->terms;
    struct buf text = {0};
    add_number(out, "agent", i->is_agent ? 1 : 0);
    add_number(out, "replaces", i->replaces ? 1 : 0);
    add_text(out, "login", l->login);
    lease_open_format(l, &text);
    add_text(out, "open", buf_text(&text));
    buf_clear(&text);
    permit_list_format(&l->listen, &text);
    add_text(out, "listen", buf_text(&text));
    buf_clear(&text);
    source_list_format(&l->from, &text);
    add_text(out, "from", buf_text(&text));
    add_number(out, "max_sessions", l->max_sessions);
    add_number(out, "ttl_s", i->ttl_s);
    add_number(out, "end_s", i->ttl_s == 0 ? l->expires_s : 0);
    add_number(out, "fixed_end", l->fixed_end ? 1 : 0);
    add_text(out, "note", l->note);
    buf_release(&text);
}

void invite_text_format_spent(int64_t lease_id, const char *fingerprint, struct buf *out)
{
    add_number(out, "lease_id", lease_id);
    add_text(out, "fingerprint", fingerprint);
}

/* ---- parsing ---- */

/* The longest: what a lease opens, all that a lease may have. */
enum {
    LINE_BYTES = sizeof("listen ") + PERMIT_LIST_MAX * PERMIT_TEXT_BYTES +
                 LEASE_OPEN_AGENTS_MAX * (sizeof(LEASE_AGENT_PREFIX) + LEASE_NAME_BYTES)
};

static bool set_number(const char *value, int64_t max, int64_t *ret)
{
    return number_parse(value, strlen(value), 1, max, ret);
}

static bool set_flag(const char *value, bool *ret)
{
    *ret = strcmp(value, "1") == 0;
    return *ret;
}

static bool set_text(const char *value, const char *problem, char *out, size_t out_bytes)
{
    return problem == NULL && strlcpy(out, value, out_bytes) < out_bytes;
}

static bool set_max_sessions(const char *value, unsigned *ret)
{
    int64_t n;
    if (!set_number(value, LEASE_SESSIONS_LIMIT_MAX, &n))
        return false;
    *ret = (unsigned)n;
    return true;
}

static bool set_field(struct invite *i, const char *key, const char *value)
{
    struct lease *l = &i->terms;
    if (strcmp(key, "agent") == 0)
        return set_flag(value, &i->is_agent);
    if (strcmp(key, "replaces") == 0)
        return set_flag(value, &i->replaces);
    if (strcmp(key, "login") == 0)
        return set_text(value, login_name_problem(value), l->login, sizeof(l->login));
    if (strcmp(key, "open") == 0)
        return l->open.count == 0 && l->open_agent_count == 0 && lease_open_parse(value, l) == 0;
    if (strcmp(key, "listen") == 0)
        return l->listen.count == 0 && permit_list_parse(value, &l->listen) == 0;
    if (strcmp(key, "from") == 0)
        return source_list_parse(value, &l->from) == NULL;
    if (strcmp(key, "max_sessions") == 0)
        return set_max_sessions(value, &l->max_sessions);
    if (strcmp(key, "ttl_s") == 0)
        return set_number(value, (int64_t)DURATION_MAX_DAYS * 86400, &i->ttl_s);
    if (strcmp(key, "end_s") == 0)
        return set_number(value, INT64_MAX, &l->expires_s);
    if (strcmp(key, "fixed_end") == 0)
        return set_flag(value, &l->fixed_end);
    if (strcmp(key, "note") == 0)
        return set_text(value, free_text_problem(value), l->note, sizeof(l->note));
    if (strcmp(key, "lease_id") == 0)
        return set_number(value, INT64_MAX, &i->lease_id);
    if (strcmp(key, "fingerprint") == 0)
        return set_text(value, NULL, i->fingerprint, sizeof(i->fingerprint));
    return true;
}

bool invite_text_parse(const char *text, struct invite *i)
{
    char line[LINE_BYTES];
    while (*text != '\0') {
        const size_t len = strcspn(text, "\n");
        if (text[len] == '\0' || len >= sizeof(line))
            return false;
        memcpy(line, text, len);
        line[len] = '\0';
        text += len + 1;
        char *value = strchr(line, ' ');
        if (value == NULL)
            return false;
        *value++ = '\0';
        if (!set_field(i, line, value))
            return false;
    }
    /* Else a lease for nobody, or without an end, would come of it. */
    return i->terms.login[0] != '\0' && (i->ttl_s == 0) != (i->terms.expires_s == 0);
}
