/* SPDX-License-Identifier: ISC */
/* The drop-in that setup writes: is it there, does sshd read it, and is it what setup would write
 * now? */
#include "leasectl/child.h"
#include "leasectl/doctor/checks.h"
#include "leasectl/doctor/place.h"
#include "leasectl/host/matchblock.h"
#include "leasectl/host/pam_profile.h"
#include "leasectl/host/sshd_settings.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Does sshd ask akc about this login? Then our blocks are in force, wherever they stand. */
static bool asks_akc(const struct sshd *s, const char *login)
{
    struct buf effective = {0};
    const bool asks = sshd_effective(s, login, &effective) == 0 && matchblock_asks_akc(&effective);
    buf_release(&effective);
    return asks;
}

void check_set_up(struct doctor_run *d)
{
    struct sshd s;
    struct buf why = {0};
    bool asked = false;
    if ((access(SSHD_DROPIN, F_OK) == 0 || errno != ENOENT) || pam_profile_is_applied())
        return;
    if (sshd_find(&d->ctl->conf, &s, &why) == 0)
        asked = asks_akc(&s, d->ctl->conf.forward_login);
    buf_release(&why);
    if (asked)
        return;
    doctor_report(
        d, RESULT_FAIL, "setup",
        "setup was not run here, or it was undone: there is no '%s', and pam_tunnel is in "
        "no PAM stack",
        SSHD_DROPIN);
    doctor_why(d, "no lease opens anything; the other checks wait until it is set up");
    doctor_mend(d, "leasectl setup");
    d->no_more = true;
}

/* akc prints times for the zone that the drop-in names, and sshd reads them in its own. */
static void check_zone(struct doctor_run *d, const char *dropin)
{
    struct buf made_for = {0}, current = {0};
    matchblock_read_zone(dropin, &made_for);
    if (!sshd_reads_utc(&d->dialect.version))
        sshd_zone_format(&d->dialect.zone, &current);
    const char *was = made_for.len > 0 ? buf_text(&made_for) : "",
               *now = current.len > 0 ? buf_text(&current) : "";
    if (was == NULL || now == NULL) {
        doctor_report(d, RESULT_FAIL, "time zone", "out of memory");
        doctor_why(d, "it was not checked");
        doctor_mend(d, "run 'leasectl doctor' again");
    } else if (*was != '\0' && *now != '\0' && strcmp(was, now) != 0) {
        doctor_report(d, RESULT_FAIL, "time zone",
                      "akc prints the ends of leases for an sshd with %s, and this one has %s", was,
                      now);
        doctor_why(d, "leases end hours too early or too late");
        doctor_mend(d, "leasectl setup");
    } else if (*now != '\0')
        doctor_report(d, RESULT_OK, "time zone",
                      "OpenSSH %u.%u reads no UTC: akc prints the ends of leases for it with %s",
                      d->dialect.version.major, d->dialect.version.minor, now);
    buf_release(&made_for);
    buf_release(&current);
}

/* Is the text between the header and the end the same? The header names the version. */
static const char *body_of(const char *text)
{
    const char *body = strstr(text, "\n\n");
    return body != NULL ? body + 2 : text;
}

/* The first line that differs, as a clause. */
static void add_difference(const char *have, const char *want, struct buf *out)
{
    const char *h = body_of(have), *w = body_of(want);
    unsigned number = 1;
    for (const char *p = have; p < h; p++)
        number += *p == '\n';
    for (;; number++) {
        const size_t h_len = strcspn(h, "\n"), w_len = strcspn(w, "\n");
        if (h_len != w_len || strncmp(h, w, h_len) != 0 || *h == '\0' || *w == '\0') {
            const size_t h_skip = strspn(h, " "), w_skip = strspn(w, " ");
            buf_addf(out, "line %u is '%.*s', and setup would write '%.*s'", number,
                     h_len > h_skip ? (int)(h_len - h_skip) : 0, h + h_skip,
                     w_len > w_skip ? (int)(w_len - w_skip) : 0, w + w_skip);
            return;
        }
        h += h_len + 1;
        w += w_len + 1;
    }
}

static void report_edited(struct doctor_run *d, const char *difference)
{
    doctor_report(d, RESULT_FAIL, "drop-in", "'%s' was edited by hand: %s", SSHD_DROPIN,
                  difference);
    doctor_why(d, "setup does not overwrite it, so changes of the configuration do not reach sshd");
    if (d->ctl->conf_file != NULL)
        doctor_mend(d, "leasectl -c '%s' sshd-config >%s", d->ctl->conf_file, SSHD_DROPIN);
    else
        doctor_mend(d, "leasectl sshd-config >%s", SSHD_DROPIN);
    place_mend_reload(d, " && ");
}

