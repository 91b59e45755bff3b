/* SPDX-License-Identifier: ISC */
#include "lib/lease/reissue.h"

#include "lib/base/buf.h"
#include "lib/base/number.h"

#include <string.h>

static const char *const words[] = {
    [REISSUE_REGISTERED] = "secret_given ", [REISSUE_RESET] = "secret_reset "};

void reissue_format(const struct reissue *r, struct buf *out)
{
    if (r->since != REISSUE_NEVER)
        buf_addf(out, "%s%lld %lld %lld\n", words[r->since], (long long)r->wall_s,
                 (long long)r->boot_s, (long long)r->login_s);
}

/* Parses the number at *at, which must be followed by end, and moves *at past both. */
static bool parse_number(const char **at, char end, int64_t *ret)
{
    size_t len = strspn(*at, "0123456789");
    bool good = (*at)[len] == end && number_parse(*at, len, 0, INT64_MAX, ret);
    *at += good ? len + 1 : 0;
    return good;
}

static bool parse_line(const char *line, struct reissue *r)
{
    for (int since = REISSUE_REGISTERED; since <= REISSUE_RESET; since++) {
        size_t len = strlen(words[since]);
        if (strncmp(line, words[since], len) != 0)
            continue;
        line += len;
        *r = (struct reissue){.since = since};
        return parse_number(&line, ' ', &r->wall_s) && parse_number(&line, ' ', &r->boot_s) &&
               parse_number(&line, '\n', &r->login_s);
    }
    return false;
}

static const char *line_end(const char *line)
{
    const char *end = strchr(line, '\n');
    return end != NULL ? end + 1 : line + strlen(line);
}

void reissue_replace(const char *facts, const struct reissue *r, struct buf *out)
{
    struct reissue old;
    for (const char *line = facts; *line != '\0'; line = line_end(line))
        if (!parse_line(line, &old))
            buf_add_mem(out, line, (size_t)(line_end(line) - line));
    reissue_format(r, out);
}

struct reissue reissue_parse(const char *facts)
{
    struct reissue r;
    for (const char *line = facts; *line != '\0'; line = line_end(line))
        if (parse_line(line, &r))
            return r;
    return (struct reissue){.since = REISSUE_NEVER};
}

/* False, too, if the clock went back. */
static bool is_within(int64_t since_s, int64_t now_s, int64_t for_s)
{
    return now_s >= since_s && now_s - since_s <= for_s;
}

bool reissue_allowed(const struct reissue *r, int64_t wall_s, int64_t boot_s, int64_t login_s)
{
    const int64_t for_s = r->since == REISSUE_RESET ? REISSUE_RESET_S : REISSUE_LOST_ANSWER_S;
    /* An agent that logged in after a register has got the answer. A reset is valid for an agent
     * whose tunnel may be up, so its logins do not matter. */
    return r->since != REISSUE_NEVER && is_within(r->wall_s, wall_s, for_s) &&
           is_within(r->boot_s, boot_s, for_s) &&
           (r->since == REISSUE_RESET || login_s <= r->login_s);
}
