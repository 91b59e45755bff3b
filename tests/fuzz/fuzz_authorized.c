/* SPDX-License-Identifier: ISC */
/*
 * Lines of authorized_keys: what is read is consistent, does not depend on blanks around the line
 * or on what stands behind a NUL, and its key, written in its one spelling, is the same key. That
 * sshd reads the same is shown by e2e/authorized_oracle.
 */
#include "lib/base/buf.h"
#include "lib/lease/authorized/allows.h"
#include "lib/lease/authorized/from.h"
#include "lib/lease/authorized/line.h"
#include "lib/lease/authorized/seen.h"
#include "lib/lease/authorized/words.h"

#include "tests/fuzz/fuzz.h"

static bool is_alive(const struct authorized_line *l)
{
    return l->kind == AUTHORIZED_KEY || l->kind == AUTHORIZED_AUTHORITY;
}

static bool same(const struct authorized_line *a, const struct authorized_line *b)
{
    struct buf words[2] = {{.data = NULL}, {.data = NULL}};
    authorized_add_words(a, &words[0]);
    authorized_add_words(b, &words[1]);
    bool equal = a->kind == b->kind && a->death == b->death && a->restricted == b->restricted &&
                 a->port_forwarding == b->port_forwarding && a->open.count == b->open.count &&
                 a->listen.count == b->listen.count &&
                 strcmp(buf_text(&words[0]), buf_text(&words[1])) == 0 &&
                 (!is_alive(a) || strcmp(a->key.base64, b->key.base64) == 0);
    buf_release(&words[0]);
    buf_release(&words[1]);
    return equal;
}

static void check_key(const struct authorized_line *l, const char *text)
{
    char line[sizeof(l->key) + 8];
    struct authorized_line again;
    MUST(fuzz_is_plain(l->key.type) && fuzz_is_plain(l->key.base64), text);
    MUST(strlen(l->key.fingerprint) == FINGERPRINT_BYTES - 1, text);
    MUST(fuzz_is_harmless(l->key.comment), text);
    int len = snprintf(line, sizeof(line), "%s %s", l->key.type, l->key.base64);
    MUST(authorized_line_read(line, (size_t)len, &again) == 0, text);
    MUST(again.kind == AUTHORIZED_KEY && !again.has_options, text);
    MUST(strcmp(again.key.fingerprint, l->key.fingerprint) == 0, text);
    MUST(strcmp(again.key.base64, l->key.base64) == 0, text);
    MUST(authorized_opens_any(&again) && authorized_listens_any(&again), text);
    authorized_line_release(&again);
}

static void check_permits(const struct authorized_line *l, const char *text)
{
    for (size_t i = 0; i < l->open.count; i++) {
        const struct authorized_permit *p = &l->open.items[i];
        unsigned port = p->port != 0 ? p->port : 4711;
        MUST(authorized_allows_open(l, p->host, port) == l->port_forwarding, text);
        MUST(!authorized_permit_is_void(p, false) || strcmp(p->host, "*") != 0, text);
    }
    for (size_t i = 0; i < l->listen.count; i++)
        MUST(!l->listen.items[i].bare || strcmp(l->listen.items[i].host, "*") == 0, text);
    MUST(l->open.count <= AUTHORIZED_PERMITS_MAX && l->listen.count <= AUTHORIZED_PERMITS_MAX,
         text);
    if (authorized_listens_any(l))
        MUST(authorized_allows_listen(l, "localhost", 1), text);
}

static void check_line(const char *line, size_t len, struct authorized_seen *seen,
                       unsigned long number)
{
    struct authorized_line l, again;
    struct authorized_earlier earlier;
    char *padded = malloc(len + 4);
    char *text = fuzz_text((const uint8_t *)line, len);
    MUST(padded != NULL && authorized_line_read(line, len, &l) == 0, text);
    MUST(authorized_seen_add(seen, &l, number, 1800000000, &earlier), text);
    MUST(earlier.line_no < number, text);
    MUST((l.kind == AUTHORIZED_DEAD) == (l.death != AUTHORIZED_ALIVE), text);
    if (l.kind == AUTHORIZED_DEAD)
        MUST(l.reason[0] != '\0' && fuzz_is_harmless(l.reason), text);
    if (is_alive(&l)) {
        check_key(&l, text);
        check_permits(&l, text);
        MUST(l.from == NULL || authorized_from_problem(l.from) == NULL, text);
        MUST(l.kind == AUTHORIZED_AUTHORITY || l.principals == NULL, text);
        MUST(l.has_options || (l.pty && l.port_forwarding && l.command == NULL), text);
    }
    /* A blank before it, and its newline. A mark counts at the very beginning of the text only. */
    padded[0] = ' ';
    memcpy(padded + 1, line, len);
    memcpy(padded + 1 + len, "\n", 2);
    MUST(authorized_line_read(padded, len + 2, &again) == 0 && same(&l, &again), text);
    authorized_line_release(&again);
    /* sshd sees no more than this. */
    MUST(authorized_line_read(text, strlen(text), &again) == 0 && same(&l, &again), text);
    authorized_line_release(&again);
    authorized_line_release(&l);
    free(padded);
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct authorized_seen seen = {.keys = NULL};
    const char *at = (const char *)data;
    unsigned long number = 0;
    while (size > 0) {
        const char *end = memchr(at, '\n', size);
        size_t len = end == NULL ? size : (size_t)(end - at);
        check_line(at, len, &seen, ++number);
        len += end != NULL;
        at += len;
        size -= len;
    }
    authorized_seen_release(&seen);
    return 0;
}
