/* SPDX-License-Identifier: ISC */
/* Can all agents come back at once, when sshd or the line was down? */
#include "leasectl/admission/pattern.h"
#include "leasectl/doctor/checks.h"
#include "leasectl/doctor/place.h"
#include "leasectl/host/sshd_settings.h"
#include "lib/base/number.h"
#include "lib/session/registry.h"
#include "lib/session/registry_read.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The line that gives a keyword the value in force. In 9.2 the last line of MaxStartups counts, and
 * not the first as of other keywords: so the value decides. sshd -T writes 100 as 100:30:100. */
static const struct sshd_line *find_global(const struct doctor_run *d, const char *keyword,
                                           const char *have)
{
    for (size_t i = 0; i < d->lines.count; i++) {
        const struct sshd_line *l = &d->lines.items[i];
        const size_t len = strlen(l->value);
        if (strcmp(l->keyword, keyword) == 0 && l->match == 0 &&
            strncmp(have, l->value, len) == 0 && (have[len] == '\0' || have[len] == ':'))
            return l;
    }
    return NULL;
}

/* setting: what to write in place of the line that is in force, or where there is none. */
static void mend_global(struct doctor_run *d, const char *keyword, const char *have,
                        const char *setting)
{
    const struct sshd_line *line = find_global(d, keyword, have);
    if (line != NULL)
        doctor_mend(d, "sed -i '%uc %s' '%s'", line->number, setting, line->file);
    else
        doctor_mend(d, "sed -i '1i %s' '%s'", setting, place_config(d));
    place_mend_reload(d, " && ");
}

/* MaxStartups START:RATE:FULL. */
static void check_max_startups(struct doctor_run *d)
{
    unsigned start, rate, full;
    char have[64], setting[96];
    sshd_setting(&d->global, "maxstartups", have, sizeof(have));
    if (sscanf(have, "%u:%u:%u", &start, &rate, &full) != 3 || d->agents <= start) {
        if (d->agents > 0)
            doctor_report(d, RESULT_OK, "sshd load", "%zu agent%s may connect at once", d->agents,
                          d->agents == 1 ? "" : "s");
        return;
    }
    doctor_report(d, RESULT_WARN, "sshd load",
                  "MaxStartups is %s, and %zu agents come back at once after an outage", have,
                  d->agents);
    doctor_why(
        d,
        "beyond %u connections that have not logged in yet sshd drops %u %% of new ones, and "
        "beyond %u all: of agents, friends and admins alike",
        start, rate, full);
    (void)snprintf(setting, sizeof(setting), "MaxStartups %zu:%u:%zu", d->agents + 10, rate,
                   2 * d->agents + 20);
    mend_global(d, "maxstartups", have, setting);
}

/* The address that most live sessions come from, and how many. */
struct crowd {
    char source[SESSION_ADDRESS_BYTES];
    size_t sessions;
};

static int compare_sources(const void *a, const void *b)
{
    const struct session *s = a, *t = b;
    return strcmp(s->source, t->source);
}

static void find_crowd(const struct doctor_run *d, struct crowd *ret)
{
    struct registry r = REGISTRY_CLOSED;
    struct session_list list;
    *ret = (struct crowd){.sessions = 0};
    if (registry_open(d->ctl->conf.paths.run_dir, true, &r) != 0)
        return; /* check_registry reports it */
    if (registry_read(&r, 0, &list) == 0) {
        if (list.count > 1)
            qsort(list.items, list.count, sizeof(list.items[0]), compare_sources);
        size_t same = 0;
        for (size_t i = 0; i < list.count; i++) {
            const bool again = i > 0 && compare_sources(&list.items[i - 1], &list.items[i]) == 0;
            same = again ? same + 1 : 1;
            if (list.items[i].source[0] != '\0' && same > ret->sessions) {
                ret->sessions = same;
                (void)snprintf(ret->source, sizeof(ret->source), "%s", list.items[i].source);
            }
        }
        session_list_release(&list);
    }
    registry_close(&r);
}

static void check_max_startups_per_source(struct doctor_run *d, const struct crowd *crowd)
{
    char have[32], setting[64];
    int64_t most;
    sshd_setting(&d->global, "persourcemaxstartups", have, sizeof(have));
    if (!number_parse(have, strlen(have), 0, INT32_MAX, &most) || (size_t)most >= crowd->sessions)
        return; /* it is none, or this sshd does not know it */
    doctor_report(d, RESULT_WARN, "sshd load",
                  "PerSourceMaxStartups is %" PRId64 ", and %zu live sessions come from %s", most,
                  crowd->sessions, crowd->source);
    doctor_why(d, "when they come back at once, sshd drops all beyond %" PRId64 " of that address",
               most);
    (void)snprintf(setting, sizeof(setting), "PerSourceMaxStartups %zu", crowd->sessions + 10);
    mend_global(d, "persourcemaxstartups", have, setting);
}

/* From 9.8 on refused logins and hangs of one client keep out all that share its address
 * (docs/sshd-facts.md 12). */
static void check_penalties(struct doctor_run *d, const struct crowd *crowd)
{
    char have[512], exempt[1024], setting[1200];
    sshd_setting(&d->global, "persourcepenalties", have, sizeof(have));
    sshd_setting(&d->global, "persourcepenaltyexemptlist", exempt, sizeof(exempt));
    const bool off = have[0] == '\0' || strcmp(have, "no") == 0;
    const struct pattern_client client = {.addr = crowd->source};
    if (off || crowd->sessions < 2 || pattern_address_matches(&client, exempt) == SIGHT_IS)
        return;
    doctor_report(d, RESULT_NOTE, "sshd load",
                  "PerSourcePenalties are on, and %zu live sessions come from %s", crowd->sessions,
                  crowd->source);
    doctor_why(d, "some refused logins of one of them, such as with an expired lease, keep out all "
                  "that share the address");
    (void)snprintf(setting, sizeof(setting), "PerSourcePenaltyExemptList %s%s%s", crowd->source,
                   exempt[0] != '\0' && strcmp(exempt, "none") != 0 ? "," : "",
                   strcmp(exempt, "none") != 0 ? exempt : "");
    mend_global(d, "persourcepenaltyexemptlist", exempt, setting);
}

void check_load(struct doctor_run *d)
{
    struct crowd crowd;
    if (!d->has_dialect)
        return;
    find_crowd(d, &crowd);
    check_max_startups(d);
    check_max_startups_per_source(d, &crowd);
    check_penalties(d, &crowd);
}
