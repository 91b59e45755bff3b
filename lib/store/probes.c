/* SPDX-License-Identifier: ISC */
#include "lib/store/probes.h"

#include "lib/lease/lease.h"
#include "lib/store/changes.h"
#include "lib/store/lease_add.h"
#include "lib/store/leases.h"
#include "lib/store/statement.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const char name_prefix[] = "verify-";
enum { NAME_DIGITS = 8 };

void probe_name_format(uint32_t random, char out[static PROBE_NAME_BYTES])
{
    (void)snprintf(out, PROBE_NAME_BYTES, "%s%08" PRIx32, name_prefix, random);
}

bool probe_name_begins(const char *text)
{
    const size_t prefix_len = sizeof(name_prefix) - 1;
    return strncmp(text, name_prefix, prefix_len) == 0 &&
           strspn(text + prefix_len, "0123456789abcdef") == NAME_DIGITS &&
           strchr(" \r\n", text[prefix_len + NAME_DIGITS]) != NULL;
}

enum store_rc store_probe_add(struct store *st, const struct lease *l, int64_t quarantine_s,
                              const struct store_actor *by, struct store_conflict *ret_conflict)
{
    int64_t id;
    return add_lease(st, "grant", l->id, l, quarantine_s, by, &id, ret_conflict);
}

enum store_rc store_probes_abandoned(struct store *st, int64_t now_s,
                                     int64_t ret_ids[static PROBES_AT_ONCE], size_t *ret_count)
{
    enum store_rc rc;
    size_t count = 0;
    sqlite3_stmt *s = statement_get(st, STMT_PROBES_ABANDONED);
    if (s == NULL)
        return STORE_FAIL;
    bind_int(s, ":before_s", now_s - PROBE_ABANDONED_S);
    bind_int(s, ":limit", PROBES_AT_ONCE);
    while (count < PROBES_AT_ONCE && (rc = statement_step(st, s)) == STORE_OK)
        ret_ids[count++] = sqlite3_column_int64(s, 0);
    statement_done(s);
    if (count < PROBES_AT_ONCE && rc != STORE_NONE)
        return rc;
    *ret_count = count;
    return STORE_OK;
}

enum store_rc store_probes_delete(struct store *st, const int64_t ids[], size_t count,
                                  const struct store_actor *by)
{
    enum store_rc rc = STORE_OK;
    for (size_t i = 0; rc == STORE_OK && i < count; i++) {
        struct lease l = {.id = 0};
        rc = store_lease_by_id(st, ids[i], &l);
        if (rc == STORE_OK)
            rc = store_lease_delete(st, &l, false, by);
        rc = rc == STORE_NONE ? STORE_OK : rc;
        lease_release(&l);
    }
    return rc;
}
