/* SPDX-License-Identifier: ISC */
/* Does the configuration allow much more than leases use? */
#include "leasectl/doctor/checks.h"
#include "leasectl/doctor/usage.h"
#include "lib/base/buf.h"

#include <string.h>

enum {
    WIDE_PORTS = 256, /* more of them in one rule are wide: as many as one permit may have */
    LINES_MAX = 16,   /* more of them would narrow nothing that a person keeps up to date */
};

static void add_line(struct buf *out, const char *keyword, const struct ceiling_rule *rule)
{
    char permit[PERMIT_TEXT_BYTES];
    permit_format(&rule->permit, permit);
    buf_addf(out, "%s'%s %s%s%s'", out->len > 0 ? ", " : "", keyword, rule->login,
             rule->login[0] != '\0' ? " " : "", permit);
}

static bool is_wide(const struct ceiling_rule *rule)
{
    return rule->permit.high - rule->permit.low >= WIDE_PORTS;
}

/* True if the leases use all of the rule, for a login that it holds for. */
static bool is_used_whole(const struct ceiling_rule *rule, const struct ceiling_rules *used)
{
    for (size_t i = 0; i < used->count; i++)
        if (permit_contains(&used->items[i].permit, &rule->permit))
            return true;
    return false;
}

/* Agents are given ports of this one, and it has to be as wide as it is for those that come. */
static bool is_for_agents(const struct conf *conf, const struct ceiling_rule *rule)
{
    return strcmp(rule->permit.host, conf->agent_bind_host) == 0 &&
           (rule->login[0] == '\0' || strcmp(rule->login, conf->agent_login) == 0);
}

static void report_wide(struct doctor_run *d, const char *keyword, const struct buf *wide,
                        const struct buf *narrow)
{
    doctor_report(d, RESULT_NOTE, "ceiling", "%s is wider than leases use", buf_text(wide));
    doctor_why(d, "a typing error in a grant, or a stolen right to grant, opens as much as the "
                  "ceiling lets it");
    if (narrow->len > 0)
        doctor_mend(d,
                    "in '%s', in place of all its lines of %s: %s; then: leasectl setup; systemctl "
                    "reload leased",
                    ctl_conf_name(d->ctl), keyword, buf_text(narrow));
    else
        doctor_mend(d, "take that line out of '%s', then: leasectl setup; systemctl reload leased",
                    ctl_conf_name(d->ctl));
}

static void report_open(struct doctor_run *d, const struct usage *usage)
{
    const struct ceiling_rules *rules = &d->ctl->conf.ceiling.open;
    struct buf wide = {0}, narrow = {0};
    for (size_t i = 0; i < rules->count; i++)
        if (is_wide(&rules->items[i]) && !is_used_whole(&rules->items[i], &usage->open))
            add_line(&wide, "AllowOpen", &rules->items[i]);
    for (size_t i = 0; i < usage->open.count; i++)
        add_line(&narrow, "AllowOpen", &usage->open.items[i]);
    if (wide.len > 0 && usage->open.count > 0 && usage->open.count <= LINES_MAX)
        report_wide(d, "AllowOpen", &wide, &narrow);
    buf_release(&wide);
    buf_release(&narrow);
}

static void report_listen(struct doctor_run *d, const struct usage *usage)
{
    const struct conf *conf = &d->ctl->conf;
    const struct ceiling_rules *rules = &conf->ceiling.listen;
    struct buf wide = {0}, narrow = {0};
    size_t lines = 0;
    for (size_t i = 0; i < rules->count; i++) {
        const bool stays = is_for_agents(conf, &rules->items[i]) || !is_wide(&rules->items[i]) ||
                           is_used_whole(&rules->items[i], &usage->listen);
        add_line(stays ? &narrow : &wide, "AllowListen", &rules->items[i]);
        lines += stays ? 1 : 0;
    }
    for (size_t i = 0; i < usage->listen.count; i++) {
        const struct ceiling_rule *used = &usage->listen.items[i];
        bool stays = false; /* in a rule that does */
        for (size_t k = 0; k < rules->count; k++)
            stays = stays || (is_for_agents(conf, &rules->items[k]) &&
                              permit_contains(&rules->items[k].permit, &used->permit));
        if (stays)
            continue;
        add_line(&narrow, "AllowListen", used);
        lines++;
    }
    if (wide.len > 0 && lines <= LINES_MAX)
        report_wide(d, "AllowListen", &wide, &narrow);
    buf_release(&wide);
    buf_release(&narrow);
}

void report_ceilings(struct doctor_run *d, const struct usage *usage)
{
    const unsigned printed = d->findings;
    if (!usage->too_many) {
        report_open(d, usage);
        report_listen(d, usage);
    }
    if (d->findings != printed)
        return;
    if (usage->too_many)
        doctor_report(d, RESULT_OK, "ceiling",
                      "leases use so many permits that no few lines would be a ceiling for them");
    else if (usage->open.count == 0 && usage->listen.count == 0)
        doctor_report(d, RESULT_OK, "ceiling", "no lease is there to compare the ceilings with");
    else
        doctor_report(d, RESULT_OK, "ceiling", "the ceilings are not much wider than leases use");
}

void check_usage(struct doctor_run *d)
{
    struct usage usage;
    if (usage_read(d->ctl, &usage)) {
        report_services(d, &usage);
        report_ceilings(d, &usage);
    } else if (!d->store_reported) {
        doctor_report(d, RESULT_UNKNOWN, "service",
                      "what leases open was not asked: the store "
                      "cannot be read");
        doctor_why(d, "others may reach those services without a lease");
        doctor_mend(d, "see what is said of the store");
    }
    usage_release(&usage);
}
