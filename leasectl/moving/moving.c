/* SPDX-License-Identifier: ISC */
#include "leasectl/moving/moving.h"

#include "leasectl/ctl_store.h"
#include "leasectl/moving/keys.h"
#include "lib/base/clock.h"
#include "lib/base/hash.h"
#include "lib/lease/made_name.h"
#include "lib/store/changes.h"
#include "lib/store/invites.h"
#include "lib/store/leases.h"
#include "lib/store/login.h"
#include "lib/store/taken.h"
#include "lib/store/transaction.h"

#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    LINES_AT_ONCE = 1500, /* read, checked and committed together */
    ROWS_AT_ONCE = 5000,  /* of the store, in one transaction; one line may have 1,100 */
    YIELD_MS = 25,        /* between two transactions: a waiting leased tries each 20 ms */
    PROGRESS_MS = 200,
    NAMES_MAX = 1000000,
};

/* ---- what is there already ---- */

static int refuse_or_fail(const struct moving *m, enum store_rc rc)
{
    return rc == STORE_OK || rc == STORE_NONE ? EXIT_DONE : ctl_store_error(m->ctl, rc);
}

/* One key has one lease. So of its lines only the first can be kept, also where sshd gets to
 * others: from addresses that the first does not name, or after its end. */
static int check_repeated(struct moving *m, struct move *line)
{
    struct authorized_earlier earlier;
    if (!authorized_seen_add(&m->seen, &line->today, line->line, m->terms.now_s, &earlier))
        return ctl_error(m->ctl, EXIT_FAILED, "out of memory");
    if (earlier.line_no == 0)
        return EXIT_DONE;
    if (earlier.has_condition)
        move_refuse(line, MOVE_REFUSED,
                    "its key is in line %lu, which names addresses: one key has one lease, and "
                    "this line is for all others",
                    earlier.line_no);
    else
        move_refuse(line, MOVE_REPEATED, "its key is in line %lu, which sshd takes%s",
                    earlier.line_no, earlier.expires_s != 0 ? " until that is over" : "");
    return EXIT_DONE;
}

/* Adds permits and sources as the store has them. */
static void add_terms(const struct lease *l, struct buf *out)
{
    permit_list_format(&l->open, out);
    buf_add(out, " | ");
    permit_list_format(&l->listen, out);
    buf_add(out, " | ");
    source_list_format(&l->from, out);
}

static bool same_terms(const struct lease *a, const struct lease *b)
{
    struct buf text_a = {0}, text_b = {0};
    add_terms(a, &text_a);
    add_terms(b, &text_b);
    bool same = buf_text(&text_a) != NULL && buf_text(&text_b) != NULL &&
                strcmp(buf_text(&text_a), buf_text(&text_b)) == 0;
    buf_release(&text_a);
    buf_release(&text_b);
    return same;
}

/* The key's lease is there: this very one, or another. */
static int compare_holder(struct moving *m, struct move *line, const struct store_conflict *holder)
{
    struct lease there = {0};
    enum store_rc rc = store_lease_by_id(m->ctl->store, holder->lease_id, &there);
    if (rc != STORE_OK)
        return ctl_store_error(m->ctl, rc);
    if (lease_state_at(&there, m->terms.now_s) != LEASE_ACTIVE)
        move_refuse(line, MOVE_CONFLICT,
                    "its key holds the expired lease '%s' (#%" PRId64 "): 'leasectl renew %s'",
                    there.name, there.id, there.name);
    else if (!same_terms(&there, &line->lease))
        move_refuse(line, MOVE_CONFLICT,
                    "its key holds the lease '%s' (#%" PRId64 "), which opens something else",
                    there.name, there.id);
    else {
        move_refuse(line, MOVE_THERE, "its key holds this lease already");
        (void)snprintf(line->lease.name, sizeof(line->lease.name), "%s", there.name);
        line->lease.id = there.id;
        line->lease.expires_s = there.expires_s;
    }
    lease_release(&there);
    return EXIT_DONE;
}

