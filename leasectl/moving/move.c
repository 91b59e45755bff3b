/* SPDX-License-Identifier: ISC */
#include "leasectl/moving/move.h"

#include "lib/base/text.h"
#include "lib/lease/duration.h"
#include "lib/lease/authorized/allows.h"
#include "lib/lease/authorized/line.h"
#include "lib/lease/authorized/words.h"
#include "lib/lease/keyline.h"
#include "lib/lease/time_text.h"

#include <bsd/string.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

const char *move_result_name(enum move_result result)
{
    static const char *const names[MOVE_RESULT__MAX] = {
        [MOVE_NOTHING] = "nothing", [MOVE_LEASE] = "lease",     [MOVE_THERE] = "there",
        [MOVE_DEAD] = "dead",       [MOVE_OVER] = "over",       [MOVE_REPEATED] = "repeated",
        [MOVE_CLOSED] = "closed",   [MOVE_REFUSED] = "refused", [MOVE_CONFLICT] = "conflict"};
    return names[result];
}

bool move_result_is_loss(enum move_result result)
{
    return result == MOVE_REFUSED || result == MOVE_CONFLICT;
}

void move_refuse(struct move *m, enum move_result result, const char *fmt, ...)
{
    va_list ap;
    m->result = result;
    buf_clear(&m->why);
    va_start(ap, fmt);
    buf_vaddf(&m->why, fmt, ap);
    va_end(ap);
}

/* ---- permits ---- */

static void format_written(const struct authorized_permit *p, char out[static PERMIT_TEXT_BYTES])
{
    const bool v6 = strchr(p->host, ':') != NULL;
    if (p->port == 0)
        (void)snprintf(out, PERMIT_TEXT_BYTES, "%s%s%s:*", v6 ? "[" : "", p->host, v6 ? "]" : "");
    else
        (void)snprintf(out, PERMIT_TEXT_BYTES, "%s%s%s:%u", v6 ? "[" : "", p->host, v6 ? "]" : "",
                       p->port);
}

/* A permit that allows something. */
static bool is_real(const struct authorized_permit *p, bool listen)
{
    return !authorized_permit_is_sentinel(p, listen) && !authorized_permit_is_void(p, listen);
}

/* Adds p to the list, where the port before it makes a range with it. False: the list is full. */
static bool add_permit(struct permit_list *list, const struct permit *p)
{
    struct permit *last = list->count > 0 ? &list->items[list->count - 1] : NULL;
    if (permit_list_has(list, p) || (last != NULL && permit_contains(last, p)))
        return true;
    if (last != NULL && strcmp(last->host, p->host) == 0 && last->high + 1 == p->low &&
        last->high - last->low + 1 < PERMIT_RANGE_PORTS) {
        last->high = p->high;
        return true;
    }
    return permit_list_add(list, p) == NULL;
}

/* A lease lets in both spellings of 127.0.0.1 that people type. */
static void note_other_spelling(struct move *m, const struct authorized_permit *p, bool listen)
{
    const char *other = strcmp(p->host, "localhost") == 0 ? "127.0.0.1" : "localhost";
    if (!(listen ? authorized_allows_listen(&m->today, other, p->port)
                 : authorized_allows_open(&m->today, other, p->port)))
        buf_addf(&m->notes, "-%c %s:%u is let in, too\n", listen ? 'R' : 'L', other, p->port);
}

/* Reads a permit into *ret. False: it cannot be kept, and m says why. */
static bool map_permit(struct move *m, const struct authorized_permit *written, bool listen,
                       struct permit *ret)
{
    const char *option = listen ? "permitlisten" : "permitopen";
    char text[PERMIT_TEXT_BYTES], kept[PERMIT_TEXT_BYTES];
    static char loopback[] = "127.0.0.1";
    struct authorized_permit p = *written;
    const bool any_host = strcmp(p.host, "*") == 0;

