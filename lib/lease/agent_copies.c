/* SPDX-License-Identifier: ISC */
#include "lib/lease/agent_copies.h"

#include "lib/base/buf.h"
#include "lib/base/number.h"
#include "lib/base/text.h"
#include "lib/lease/agent_fact.h"
#include "lib/lease/source.h"

#include <bsd/string.h>
#include <string.h>

static const char prefix[] = "copy_";

static void read_text(const char *facts, const char *name, char *out, size_t out_bytes)
{
    (void)agent_fact_next(&facts, name, out, out_bytes);
}

static int64_t read_number(const char *facts, const char *name)
{
    char value[24];
    int64_t n = 0;
    read_text(facts, name, value, sizeof(value));
    return number_parse(value, strlen(value), 0, INT64_MAX, &n) ? n : 0;
}

void agent_copies_parse(const char *facts, struct agent_copies *ret)
{
    *ret = (struct agent_copies){.seen_s = read_number(facts, "copy_seen_s"),
                                 .noted_s = read_number(facts, "copy_noted_s"),
                                 .reset_wall_s = read_number(facts, "copy_reset_wall_s"),
                                 .reset_boot_s = read_number(facts, "copy_reset_boot_s")};
    read_text(facts, "copy_last_from", ret->last_from, sizeof(ret->last_from));
    read_text(facts, "copy_from", ret->copy_from, sizeof(ret->copy_from));
    read_text(facts, "copy_other_from", ret->other_from, sizeof(ret->other_from));
    read_text(facts, "copy_reset_from", ret->reset_from, sizeof(ret->reset_from));
}

static void add_text(struct buf *out, const char *name, const char *value)
{
    if (*value != '\0')
        buf_addf(out, "%s%s %s\n", prefix, name, value);
}

static void add_number(struct buf *out, const char *name, int64_t value)
{
    if (value != 0)
        buf_addf(out, "%s%s %lld\n", prefix, name, (long long)value);
}

void agent_copies_format(const struct agent_copies *c, struct buf *out)
{
    add_text(out, "last_from", c->last_from);
    add_number(out, "seen_s", c->seen_s);
    add_text(out, "from", c->copy_from);
    add_text(out, "other_from", c->other_from);
    add_number(out, "noted_s", c->noted_s);
    add_number(out, "reset_wall_s", c->reset_wall_s);
    add_number(out, "reset_boot_s", c->reset_boot_s);
    add_text(out, "reset_from", c->reset_from);
}

void agent_copies_replace(const char *facts, const struct agent_copies *c, struct buf *out)
{
    int len;
    for (const char *line; (line = text_next_line(&facts, &len)) != NULL;)
        if (strncmp(line, prefix, strlen(prefix)) != 0)
            buf_addf(out, "%.*s\n", len, line);
    agent_copies_format(c, out);
}

static bool is_within(int64_t since_s, int64_t now_s)
{
    return now_s >= since_s && now_s - since_s <= COPIES_RESET_S;
}

bool agent_copies_are_recent(const struct agent_copies *c, int64_t now_s)
{
    return c->seen_s != 0 && now_s - c->seen_s < COPIES_SHOWN_S;
}

bool agent_copies_reset_waits(const struct agent_copies *c, int64_t wall_s, int64_t boot_s)
{
    return c->reset_wall_s != 0 && is_within(c->reset_wall_s, wall_s) &&
           is_within(c->reset_boot_s, boot_s);
}

bool agent_copies_may_reset(const struct agent_copies *c, int64_t wall_s, int64_t boot_s,
                            const char *address)
{
    struct source_list from = {.count = 0};
    return agent_copies_reset_waits(c, wall_s, boot_s) &&
           (c->reset_from[0] == '\0' || (source_list_parse(c->reset_from, &from) == NULL &&
                                         source_list_matches(&from, address)));
}

void agent_copies_settle(struct agent_copies *c)
{
    struct agent_copies settled = {.seen_s = 0};
    (void)strlcpy(settled.last_from, c->last_from, sizeof(settled.last_from));
    *c = settled;
}
