/* SPDX-License-Identifier: ISC */
/* Is the port of MetricsListen, with leased's page, closed to leases by more than leased itself? */
#include "leasectl/ctl_store.h"
#include "leasectl/doctor/checks.h"
#include "lib/base/buf.h"
#include "lib/lease/lease.h"
#include "lib/store/connection.h"
#include "lib/store/leases.h"

struct holders {
    const struct ceiling *ceiling;
    struct buf names, commands;
    size_t count;
};

static int add_holder(void *arg, const struct lease *l)
{
    enum { NAMED = 5 };
    struct holders *h = arg;
    for (size_t i = 0; i < l->open.count; i++) {
        char permit[PERMIT_TEXT_BYTES];
        if (!ceiling_reaches_page(h->ceiling, &l->open.items[i]) || l->open.items[i].from_agent ||
            h->count++ >= NAMED)
            continue;
        permit_format(&l->open.items[i], permit);
        buf_addf(&h->names, "%s%s (%s)", h->names.len > 0 ? ", " : "", l->name, permit);
        buf_addf(&h->commands, "%sleasectl set %s --open -%s", h->commands.len > 0 ? "; " : "",
                 l->name, permit);
    }
    return 0;
}

static void report_holders(struct doctor_run *d)
{
    const struct store_filter active = {.now_s = d->ctl->now_s, .before_s = INT64_MAX};
    struct holders h = {.ceiling = &d->ctl->conf.ceiling};
    char why[STORE_ERROR_BYTES];
    if (ctl_open_read_silently(d->ctl, why) != EXIT_DONE) /* check_store_content has reported it */
        return;
    if (store_lease_list(d->ctl->store, &active, add_holder, &h) == STORE_OK && h.count > 0 &&
        buf_text(&h.names) != NULL && buf_text(&h.commands) != NULL) {
        doctor_report(d, RESULT_WARN, "page", "leases may open the port of MetricsListen: %s%s",
                      buf_text(&h.names), h.count > 5 ? " and others" : "");
        doctor_why(d, "the page there shows who has which lease; leased itself refuses them, and "
                      "nothing else does");
        doctor_mend(d, "%s", buf_text(&h.commands));
    }
    ctl_close(d->ctl);
    buf_release(&h.names);
    buf_release(&h.commands);
}

void check_page(struct doctor_run *d)
{
    const struct ceiling *c = &d->ctl->conf.ceiling;
    char rule[PERMIT_TEXT_BYTES];
    if (c->page.low == 0)
        return;
    report_holders(d);
    const struct ceiling_rule *wide = ceiling_page_rule(c);
    if (wide == NULL) {
        doctor_report(d, RESULT_OK, "page", "no line of AllowOpen opens the port of MetricsListen");
        return;
    }
    permit_format(&wide->permit, rule);
    doctor_report(d, RESULT_NOTE, "page",
                  "AllowOpen %s%s%s opens the port of MetricsListen, %u, in sshd's Match block",
                  wide->login, wide->login[0] != '\0' ? " " : "", rule, c->page.low);
    doctor_why(d,
               "sshd knows no exceptions and no ranges: there, only leased itself refuses whoever "
               "comes through a tunnel");
    doctor_mend(d,
                "in '%s' AllowOpen with the ports alone that leases need; then: leasectl setup; "
                "systemctl reload leased; or 'MetricsListen unix:/run/leased-metrics.sock', as "
                "leased(8), The page, has it",
                ctl_conf_name(d->ctl));
}
