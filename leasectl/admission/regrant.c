/* SPDX-License-Identifier: ISC */
#include "leasectl/admission/regrant.h"

#include "leasectl/ctl.h"

#include "lib/base/buf.h"
#include "lib/lease/lease.h"
#include "lib/store/leases.h"
#include "lib/store/login.h"

#include <string.h>

static void add_permits(const char *option, const struct permit_list *permits, struct buf *out)
{
    char text[PERMIT_TEXT_BYTES];
    for (size_t i = 0; i < permits->count; i++) {
        if (permits->items[i].from_agent)
            continue; /* the lease names the agent */
        permit_format(&permits->items[i], text);
        buf_addf(out, " %s %s", option, text);
    }
}

static void add_terms(const struct lease *l, struct buf *out)
{
    add_permits("--open", &l->open, out);
    for (size_t i = 0; i < l->open_agent_count; i++)
        buf_addf(out, " --open " LEASE_AGENT_PREFIX "%s", l->open_agents[i]);
    add_permits("--listen", &l->listen, out);
    if (l->from.count > 0) {
        buf_add(out, " --from ");
        source_list_format(&l->from, out);
    }
    if (l->max_sessions > 0)
        buf_addf(out, " --max-sessions %u", l->max_sessions);
}

/* Adds the command for a lease of this name, as far as it is the same for all terms. */
static void add_command(const struct ctl *ctl, const char *name, const char *login, struct buf *out)
{
    if (strcmp(login, ctl->conf.agent_login) == 0) {
        buf_addf(out, "leasectl agent add %s --key FILE", name);
        return;
    }
    buf_addf(out, "leasectl grant %s --key FILE", name);
    if (strcmp(login, ctl->conf.forward_login) != 0)
        buf_addf(out, " --login %s", login);
}

void regrant_add_first(const struct ctl *ctl, const char *login, struct buf *out)
{
    add_command(ctl, "NAME", login, out);
    if (strcmp(login, ctl->conf.agent_login) != 0)
        buf_add(out, " --open PORT");
}

void regrant_add(const struct ctl *ctl, const struct store_key_history *ended, const char *login,
                 struct buf *out)
{
    struct lease l = {0};
    add_command(ctl, ended->lease, login, out);
    if (strcmp(login, ctl->conf.agent_login) == 0)
        return;
    if (store_lease_by_id(ctl->store, ended->lease_id, &l) == STORE_OK)
        add_terms(&l, out);
    lease_release(&l);
}
