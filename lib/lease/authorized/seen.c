/* SPDX-License-Identifier: ISC */
#include "lib/lease/authorized/seen.h"

#include "lib/base/hash.h"
#include "lib/lease/authorized/allows.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST_ROOM = 64 };

struct authorized_seen_key {
    char fingerprint[FINGERPRINT_BYTES]; /* "": an empty place */
    bool is_authority;
    struct authorized_earlier first;
};

static struct authorized_seen_key *find(const struct authorized_seen *seen, const char *fingerprint,
                                        bool is_authority)
{
    size_t at = hash_add(seen->seed, fingerprint, strlen(fingerprint)) & (seen->room - 1);
    while (seen->keys[at].fingerprint[0] != '\0' &&
           (seen->keys[at].is_authority != is_authority ||
            strcmp(seen->keys[at].fingerprint, fingerprint) != 0))
        at = (at + 1) & (seen->room - 1);
    return &seen->keys[at];
}

/* Keeps at least half of the places empty. */
static bool make_room(struct authorized_seen *seen)
{
    if (seen->room > 0 && seen->count < seen->room / 2)
        return true;
    struct authorized_seen more = {.room = seen->room == 0 ? FIRST_ROOM : seen->room * 2};
    more.seed = (uint64_t)arc4random() << 32 | arc4random();
    more.keys = calloc(more.room, sizeof(*more.keys));
    if (more.keys == NULL)
        return false;
    for (size_t i = 0; i < seen->room; i++)
        if (seen->keys[i].fingerprint[0] != '\0')
            *find(&more, seen->keys[i].fingerprint, seen->keys[i].is_authority) = seen->keys[i];
    more.count = seen->count;
    free(seen->keys);
    *seen = more;
    return true;
}

static bool is_final(const struct authorized_earlier *e)
{
    return !e->has_condition && e->expires_s == 0;
}

bool authorized_seen_add(struct authorized_seen *seen, const struct authorized_line *l,
                         unsigned long line_no, int64_t now_s,
                         struct authorized_earlier *ret_earlier)
{
    bool is_authority = l->kind == AUTHORIZED_AUTHORITY;
    struct authorized_earlier none = {.line_no = 0}, own = {.line_no = line_no};
    if ((l->kind != AUTHORIZED_KEY && !is_authority) || authorized_line_is_over(l, now_s)) {
        *ret_earlier = none;
        return true;
    }
    if (!make_room(seen))
        return false;
    own.has_condition = l->from != NULL || l->principals != NULL;
    own.expires_s = l->expires_text == NULL ? 0 : l->expires_s;
    struct authorized_seen_key *k = find(seen, l->key.fingerprint, is_authority);
    *ret_earlier = k->first;
    if (k->fingerprint[0] == '\0') {
        memcpy(k->fingerprint, l->key.fingerprint, sizeof(k->fingerprint));
        k->is_authority = is_authority;
        k->first = own;
        seen->count++;
    } else if (!is_final(&k->first) && is_final(&own)) {
        k->first = own;
    }
    return true;
}

void authorized_seen_release(struct authorized_seen *seen)
{
    free(seen->keys);
    *seen = (struct authorized_seen){.keys = NULL};
}