static void report_outdated(struct doctor_run *d, const char *text, const char *difference)
{
    struct sshd_version made_for;
    if (matchblock_read_version(text, &made_for) &&
        !sshd_same_version(&made_for, &d->dialect.version)) {
        doctor_report(d, RESULT_FAIL, "drop-in",
                      "'%s' was made for OpenSSH %u.%u, and %u.%u serves now: %s", SSHD_DROPIN,
                      made_for.major, made_for.minor, d->dialect.version.major,
                      d->dialect.version.minor, difference);
        doctor_why(d, "what this version knows to refuse may be open");
    } else {
        doctor_report(d, RESULT_FAIL, "drop-in", "'%s' is out of date: %s", SSHD_DROPIN,
                      difference);
        doctor_why(d, "sshd goes by the configuration of before: what was taken away may be open, "
                      "and what was added is refused");
    }
    doctor_mend(d, "leasectl setup");
}

static void check_text(struct doctor_run *d, const char *text)
{
    struct buf wanted = {0}, difference = {0};
    matchblock_format(&d->ctl->conf, d->ctl->conf_file, &d->dialect, &wanted);
    const char *want = child_text(&wanted);
    if (*want == '\0') {
        doctor_report(d, RESULT_UNKNOWN, "drop-in", "out of memory");
        doctor_why(d, "it was not checked");
        doctor_mend(d, "run 'leasectl doctor' again");
    } else if (strcmp(body_of(text), body_of(want)) == 0) {
        doctor_report(d, RESULT_OK, "drop-in", "'%s' is what setup would write", SSHD_DROPIN);
    } else {
        d->dropin_differs = true;
        add_difference(text, want, &difference);
        if (matchblock_is_unedited(text))
            report_outdated(d, text, child_text(&difference));
        else
            report_edited(d, child_text(&difference));
    }
    buf_release(&wanted);
    buf_release(&difference);
}

/* The command, and what is to be done with an Include line that stands in the wrong place. */
static void mend_include(struct doctor_run *d, const struct sshd_line *misplaced)
{
    static const char include[] = "Include " TUNLEASE_SYSCONFDIR "/ssh/sshd_config.d/*.conf";
    if (misplaced != NULL)
        doctor_mend(d, "sed -i -e '%ud' -e '1i %s' '%s'", misplaced->number, include,
                    misplaced->file);
    else
        doctor_mend(d, "sed -i '1i %s' '%s'", include, place_config(d));
    place_mend_reload(d, " && ");
}

/* False, with a finding: sshd does not read the drop-in, or only for some logins. */
static bool check_is_read(struct doctor_run *d)
{
    const struct conf *conf = &d->ctl->conf;
    const struct sshd_file *file = sshd_lines_file(&d->lines, SSHD_DROPIN);
    const struct sshd_line *include =
        file != NULL && file->include != 0 ? &d->lines.items[file->include - 1] : NULL;
    const struct sshd_line *match =
        include != NULL && include->match != 0 ? &d->lines.items[include->match - 1] : NULL;
    if (d->lines.incomplete || (file != NULL && match == NULL) ||
        (asks_akc(&d->sshd, conf->forward_login) && asks_akc(&d->sshd, conf->agent_login)))
        return true;
    if (match != NULL)
        doctor_report(
            d, RESULT_FAIL, "drop-in",
            "sshd reads '%s' only where 'Match %s' holds: its Include is line %u of '%s', "
            "below that Match of line %u",
            SSHD_DROPIN, match->value, include->number, include->file, match->number);
    else
        doctor_report(d, RESULT_FAIL, "drop-in",
                      "sshd never reads '%s': no Include line of '%s' names it", SSHD_DROPIN,
                      place_config(d));
    doctor_why(d,
               "the Match blocks are in that file: without them sshd never asks akc, and a tunnel "
               "login is one like any other");
    mend_include(d,
                 include != NULL && strcmp(include->file, place_config(d)) == 0 ? include : NULL);
    return false;
}

void check_dropin(struct doctor_run *d)
{
    if (!d->has_dialect)
        return;
    char *text = matchblock_read_dropin();
    if (text == NULL) {
        if (asks_akc(&d->sshd, d->ctl->conf.forward_login))
            return; /* the blocks stand elsewhere: check_settings looks at each setting */
        d->no_blocks = true;
        doctor_report(d, RESULT_FAIL, "drop-in",
                      "the Match blocks are not in force: '%s' is not there", SSHD_DROPIN);
        doctor_why(d, "sshd never asks akc, and a tunnel login is one like any other");
        doctor_mend(d, "leasectl setup");
        return;
    }
    d->no_blocks = !check_is_read(d);
    if (!d->no_blocks)
        check_text(d, text);
    check_zone(d, text);
    free(text);
}