    format_written(&p, text);
    if (p.port == 0 || (any_host && !listen)) {
        move_refuse(m, MOVE_REFUSED, "%s %s: a lease names each host and port", option, text);
        return false;
    }
    if (any_host)
        p.host = loopback;
    format_written(&p, kept);
    const char *problem = permit_parse(kept, PERMIT_PORT, ret);
    if (problem != NULL) {
        move_refuse(m, MOVE_REFUSED, "%s %s: %s", option, text, problem);
        return false;
    }
    if (any_host)
        buf_addf(&m->lost, "-R %u on any address but 127.0.0.1\n", p.port);
    permit_format(ret, kept);
    if (permit_is_loopback4(ret) && !any_host)
        note_other_spelling(m, &p, listen);
    else if (!any_host && strcmp(text, kept) != 0)
        buf_addf(&m->notes, "%s must now be typed as %s\n", text, kept);
    return true;
}

/* The rule of the login's own that forbids a permit, whatever the ceiling of the configuration is.
 */
static bool is_built_in(const struct move_terms *t, bool listen)
{
    return strcmp(t->login, listen ? t->conf->forward_login : t->conf->agent_login) == 0;
}

/* Adds one permit to the lease. False: the line cannot be kept, and m says why. */
static bool keep_permit(const struct move_terms *t, struct move *m, const struct permit *p,
                        bool listen)
{
    struct permit_list *list = listen ? &m->lease.listen : &m->lease.open;
    const struct ceiling *ceiling = &t->conf->ceiling;
    const char *problem = listen ? ceiling_listen_problem(ceiling, t->login, p)
                                 : ceiling_open_problem(ceiling, t->login, p);
    char text[PERMIT_TEXT_BYTES];
    permit_format(p, text);
    if (problem != NULL && is_built_in(t, listen)) {
        buf_addf(&m->lost, "-%c %s: %s\n", listen ? 'R' : 'L', text, problem);
        return true;
    }
    const char *keyword = listen ? "AllowListen" : "AllowOpen";
    if (problem != NULL && !ceiling_rule_would_help(problem))
        move_refuse(m, MOVE_REFUSED, "-%c %s: %s", listen ? 'R' : 'L', text, problem);
    else if (problem != NULL)
        move_refuse(m, MOVE_REFUSED, "-%c %s: %s: add '%s %s' to the configuration, or the like",
                    listen ? 'R' : 'L', text, problem, keyword, text);
    else if (!add_permit(list, p))
        move_refuse(m, MOVE_REFUSED, "it has more permits than a lease may have");
    return m->result == MOVE_LEASE;
}

static bool map_direction(const struct move_terms *t, struct move *m, bool listen)
{
    const struct authorized_permits *permits = listen ? &m->today.listen : &m->today.open;
    struct permit p;
    for (size_t i = 0; i < permits->count; i++)
        if (is_real(&permits->items[i], listen) &&
            (!map_permit(m, &permits->items[i], listen, &p) || !keep_permit(t, m, &p, listen)))
            return false;
    return true;
}

/* All that the line opens is lost. */
static void refuse_empty(struct move *m, const char *login)
{
    const char *rest = buf_text(&m->lost), *clause;
    int len;
    move_refuse(m, MOVE_REFUSED, "nothing that it opens may be opened on login '%s':", login);
    for (const char *before = " "; (clause = text_next_line(&rest, &len)) != NULL; before = "; ")
        buf_addf(&m->why, "%s%.*s", before, len, clause);
}

