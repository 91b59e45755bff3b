/* SPDX-License-Identifier: ISC */
#include "lib/store/terms.h"

#include "lib/lease/lease.h"

enum store_rc bind_terms(struct store *st, sqlite3_stmt *s, const struct lease *l, struct terms *t)
{
    lease_open_format(l, &t->open);
    permit_list_format(&l->listen, &t->listen);
    source_list_format(&l->from, &t->sources);
    bind_int(s, ":max_sessions", l->is_frozen ? -1 : (int64_t)l->max_sessions);
    bind_text(s, ":note", l->note);
    if (bind_buf(st, s, ":open", &t->open) != STORE_OK ||
        bind_buf(st, s, ":listen", &t->listen) != STORE_OK ||
        bind_buf(st, s, ":sources", &t->sources) != STORE_OK)
        return STORE_FAIL;
    return STORE_OK;
}

void release_terms(struct terms *t)
{
    buf_release(&t->open);
    buf_release(&t->listen);
    buf_release(&t->sources);
}

void describe_terms(const struct lease *l, struct buf *out)
{
    buf_addf(out, "login=%s open=", l->login);
    lease_open_format(l, out);
    buf_add(out, " listen=");
    permit_list_format(&l->listen, out);
    buf_add(out, " from=");
    source_list_format(&l->from, out);
    buf_addf(out, " max_sessions=%u expires_s=%lld", l->max_sessions, (long long)l->expires_s);
}