static int check_key(struct moving *m, struct move *line)
{
    const char *fingerprint = line->today.key.fingerprint;
    struct store_conflict holder;
    enum store_rc rc =
        store_key_holder(m->ctl->store, m->terms.login, fingerprint, m->terms.now_s, &holder);
    if (rc == STORE_OK)
        return compare_holder(m, line, &holder);
    if (rc == STORE_NONE)
        rc = store_key_was_held(m->ctl->store, m->terms.login, fingerprint);
    if (rc == STORE_OK)
        move_refuse(line, MOVE_CONFLICT,
                    "its key had a lease here that was revoked: 'leasectl grant' lets it in again");
    return refuse_or_fail(m, rc);
}

/* In a dry run the ports of the lines before are not in the store. */
static bool is_port_of_earlier_line(const struct moving *m, const struct permit_list *listen,
                                    unsigned *ret_port)
{
    for (size_t i = 0; m->port_lines != NULL && i < listen->count; i++)
        for (unsigned port = listen->items[i].low; port <= listen->items[i].high; port++)
            if (m->port_lines[port] != 0) {
                *ret_port = port;
                return true;
            }
    return false;
}

static int check_ports(struct moving *m, struct move *line)
{
    struct store_conflict holder;
    unsigned port;
    enum store_rc rc = STORE_NONE;
    if (is_port_of_earlier_line(m, &line->lease.listen, &port))
        move_refuse(line, MOVE_CONFLICT,
                    "port %u is that of line %" PRIu32 ": a port has one lease", port,
                    m->port_lines[port]);
    else if (m->ctl->store != NULL)
        rc = store_ports_holder(m->ctl->store, line->lease.name, &line->lease.listen,
                                m->quarantine_s, m->terms.now_s, &holder);
    if (rc == STORE_OK)
        move_refuse(line, MOVE_CONFLICT, "port %u %s the lease '%s' (#%" PRId64 ")", holder.port,
                    holder.expired ? "is kept for" : "is held by", holder.lease, holder.lease_id);
    return refuse_or_fail(m, rc);
}

/* ---- names ---- */

static enum store_rc is_name_free(const struct moving *m, const char *name)
{
    struct lease there = {0};
    uint64_t unused;
    if (text_map_get(&m->names, name, &unused))
        return STORE_NONE;
    if (m->ctl->store == NULL)
        return STORE_OK;
    int64_t invite;
    enum store_rc rc = store_lease_by_name(m->ctl->store, name, &there);
    const bool taken = rc == STORE_OK && there.revoked_s == 0;
    lease_release(&there);
    if (rc == STORE_OK || rc == STORE_NONE)
        rc = store_invite_of_name(m->ctl->store, name, m->terms.now_s, &invite);
    if (rc == STORE_OK || rc == STORE_NONE)
        return taken || rc == STORE_OK ? STORE_NONE : STORE_OK;
    return rc;
}

/* What makes an exported line the second key of a lease: all but the key is the same. */
static uint64_t hash_terms(const struct lease *l)
{
    struct buf text = {0};
    add_terms(l, &text);
    buf_addf(&text, " | %" PRId64, l->expires_s);
    const uint64_t hash = buf_text(&text) != NULL ? hash_add(text.len, text.data, text.len) | 1 : 0;
    buf_release(&text);
    return hash;
}

/* m->names has of each lease of this run what hash_terms gives, if akc printed its line. */
static int find_first_key(struct moving *m, struct move *line)
{
    struct lease there = {0};
    const char *name = line->today.comment;
    uint64_t hash = 0;
    if (!line->is_ours)
        return EXIT_DONE;
    if (text_map_get(&m->names, name, &hash) && m->dry_run)
        line->is_second_key = hash == hash_terms(&line->lease);
    enum store_rc rc =
        m->ctl->store != NULL ? store_lease_by_name(m->ctl->store, name, &there) : STORE_NONE;
    if (rc == STORE_OK && there.revoked_s == 0 && there.key_count < LEASE_KEYS_MAX &&
        strcmp(there.login, m->terms.login) == 0 && there.expires_s == line->lease.expires_s &&
        same_terms(&there, &line->lease)) {
        line->is_second_key = true;
        line->lease.id = there.id;
    }
    if (line->is_second_key)
        (void)snprintf(line->lease.name, sizeof(line->lease.name), "%s", name);
    lease_release(&there);
    return refuse_or_fail(m, rc);
}

/*
 * Names the lease after the comment, and with a number where that is taken. m->numbers has the
 * last number of each name, since all lines of a file may have the same comment.
 */