static void map_permits(const struct move_terms *t, struct move *m)
{
    const struct authorized_line *today = &m->today;
    if (!today->port_forwarding) {
        move_refuse(m, MOVE_CLOSED, "it opens no port%s",
                    today->forwarding_undone ? ": what stands behind port-forwarding takes it back"
                                             : "");
        return;
    }
    /* On ForwardLogin no permitlisten is kept, so none can make the line unkeepable. */
    if (is_built_in(t, true) && today->listen.count > 0)
        for (size_t i = 0; i < today->listen.count; i++) {
            char text[PERMIT_TEXT_BYTES];
            format_written(&today->listen.items[i], text);
            if (is_real(&today->listen.items[i], true))
                buf_addf(&m->lost, "-R %s: on ForwardLogin nothing may listen\n", text);
        }
    else if (!map_direction(t, m, true))
        return;
    if (!map_direction(t, m, false))
        return;
    if (authorized_listens_any(today))
        buf_add(&m->lost, "any -R\n");
    if (authorized_opens_any(today) && m->lease.listen.count > 0)
        buf_add(&m->lost, "any -L\n");
    else if (authorized_opens_any(today))
        move_refuse(m, MOVE_REFUSED,
                    "%sany -L is open, and a lease names each host and port: add "
                    "permitopen=\"HOST:PORT\" to the line, or 'leasectl grant'",
                    !today->has_options && authorized_comment_has_options(today)
                        ? "its options stand behind the key, where they do nothing: "
                        : "");
    else if (m->lease.open.count + m->lease.listen.count == 0 && m->lost.len > 0)
        refuse_empty(m, t->login);
    else if (m->lease.open.count + m->lease.listen.count == 0)
        move_refuse(m, MOVE_CLOSED, "it opens no port");
}

/* ---- who, from where, until when ---- */

static void map_source(struct move *m)
{
    if (m->today.from == NULL)
        return;
    const char *problem = source_list_parse(m->today.from, &m->lease.from);
    if (problem != NULL)
        move_refuse(m, MOVE_REFUSED, "from=\"%s\": %s", text_clip(m->today.from).s, problem);
}

static void note_given_end(const struct move_terms *t, struct move *m)
{
    char text[DURATION_TEXT_BYTES];
    duration_format(t->expires_s - t->now_s, text);
    buf_addf(&m->notes, "had no end: ends in %s; --for gives another\n", text);
}

/* The lease must not outlive the line, nor MaxTTL. */
static void map_end(const struct move_terms *t, struct move *m)
{
    const int64_t end_s = m->today.expires_s;
    const int64_t most_s = t->conf->max_ttl_s != 0 ? t->now_s + t->conf->max_ttl_s : INT64_MAX;
    m->lease.expires_s = t->expires_s;
    if (end_s == 0) {
        note_given_end(t, m);
        return;
    }
    m->lease.fixed_end = true;
    m->lease.expires_s = end_s < most_s ? end_s : most_s;
    if (m->lease.expires_s > TIME_MAX_S)
        m->lease.expires_s = TIME_MAX_S;
    if (end_s > most_s)
        buf_add(&m->lost, "the time after MaxTTL\n");
}

static void note_the_rest(struct move *m)
{
    const struct authorized_line *l = &m->today;
    if (l->command != NULL)
        buf_add(&m->notes, "its command is replaced by nologin\n");
    else
        buf_add(&m->notes, "commands are refused\n");
    if (l->agent_forwarding)
        buf_add(&m->notes, "agent forwarding is refused\n");
    if (l->x11_forwarding)
        buf_add(&m->notes, "X11 forwarding is refused\n");
    if (l->pty)
        buf_add(&m->notes, "terminals are refused\n");
    if (l->tunnel != AUTHORIZED_TUNNEL_NONE)
        buf_add(&m->notes, "tun devices are refused\n");
}

static void map_key(const struct move_terms *t, struct move *m)
{
    struct lease_key key = {.pub = m->today.key, .added_s = t->now_s};
    if (m->today.key_problem != NULL)
        move_refuse(m, MOVE_REFUSED, "%s", m->today.key_problem);
    else if (m->today.touch_required != true && strncmp(key.pub.type, "sk-", 3) == 0)
        buf_add(&m->notes, "the key must be touched at each login\n");
    if (m->result == MOVE_LEASE && m->today.verify_required)
        move_refuse(m, MOVE_REFUSED,
                    "verify-required: a lease cannot ask the key for a PIN or a finger");
    else if (m->result == MOVE_LEASE && lease_add_key(&m->lease, &key) != 0)
        m->why.failed = true;
}

