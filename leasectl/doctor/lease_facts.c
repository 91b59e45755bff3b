/* SPDX-License-Identifier: ISC */
/* What the checks of sshd must know of the leases: where they may be used from, and how many agents
 * there are. Read at once: while the store is open, leasectl is not root. */
#include "leasectl/ctl_store.h"
#include "leasectl/doctor/checks.h"
#include "lib/base/array.h"
#include "lib/store/agents.h"
#include "lib/store/connection.h"
#include "lib/store/leases.h"

#include <bsd/string.h>
#include <stdint.h>
#include <string.h>

static bool is_known(const struct doctor_run *d, const struct lease_source *s)
{
    for (size_t i = 0; i < d->source_count; i++)
        if (memcmp(&d->sources[i], s, sizeof(*s)) == 0)
            return true;
    return false;
}

static int add_sources(void *arg, const struct lease *l)
{
    enum { SOURCES_MAX = 1024 };
    struct doctor_run *d = arg;
    for (size_t i = 0; i < l->from.count; i++) {
        struct lease_source s;
        memset(&s, 0, sizeof(s)); /* is_known compares all bytes */
        (void)strlcpy(s.login, l->login, sizeof(s.login));
        s.source.family = l->from.items[i].family;
        s.source.prefix_bits = l->from.items[i].prefix_bits;
        memcpy(s.source.bytes, l->from.items[i].bytes, sizeof(s.source.bytes));
        if (is_known(d, &s))
            continue;
        struct lease_source *items =
            array_grow(d->sources, d->source_count, &d->source_cap, sizeof(*items), SOURCES_MAX);
        if (items == NULL) {
            d->sources_lost = true;
            return 0;
        }
        d->sources = items;
        items[d->source_count++] = s;
    }
    return 0;
}

static int count_agent(void *arg, const struct agent *a)
{
    struct doctor_run *d = arg;
    d->agents += a->is_agent && !a->revoked && a->expires_s > d->ctl->now_s;
    return 0;
}

void check_leases(struct doctor_run *d)
{
    const struct store_filter active = {.now_s = d->ctl->now_s, .before_s = INT64_MAX};
    char why[STORE_ERROR_BYTES];
    if (ctl_open_read_silently(d->ctl, why) != EXIT_DONE) /* check_store_content has reported it */
        return;
    if ((store_lease_list(d->ctl->store, &active, add_sources, d) != STORE_OK ||
         store_agent_list(d->ctl->store, false, count_agent, d) != STORE_OK) &&
        !d->store_reported) {
        doctor_report(d, RESULT_UNKNOWN, "store", "the leases were not read: %s",
                      store_error(d->ctl->store));
        doctor_why(d, "sshd is not asked about where they are used from, nor about their number");
        doctor_mend(d, "see what else is said of the store");
    }
    ctl_close(d->ctl);
}
