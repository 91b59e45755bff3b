/* SPDX-License-Identifier: ISC */
#include "leasectl/lease/numbered.h"

#include "lib/base/number.h"
#include "lib/base/text.h"
#include "lib/store/transaction.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static void print_revoked(struct ctl *ctl, const struct numbered *kind, int64_t id,
                          const struct buf *stays)
{
    ctl_changed(ctl, "revoked %s #%" PRId64, kind->noun, id);
    if (ctl->json)
        (void)printf("{\"id\":%" PRId64 "}\n", id);
    else
        (void)printf("revoked %s #%" PRId64 "\n", kind->noun, id);
    if (stays->len > 0)
        ctl_warn(ctl, "%s", buf_text_or(stays, "out of memory"));
}

int numbered_revoke(struct ctl *ctl, const struct numbered *kind, const char *ref)
{
    const struct store_actor by = ctl_actor(ctl);
    struct buf stays = {0};
    int64_t id = 0;
    ref += ref[0] == '#' ? 1 : 0;
    if (!number_parse(ref, strlen(ref), 1, INT64_MAX, &id))
        return ctl_error(ctl, EXIT_USAGE, "'%s' is no %s's number: see 'leasectl %s list'",
                         text_clip(ref).s, kind->noun, kind->noun);
    int code = ctl_open_write(ctl);
    if (code != EXIT_DONE)
        return code;
    enum store_rc rc = store_begin(ctl->store);
    if (rc == STORE_OK && kind->stays != NULL)
        rc = kind->stays(ctl->store, id, &stays);
    if (rc == STORE_OK)
        rc = kind->revoke(ctl->store, id, &by);
    if (rc == STORE_OK)
        rc = store_commit(ctl->store);
    store_rollback(ctl->store);
    if (rc == STORE_OK)
        print_revoked(ctl, kind, id, &stays);
    else if (rc == STORE_NONE)
        code = ctl_error(ctl, EXIT_NO_SUCH, "there is no %s #%" PRId64, kind->noun, id);
    else
        code = ctl_store_error(ctl, rc);
    buf_release(&stays);
    return code;
}
