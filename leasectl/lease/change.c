/* SPDX-License-Identifier: ISC */
#include "leasectl/lease/change.h"

#include "leasectl/rehearsal/rehearsal.h"
#include "leasectl/show/lease.h"
#include "lib/base/text.h"
#include "lib/store/leases.h"
#include "lib/store/transaction.h"

#include <inttypes.h>
#include <stdio.h>

int change_lease(struct ctl *ctl, const char *ref, change_fn apply, void *ctx,
                 struct lease *ret_before)
{
    const struct store_actor by = ctl_actor(ctl);
    enum store_rc rc = store_begin(ctl->store);
    if (rc != STORE_OK)
        return ctl_store_error(ctl, rc);
    int code = ctl_find_lease(ctl, ref, ret_before);
    if (code == EXIT_DONE)
        code = apply(ctl, ret_before, &by, ctx);
    if (code == EXIT_DONE) {
        rc = rehearsal_commit(ctl);
        if (rc != STORE_OK)
            code = ctl_store_error(ctl, rc);
    }
    store_rollback(ctl->store);
    return code;
}

int change_refuse_revoked(struct ctl *ctl, const struct lease *l)
{
    return ctl_error(ctl, EXIT_CONFLICT,
                     "'%s' (#%" PRId64 ") is revoked, which is final: 'leasectl grant %s' gives a "
                     "new lease",
                     l->name, l->id, l->name);
}

int change_print(struct ctl *ctl, int64_t id, const char *message)
{
    return change_print_item(ctl, id, message, NULL);
}

int change_print_item(struct ctl *ctl, int64_t id, const char *message, size_t *items)
{
    struct lease now = {0};
    ctl_changed(ctl, "%s", message);
    if (!ctl->json) {
        text_print(stdout, "%s", message);
        return EXIT_DONE;
    }
    enum store_rc rc = store_lease_by_id(ctl->store, id, &now);
    int code = rc != STORE_OK  ? ctl_store_error(ctl, rc)
               : items != NULL ? lease_print_item(ctl, &now, items)
                               : lease_print(ctl, &now);
    lease_release(&now);
    return code;
}
