/* SPDX-License-Identifier: ISC */
#include "lib/handout/lease_json.h"

#include "lib/base/buf.h"
#include "lib/conf/conf.h"
#include "lib/handout/connect_line.h"
#include "lib/wire/control.h"
#include "lib/wire/json.h"
#include "lib/wire/members.h"

#include <stdlib.h>
#include <string.h>

/* Adds the member as http writes it for a register. The object has a secret. */
static int add_agent(const struct lease_json *j, struct buf *out)
{
    struct control_site_cache *cache = calloc(1, sizeof(*cache));
    struct buf object = {0};
    int rc = cache != NULL ? control_format(j->agent, j->site, cache, &object) : -1;
    if (rc == 0) {
        buf_add(out, ",\"agent\":");
        buf_add_mem(out, object.data, object.len);
    }
    if (object.data != NULL)
        explicit_bzero(object.data, object.cap);
    buf_release(&object);
    if (cache != NULL)
        control_site_cache_release(cache);
    free(cache);
    return rc;
}

int lease_json_add(const struct lease_json *j, int64_t now_s, struct buf *out)
{
    struct buf connect = {0};
    connect_add_line(j->conf, j->lease, j->agents, &connect);
    int rc = buf_text(&connect) != NULL
                 ? json_lease(j->lease, now_s, -1,
                              connect.len <= j->connect_max ? buf_text(&connect) : "", out)
                 : -1;
    if (rc != 0)
        goto out;
    out->data[--out->len] = '\0'; /* the members below are added before its closing brace */
    members_text(out, "host", j->conf->public_host);
    members_number(out, "port", j->conf->public_port);
    members_open(out, "host_keys", '[');
    for (size_t i = 0; i < CONTROL_HOST_KEYS_MAX && j->site->host_keys[i][0] != '\0'; i++)
        members_text(out, NULL, j->site->host_keys[i]);
    members_close(out, ']');
    if (j->agent != NULL)
        rc = add_agent(j, out);
    buf_add(out, "}");
out:
    buf_release(&connect);
    return rc == 0 && !out->failed ? 0 : -1;
}