static int choose_name(struct moving *m, struct move *line)
{
    char base[LEASE_NAME_BYTES], *name = line->lease.name;
    const char *comment = line->today.comment;
    uint64_t number = 0;
    enum store_rc rc;
    made_name(comment, strlen(comment), base);
    if (base[0] == '\0')
        made_name_numbered("imported", line->line, base);
    (void)text_map_get(&m->numbers, base, &number);
    do {
        (void)snprintf(name, LEASE_NAME_BYTES, "%s", base);
        if (++number > 1)
            made_name_numbered(base, number, name);
        rc = is_name_free(m, name);
    } while (rc == STORE_NONE && number < NAMES_MAX);
    if (rc != STORE_OK)
        return ctl_store_error(m->ctl, rc);
    if (number > 1)
        buf_addf(&line->notes, "the name '%s' is taken: it is '%s'\n", base, name);
    else if (strcmp(base, comment) != 0)
        buf_addf(&line->notes, "its name is made of its comment: '%s'\n", name);
    line->renamed = number > 1;
    if (text_map_set(&m->numbers, base, number) != 0 ||
        text_map_set(&m->names, name, line->is_ours ? hash_terms(&line->lease) : 0) != 0)
        return ctl_error(m->ctl, EXIT_FAILED, "out of memory");
    return EXIT_DONE;
}

/* ---- one line ---- */

static void take_ports(struct moving *m, const struct move *line)
{
    for (size_t i = 0; m->port_lines != NULL && i < line->lease.listen.count; i++)
        for (unsigned port = line->lease.listen.items[i].low;
             port <= line->lease.listen.items[i].high; port++)
            m->port_lines[port] = (uint32_t)line->line;
}

static int store_line(struct moving *m, struct move *line)
{
    const struct store_actor by = ctl_actor(m->ctl);
    struct store_conflict conflict;
    enum { ROWS_OF_LEASE = 3 }; /* it, its key and its audit row */
    enum store_rc rc =
        line->is_second_key
            ? store_key_add(m->ctl->store, &line->lease, &line->lease.keys[0], &by, &conflict)
            : store_lease_import(m->ctl->store, &line->lease, m->file, line->line, m->quarantine_s,
                                 &by, &line->lease.id, &conflict);
    m->rows += ROWS_OF_LEASE;
    for (size_t i = 0; i < line->lease.listen.count; i++)
        m->rows += 1U + line->lease.listen.items[i].high - line->lease.listen.items[i].low;
    if (rc == STORE_CONFLICT)
        return ctl_error(m->ctl, EXIT_CONFLICT, "line %zu: '%s' is taken meanwhile: try again",
                         line->line, line->lease.name);
    return rc == STORE_OK ? EXIT_DONE : ctl_store_error(m->ctl, rc);
}

static int move_line(struct moving *m, struct move *line)
{
    const bool admits = line->today.kind == AUTHORIZED_KEY && line->result != MOVE_DEAD &&
                        line->result != MOVE_OVER;
    int code = admits ? check_repeated(m, line) : EXIT_DONE;
    if (code == EXIT_DONE && line->result == MOVE_LEASE && m->ctl->store != NULL)
        code = check_key(m, line);
    if (code == EXIT_DONE && line->result == MOVE_LEASE)
        code = find_first_key(m, line);
    if (code == EXIT_DONE && line->result == MOVE_LEASE && !line->is_second_key)
        code = choose_name(m, line);
    if (code == EXIT_DONE && line->result == MOVE_LEASE && !line->is_second_key)
        code = check_ports(m, line);
    if (code != EXIT_DONE || line->result != MOVE_LEASE)
        return code;
    if (line->is_second_key)
        buf_addf(&line->notes, "a key more of the lease '%s'\n", line->lease.name);
    take_ports(m, line);
    return m->dry_run ? EXIT_DONE : store_line(m, line);
}

/* ---- many lines ---- */

struct batch {
    struct move moves[LINES_AT_ONCE];
    size_t count;
    size_t reported;
};

static void report(struct moving *m, struct batch *b, size_t end)
{
    size_t leases = 0;
    for (; b->reported < end; b->reported++) {
        const struct move *line = &b->moves[b->reported];
        m->counts[line->result]++;
        m->second_keys += line->is_second_key ? 1 : 0;
        leases += line->result == MOVE_LEASE ? 1 : 0;
        m->report(m->ctx, line);
    }
    if (leases > 0 && !m->dry_run)
        ctl_changed(m->ctl, "imported %zu lines", m->counts[MOVE_LEASE]);
}

