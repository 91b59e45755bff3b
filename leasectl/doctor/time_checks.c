/* SPDX-License-Identifier: ISC */
/* How long sshd keeps a client that has vanished, and does it end tunnels that are only quiet? */
#include "leasectl/child.h"
#include "leasectl/doctor/asked.h"
#include "leasectl/doctor/place.h"
#include "leasectl/host/sshd_settings.h"
#include "lib/base/number.h"

#include <fnmatch.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { OUR_INTERVAL_S = 15, OUR_COUNT = 3 }; /* as the Match blocks set them */

static const char takes_long[] =
    "so long it counts as a session, and the port of its -R stays taken for others";
static const char takes_short[] = "a client whose line is bad for a moment is cut off";

bool times_are_set_by(const char *keyword)
{
    return strcmp(keyword, "clientaliveinterval") == 0 ||
           strcmp(keyword, "clientalivecountmax") == 0 ||
           strcmp(keyword, "unusedconnectiontimeout") == 0;
}

/* Before 9.5 each question that is not answered takes two turns (docs/sshd-facts.md 18). 0: never.
 */
static unsigned dead_peer_s(const struct sshd_version *v, unsigned interval_s, unsigned count)
{
    if (interval_s == 0 || count == 0)
        return 0;
    const uint64_t all_s = ((uint64_t)count + 1) * interval_s * (sshd_at_least(v, 9, 5) ? 1 : 2);
    return all_s < UINT_MAX ? (unsigned)all_s : UINT_MAX;
}

static unsigned number_setting(const struct buf *effective, const char *keyword)
{
    char text[32];
    int64_t number;
    sshd_setting(effective, keyword, text, sizeof(text));
    return number_parse(text, strlen(text), 0, INT32_MAX, &number) ? (unsigned)number : 0;
}

static void check_dead_peer(struct asked *a)
{
    const struct sshd_version *v = &a->d->dialect.version;
    const unsigned interval_s = number_setting(a->effective, "clientaliveinterval"),
                   count = number_setting(a->effective, "clientalivecountmax"),
                   have_s = dead_peer_s(v, interval_s, count),
                   want_s = dead_peer_s(v, OUR_INTERVAL_S, OUR_COUNT);
    if (interval_s == OUR_INTERVAL_S && count == OUR_COUNT) {
        a->dead_peer_s = have_s > a->dead_peer_s ? have_s : a->dead_peer_s;
        return;
    }
    const char *keyword =
        interval_s != OUR_INTERVAL_S ? "clientaliveinterval" : "clientalivecountmax";
    a->dead_peer_wrong = true;
    if (have_s == 0)
        asked_add_wrong(a, RESULT_WARN, "dead peer", keyword, takes_long,
                        "sshd never drops a client that has vanished, and should after up to %u s",
                        want_s);
    else
        asked_add_wrong(
            a, RESULT_WARN, "dead peer", keyword, have_s > want_s ? takes_long : takes_short,
            "sshd drops a client that has vanished after up to %u s, not %u s", have_s, want_s);
}

static void check_unused_connection(struct asked *a)
{
    static const char keyword[] = "unusedconnectiontimeout";
    char have[64];
    sshd_setting(a->effective, keyword, have, sizeof(have));
    if (have[0] != '\0' && strcmp(have, "none") != 0 && strcmp(have, "0") != 0)
        asked_add_wrong(a, RESULT_WARN, "idle", keyword,
                        "sshd ends a tunnel that is up while nothing goes through it",
                        "UnusedConnectionTimeout is '%s', not 'none'", have);
}

/* The seconds after which a quiet channel of this type is closed, as text; "": never. The first
 * pattern that holds decides. */
static void channel_timeout(const char *value, const char *type, char out[static 32])
{
    char *words = strdup(value), *rest = words, *word;
    bool decided = false;
    out[0] = '\0';
    while (!decided && (word = strsep(&rest, " ")) != NULL) {
        char *equals = strrchr(word, '=');
        if (equals == NULL)
            continue;
        *equals = '\0';
        decided = fnmatch(word, type, 0) == 0;
        if (decided && strcmp(equals + 1, "0") != 0 && strcmp(equals + 1, "none") != 0)
            (void)snprintf(out, 32, "%s", equals + 1);
    }
    free(words);
}

static void report_channels(struct doctor_run *d, const struct sshd_line *line, const char *have,
                            const char *after, bool is_global)
{
    struct buf what = {0};
    buf_addf(&what, "ChannelTimeout closes connections through tunnels that are quiet for %s",
             after);
    place_add(d, line, &what);
    doctor_report(d, RESULT_WARN, "idle", "%s", child_text(&what));
    doctor_why(d, "a connection that waits, such as that of a database, is cut");
    doctor_mend(d, "'ChannelTimeout direct-tcpip=0 forwarded-tcpip=0%s %s'",
                is_global ? " global=0" : "", have);
    if (line != NULL)
        doctor_mend(d, " as line %u of '%s'", line->number, line->file);
    place_mend_reload(d, "; then: ");
    buf_release(&what);
}

/* Before 10.5 sshd heeds the global value alone (docs/sshd-facts.md 10). */
static void check_channels(struct asked *a)
{
    static const char keyword[] = "channeltimeout";
    static const char *const types[] = {"direct-tcpip", "forwarded-tcpip", "global"};
    enum { GLOBAL = 2, TYPES = 3 };
    const struct sshd_connection nobody = {.login = ""};
    const bool heeds_match = sshd_at_least(&a->d->dialect.version, 10, 5);
    char have[1024], after[32] = "";
    size_t i = 0;
    sshd_setting(heeds_match ? a->effective : &a->d->global, keyword, have, sizeof(have));
    for (; i < TYPES; i++) {
        channel_timeout(have, types[i], after);
        if (after[0] != '\0')
            break;
    }
    if (i == TYPES || a->channels_said)
        return;
    a->channels_said = true;
    report_channels(a->d, place_find(a->d, keyword, heeds_match ? a->c : &nobody), have, after,
                    i == GLOBAL);
}

void check_times(struct asked *a)
{
    check_dead_peer(a);
    check_unused_connection(a);
    check_channels(a);
}

void report_times(const struct asked *a)
{
    if (!a->dead_peer_wrong && a->dead_peer_s > 0)
        doctor_report(a->d, RESULT_OK, "dead peer",
                      "sshd %u.%u drops a client that has vanished after up to %u s",
                      a->d->dialect.version.major, a->d->dialect.version.minor, a->dead_peer_s);
}
