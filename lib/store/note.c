/* SPDX-License-Identifier: ISC */
#include "lib/store/note.h"

#include "lib/lease/lease.h"
#include "lib/store/audit.h"

#include <bsd/string.h>
#include <stddef.h>

static const char *first_fingerprint(const struct lease *l)
{
    return l->key_count > 0 ? l->keys[0].pub.fingerprint : "";
}

enum store_rc note_change(struct store *st, const struct store_actor *by, const char *action,
                          int64_t id, const struct lease *l, const char *fingerprint,
                          const char *detail)
{
    const struct audit_entry entry = {.action = action,
                                      .lease_id = id,
                                      .lease = l->name,
                                      .fingerprint =
                                          fingerprint != NULL ? fingerprint : first_fingerprint(l),
                                      .detail = detail};
    return audit_append(st, by, &entry);
}

enum store_rc store_note(struct store *st, const struct store_actor *by, const char *action,
                         int64_t lease_id, const char *lease, const char *detail)
{
    struct lease l = {.id = lease_id};
    (void)strlcpy(l.name, lease, sizeof(l.name));
    return note_change(st, by, action, lease_id, &l, "", detail);
}