static int begin(struct moving *m)
{
    m->quarantine_s = ctl_quarantine_s(m->ctl);
    if (m->dry_run)
        return EXIT_DONE;
    m->rows = 0;
    enum store_rc rc = store_begin(m->ctl->store);
    return rc == STORE_OK ? EXIT_DONE : ctl_store_error(m->ctl, rc);
}

static int commit(struct moving *m, struct batch *b, size_t end)
{
    enum store_rc rc = m->dry_run ? STORE_OK : store_commit(m->ctl->store);
    if (rc != STORE_OK)
        return ctl_store_error(m->ctl, rc);
    report(m, b, end);
    if (m->leased_runs && m->rows > 0)
        (void)poll(NULL, 0, YIELD_MS);
    return EXIT_DONE;
}

static int move_batch(struct moving *m, struct batch *b)
{
    int code = moves_check_keys(m->ctl, b->moves, b->count);
    if (code == EXIT_DONE)
        code = begin(m);
    for (size_t i = 0; code == EXIT_DONE && i < b->count; i++) {
        code = move_line(m, &b->moves[i]);
        if (code == EXIT_DONE && m->rows >= ROWS_AT_ONCE && i + 1 < b->count) {
            code = commit(m, b, i + 1);
            if (code == EXIT_DONE)
                code = begin(m);
        }
    }
    if (code == EXIT_DONE)
        code = commit(m, b, b->count);
    if (!m->dry_run)
        store_rollback(m->ctl->store);
    return code;
}

static void show_progress(const struct moving *m, size_t done, int64_t *next_ms)
{
    if (isatty(STDERR_FILENO) != 1 || (done < m->lines && clock_monotonic_ms() < *next_ms))
        return;
    *next_ms = clock_monotonic_ms() + PROGRESS_MS;
    if (done < m->lines)
        (void)fprintf(stderr, "\r\033[K%zu of %zu lines", done, m->lines);
    else
        (void)fputs("\r\033[K", stderr);
}

static size_t count_lines(const char *text, size_t len)
{
    size_t lines = 0;
    for (const char *at = text, *end; at < text + len; at = end + 1, lines++) {
        end = memchr(at, '\n', (size_t)(text + len - at));
        if (end == NULL)
            return lines + 1;
    }
    return lines;
}

static int read_batch(const struct moving *m, struct batch *b, const char **at, const char *end,
                      size_t *number)
{
    b->count = b->reported = 0;
    while (b->count < LINES_AT_ONCE && *at < end) {
        const char *newline = memchr(*at, '\n', (size_t)(end - *at));
        const size_t len = (size_t)((newline != NULL ? newline : end) - *at);
        int rc = move_read(&m->terms, ++*number, *at, len, &b->moves[b->count++]);
        if (rc != 0)
            return ctl_error(m->ctl, EXIT_FAILED, "out of memory");
        *at += len + 1;
    }
    return EXIT_DONE;
}

int moving_run(struct moving *m, const char *text, size_t len)
{
    struct batch *b = calloc(1, sizeof(*b));
    const char *at = text;
    size_t number = 0;
    int64_t next_ms = clock_monotonic_ms() + PROGRESS_MS;
    int code = EXIT_DONE;

    m->lines = count_lines(text, len);
    m->leased_runs = !m->dry_run && ctl_leased_is_running(m->ctl);
    m->port_lines = m->dry_run ? calloc(UINT16_MAX + 1, sizeof(*m->port_lines)) : NULL;
    if (b == NULL || (m->dry_run && m->port_lines == NULL))
        code = ctl_error(m->ctl, EXIT_FAILED, "out of memory");
    while (code == EXIT_DONE && at < text + len) {
        code = read_batch(m, b, &at, text + len, &number);
        if (code == EXIT_DONE)
            code = move_batch(m, b);
        for (size_t i = 0; i < b->count; i++)
            move_release(&b->moves[i]);
        show_progress(m, number, &next_ms);
    }
    free(b);
    return code;
}

void moving_release(struct moving *m)
{
    authorized_seen_release(&m->seen);
    text_map_release(&m->names);
    text_map_release(&m->numbers);
    free(m->port_lines);
    m->port_lines = NULL;
}
