/* SPDX-License-Identifier: ISC */
#include "lib/store/open_agents.h"

#include "lib/lease/lease.h"
#include "lib/store/failure.h"
#include "lib/store/statement.h"

#include <bsd/string.h>
#include <string.h>

static enum store_rc resolve_agent(struct store *st, struct lease *l, const char *name)
{
    struct permit_list listen = {0};
    sqlite3_stmt *s = statement_get(st, STMT_AGENT_LISTEN);
    if (s == NULL)
        return STORE_FAIL;
    bind_text(s, ":name", name);
    enum store_rc rc = statement_step(st, s);
    if (rc == STORE_OK && permit_list_parse(column_text(s, 0), &listen) != 0)
        rc = store_damaged(st, "agent's listen permit", l->id);
    statement_done(s);
    for (size_t i = 0; rc == STORE_OK && i < listen.count; i++) {
        struct permit p = listen.items[i];
        permit_make_reachable(&p);
        p.from_agent = true;
        if (!permit_list_has(&l->open, &p) && permit_list_add(&l->open, &p) != NULL)
            rc = store_damaged(st, "open permit", l->id);
    }
    permit_list_release(&listen);
    return rc == STORE_NONE ? STORE_OK : rc;
}

enum store_rc open_agents_resolve(struct store *st, struct lease *l)
{
    enum store_rc rc = STORE_OK;
    for (size_t i = 0; rc == STORE_OK && i < l->open_agent_count; i++)
        rc = resolve_agent(st, l, l->open_agents[i]);
    return rc;
}
