/* SPDX-License-Identifier: ISC */
#include "leased/requests/facts.h"

#include "leased/requests/roster.h"
#include "lib/base/buf.h"
#include "lib/lease/agent_copies.h"
#include "lib/lease/agent_fact.h"
#include "lib/lease/lease.h"
#include "lib/store/agents.h"
#include "lib/wire/control.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TARGET_BYTES = 300 };

bool facts_is_plain(const char *text, size_t max)
{
    return strlen(text) <= max && free_text_problem(text) == NULL;
}

static void add_fact(struct buf *out, const char *name, const char *value)
{
    if (*value == '\0')
        return;
    buf_add(out, name);
    buf_add(out, " ");
    buf_add(out, value);
    buf_add(out, "\n");
}

const char *facts_collect(const struct control_request *r, const struct agent_notes *notes,
                          const struct agent_copies *copies, struct buf *out)
{
    const char *hostname = control_request_get(r, CONTROL_HOSTNAME);
    const char *user = control_request_get(r, CONTROL_USER);
    const char *target = control_request_get(r, CONTROL_TARGET);
    const char *keys = control_request_get(r, CONTROL_HOST_KEYS);
    struct pubkey key;
    size_t key_count = 0;

    if (!facts_is_plain(hostname, 253))
        return "hostname is too long, or holds control characters";
    if (*user != '\0' && login_name_problem(user) != NULL)
        return "user is not a valid user name";
    if (!facts_is_plain(target, TARGET_BYTES))
        return "target is too long, or holds control characters";
    if (notes->by_admin)
        buf_add(out, "admin 1\n");
    if (notes->issued)
        buf_add(out, "issued 1\n");
    if (notes->home_port != 0)
        buf_addf(out, "home_port %u\n", notes->home_port);
    reissue_format(&notes->reissue, out);
    add_fact(out, "hostname", hostname);
    add_fact(out, "user", user);
    add_fact(out, "target", target);
    for (const char *line = keys; *line != '\0';) {
        size_t len = strcspn(line, "\n");
        if (++key_count > CONTROL_HOST_KEYS_MAX)
            return "there are too many host_keys";
        if (pubkey_parse_file(line, len, &key) != NULL)
            return "a host key is not an OpenSSH public key";
        buf_addf(out, "host_key %s %s\n", key.type, key.base64);
        line += len + (line[len] == '\n' ? 1 : 0);
    }
    agent_copies_format(copies, out);
    return out->len + REISSUE_LINE_BYTES + COPIES_TEXT_BYTES < AGENT_FACTS_BYTES
               ? NULL
               : "host_keys are too long";
}

static struct agent_notes parse_notes(const char *facts)
{
    char issued[8], home_port[8];
    const char *rest = facts;
    (void)agent_fact_next(&rest, "issued", issued, sizeof(issued));
    rest = facts;
    (void)agent_fact_next(&rest, "home_port", home_port, sizeof(home_port));
    return (struct agent_notes){.by_admin = strncmp(facts, "admin 1\n", 8) == 0,
                                .issued = strcmp(issued, "1") == 0,
                                .home_port = (uint16_t)strtoul(home_port, NULL, 10),
                                .reissue = reissue_parse(facts)};
}

enum store_rc facts_read_copies(struct store *st, int64_t id, struct agent_copies *ret)
{
    char facts[AGENT_FACTS_BYTES];
    enum store_rc rc = store_agent_facts(st, id, facts);
    if (rc == STORE_OK)
        agent_copies_parse(facts, ret);
    return rc;
}

enum store_rc facts_read_notes(struct store *st, struct member *m)
{
    char facts[AGENT_FACTS_BYTES];
    if (m->has_notes)
        return STORE_OK;
    enum store_rc rc = store_agent_facts(st, m->id, facts);
    if (rc == STORE_OK) {
        m->notes = parse_notes(facts);
        m->has_notes = true;
    }
    return rc;
}