static void map_line(const struct move_terms *t, struct move *m)
{
    (void)strlcpy(m->lease.login, t->login, sizeof(m->lease.login));
    m->result = MOVE_LEASE;
    map_key(t, m);
    if (m->result == MOVE_LEASE)
        map_source(m);
    if (m->result == MOVE_LEASE)
        map_permits(t, m);
    if (m->result == MOVE_LEASE) {
        map_end(t, m);
        note_the_rest(m);
    }
}

/* Lines of akc are those of an export. Several with one name are the keys of one lease. */
static bool is_line_of_akc(const struct move *m, const char *line, size_t len)
{
    struct lease l = m->lease; /* borrows what it owns */
    struct buf text = {0};
    if (m->result != MOVE_LEASE || lease_name_problem(m->today.comment) != NULL)
        return false;
    (void)strlcpy(l.name, m->today.comment, sizeof(l.name));
    keyline_format(&l, &m->today.key, &text);
    const bool same =
        buf_text(&text) != NULL && text.len == len + 1 && memcmp(text.data, line, len) == 0;
    buf_release(&text);
    return same;
}

int move_read(const struct move_terms *terms, size_t number, const char *line, size_t len,
              struct move *ret)
{
    *ret = (struct move){.line = number};
    if (authorized_line_read(line, len, &ret->today) != 0)
        return -1;
    switch (ret->today.kind) {
    case AUTHORIZED_BLANK:
        break;
    case AUTHORIZED_DEAD:
        move_refuse(ret, MOVE_DEAD, "sshd passes over it: %s", ret->today.reason);
        break;
    case AUTHORIZED_AUTHORITY:
        move_refuse(ret, MOVE_REFUSED,
                    "cert-authority: whoever holds that key makes others at will, and a lease has "
                    "keys of its own");
        break;
    case AUTHORIZED_UNREAD:
        move_refuse(ret, MOVE_REFUSED, "%s", ret->today.reason);
        break;
    case AUTHORIZED_KEY:
        if (terms->is_zone_unknown && ret->today.expires_local)
            move_refuse(ret, MOVE_REFUSED,
                        "its end is in local time, and sshd's time zone is not known: write it in "
                        "UTC, with a Z (OpenSSH 9.1)");
        else if (authorized_line_is_over(&ret->today, terms->now_s))
            move_refuse(ret, MOVE_OVER, "it is over: expiry-time=\"%s\"", ret->today.expires_text);
        else
            map_line(terms, ret);
        break;
    }
    ret->is_ours = is_line_of_akc(ret, line, len);
    return ret->why.failed || ret->lost.failed || ret->notes.failed ? -1 : 0;
}

void move_release(struct move *m)
{
    authorized_line_release(&m->today);
    lease_release(&m->lease);
    buf_release(&m->why);
    buf_release(&m->lost);
    buf_release(&m->notes);
    *m = (struct move){.line = 0};
}

/* ---- in words ---- */

static void add_end(int64_t time_s, struct buf *out, size_t start)
{
    char text[TIME_TEXT_BYTES];
    time_format_local(time_s, text);
    authorized_add_word(out, start, "until %s", text);
}

void move_add_today(const struct move *m, struct buf *out)
{
    if (m->today.kind == AUTHORIZED_KEY)
        authorized_add_words(&m->today, out);
}

static void add_list(const struct permit_list *list, char flag, struct buf *out, size_t start)
{
    if (list->count == 0)
        return;
    authorized_add_word(out, start, "-%c ", flag);
    permit_list_format(list, out);
}

void move_add_lease(const struct move *m, struct buf *out)
{
    const size_t start = out->len;
    if (m->result != MOVE_LEASE && m->result != MOVE_THERE)
        return;
    add_list(&m->lease.open, 'L', out, start);
    add_list(&m->lease.listen, 'R', out, start);
    if (m->lease.from.count > 0) {
        authorized_add_word(out, start, "from ");
        source_list_format(&m->lease.from, out);
    }
    add_end(m->lease.expires_s, out, start);
}
