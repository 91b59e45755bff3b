/* SPDX-License-Identifier: ISC */
/* Notes on logins that are none of ours: what else is open on this gateway. */
#include "leasectl/child.h"
#include "leasectl/doctor/checks.h"
#include "leasectl/doctor/place.h"
#include "leasectl/host/account.h"
#include "leasectl/host/sshd_settings.h"

#include <pwd.h>
#include <stdio.h>
#include <string.h>

/* The first account that a person could have: a shell, and a number as people have. */
static bool find_person(const struct conf *conf, char login[static LOGIN_NAME_BYTES])
{
    enum { FIRST_UID = 1000, LAST_UID = 60000 };
    const struct passwd *pw;
    bool found = false;
    setpwent();
    while (!found && (pw = getpwent()) != NULL)
        if (pw->pw_uid >= FIRST_UID && pw->pw_uid <= LAST_UID &&
            !account_is_nologin(pw->pw_shell) && strlen(pw->pw_name) < LOGIN_NAME_BYTES) {
            (void)snprintf(login, LOGIN_NAME_BYTES, "%s", pw->pw_name);
            found = true;
        }
    endpwent();
    return found && !account_in_group(login, conf->tunnel_group);
}

static void note(struct doctor_run *d, const struct sshd_connection *c, const char *keyword,
                 const char *written, const char *who, const char *why)
{
    struct buf place = {0};
    const struct sshd_line *line = place_find(d, keyword, c);
    place_add(d, line, &place);
    doctor_report(d, RESULT_NOTE, "others", "%s is 'yes' for %s%s", written, who,
                  child_text(&place));
    doctor_why(d, "%s; of tunnel logins sshd takes keys alone", why);
    if (line != NULL)
        doctor_mend(d, "'%s no' in line %u of '%s', when everybody has a key", written,
                    line->number, line->file);
    else
        doctor_mend(d, "'%s no' as the first line of '%s', when everybody has a key", written,
                    place_config(d));
    place_mend_reload(d, "; then: ");
    buf_release(&place);
}

static void note_passwords(struct doctor_run *d, const struct sshd_connection *c,
                           const struct buf *effective)
{
    static const struct {
        const char *keyword, *written;
    } ways[] = {{"passwordauthentication", "PasswordAuthentication"},
                {"kbdinteractiveauthentication", "KbdInteractiveAuthentication"}};
    char have[32];
    for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
        sshd_setting(effective, ways[i].keyword, have, sizeof(have));
        if (strcmp(have, "yes") == 0)
            note(d, c, ways[i].keyword, ways[i].written, "people",
                 "passwords can be guessed from everywhere");
    }
}

void check_others(struct doctor_run *d)
{
    char person[LOGIN_NAME_BYTES], have[32];
    struct sshd_connection c = {.login = "root",
                                .addr = "192.0.2.1",
                                .host = "192.0.2.1",
                                .laddr = "127.0.0.1",
                                .lport = d->sshd.port != 0 ? d->sshd.port : 22};
    struct buf root = {0}, people = {0};
    if (!d->has_dialect)
        return;
    if (sshd_effective_for(&d->sshd, &c, &root) == 0) {
        sshd_setting(&root, "permitrootlogin", have, sizeof(have));
        if (strcmp(have, "yes") == 0)
            note(d, &c, "permitrootlogin", "PermitRootLogin", "root",
                 "who guesses or steals what root logs in with owns the gateway and all leases");
    }
    if (find_person(&d->ctl->conf, person)) {
        c.login = person;
        if (sshd_effective_for(&d->sshd, &c, &people) == 0)
            note_passwords(d, &c, &people);
    } else
        note_passwords(d, &c, &root);
    buf_release(&root);
    buf_release(&people);
}
