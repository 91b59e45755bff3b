/* SPDX-License-Identifier: ISC */
/*
 * What sshd has in force for each tunnel login and for JoinLogin, keyword by keyword, against what
 * the Match blocks say: for each kind of connection that its configuration can tell apart. sshd -T
 * decides; the files only say where the line stands.
 */
#include "leasectl/child.h"
#include "leasectl/doctor/asked.h"
#include "leasectl/doctor/checks.h"
#include "leasectl/doctor/place.h"
#include "leasectl/host/account.h"
#include "leasectl/host/matchblock.h"
#include "leasectl/host/sshd_settings.h"
#include "lib/base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { VALUE_BYTES = 65536 }; /* of PermitOpen, with many permits */

static const char opens_more[] = "a key can do more than its lease says";
static const char opens_other[] = "a key can do more than its lease says, or less";
static const char other_way_in[] = "somebody without the key of a lease may get in";
static const char not_asked[] =
    "another program decides who is let in, and with what: leases and their ends count for nothing";
static const char no_forward[] = "no forward of a lease works";

/* Why a keyword matters. Those that are not named here open more. */
static const struct {
    const char *keyword, *why;
} reasons[] = {
    {"authenticationmethods", "a key alone may not be enough, or more than a key may be"},
    {"pubkeyauthentication", "no key is accepted, so nobody gets in"},
    {"passwordauthentication", other_way_in},
    {"kbdinteractiveauthentication", other_way_in},
    {"hostbasedauthentication", other_way_in},
    {"authorizedkeysfile",
     "sshd looks there before it asks akc, and a key there has no lease, no end and no limits"},
    {"trustedusercakeys", "who has a certificate of that CA gets in without a lease"},
    {"authorizedprincipalscommand", other_way_in},
    {"authorizedprincipalsfile", other_way_in},
    {"authorizedkeyscommand", not_asked},
    {"authorizedkeyscommanduser", "akc runs as a user who may not read the store, or may do more"},
    {"permitopen", opens_other},
    {"permitlisten", opens_other},
    {"gatewayports", "what is bound with ssh -R can be reached from elsewhere than its lease says"},
    {"disableforwarding", no_forward},
    {"chrootdirectory", "logins fail where that directory is not as sshd wants it"},
    {"banner", "people who are refused are not told whom to ask, or are told something else"},
};

static const char stays_long[] =
    "strangers who hold a connection and do nothing are ended later, by leased alone";

/* The same for JoinLogin, where it matters for another reason. */
static const struct {
    const char *keyword, *why;
} reasons_of_join[] = {
    {"exposeauthinfo", "join is not told which key was verified, and redeems no invite"},
    {"acceptenv", "a client sets the environment of join"},
    {"forcecommand", "whoever joins with any key runs something else than join"},
    {"maxsessions", "one connection tries codes side by side"},
    {"authorizedkeyscommand", "nobody can join, or another program decides who may"},
    {"disableforwarding", "any key opens forwards while an invite is open"},
    {"permittty", "any key gets a terminal while an invite is open"},
    {"unusedconnectiontimeout", stays_long},
    {"channeltimeout", stays_long},
    {"clientaliveinterval", stays_long},
    {"clientalivecountmax", stays_long},
    {"banner", "who is refused is not told that joining needs a key and an open invite"},
};

static const char *why_it_matters_to_join(const char *keyword)
{
    for (size_t i = 0; i < sizeof(reasons_of_join) / sizeof(reasons_of_join[0]); i++)
        if (strcmp(reasons_of_join[i].keyword, keyword) == 0)
            return reasons_of_join[i].why;
    for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++)
        if (strcmp(reasons[i].why, other_way_in) == 0 && strcmp(reasons[i].keyword, keyword) == 0)
            return other_way_in;
    return "a stranger can do more than join";
}

static const char *why_it_matters(const char *keyword, const char *have)
{
    if (strcmp(keyword, "allowtcpforwarding") == 0 && strcmp(have, "no") == 0)
        return no_forward;
    for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++)
        if (strcmp(reasons[i].keyword, keyword) == 0)
            return reasons[i].why;
    return opens_more;
}

static bool has_word(const char *text, const char *word, size_t len)
{
    for (const char *p = text + strspn(text, " "); *p != '\0'; p += strspn(p, " ")) {
        const size_t word_bytes = strcspn(p, " ");
        if (word_bytes == len && strncmp(p, word, len) == 0)
            return true;
        p += word_bytes;
    }
    return false;
}

/* True when each of words is in text. */
static bool has_all_words(const char *text, const char *words)
{
    for (const char *p = words + strspn(words, " "); *p != '\0'; p += strspn(p, " ")) {
        const size_t len = strcspn(p, " ");
        if (!has_word(text, p, len))
            return false;
        p += len;
    }
    return true;
}

/*
 * sshd -T prints the words of PermitOpen and PermitListen in an order of its own. So the words are
 * compared, not the line. Some keywords whose value is none it does not print.
 */
static bool same_value(const char *want, const char *have)
{
    return strcmp(want, *have != '\0' ? have : "none") == 0 ||
           (has_all_words(have, want) && has_all_words(want, have));
}

/* All values of a keyword that may be set more than once, in one line. */
static void read_setting(const struct asked *a, const char *keyword, char have[static VALUE_BYTES])
{
    struct buf all = {0};
    sshd_setting_values(a->effective, keyword, &all);
    (void)snprintf(have, VALUE_BYTES, "%s", child_text(&all));
    for (char *p = have; *p != '\0'; p++)
        *p = *p == '\n' ? ' ' : *p;
    if (*have != '\0')
        have[strlen(have) - 1] = '\0';
    buf_release(&all);
}

/* Without it join works on, or what it opens is ended by another layer, too. */
static bool is_comfort(const char *keyword)
{
    return strcmp(keyword, "banner") == 0 || strcmp(keyword, "channeltimeout") == 0 ||
           times_are_set_by(keyword);
}

static void check_setting(struct asked *a, const char *keyword, const char *want)
{
    char have[VALUE_BYTES];
    read_setting(a, keyword, have);
    if ((!a->joins && times_are_set_by(keyword)) || same_value(want, have))
        return;
    asked_add_wrong(a, is_comfort(keyword) ? RESULT_WARN : RESULT_FAIL, "sshd", keyword,
                    a->joins ? why_it_matters_to_join(keyword) : why_it_matters(keyword, have),
                    "%s is '%s', not '%s'", keyword, *have != '\0' ? have : "none", want);
}

static void check_settings_of(struct asked *a, const char *expected)
{
    const char *rest = expected, *line;
    int len;
    while ((line = text_next_line(&rest, &len)) != NULL) {
        char keyword[64], want[VALUE_BYTES];
        const int word = (int)strcspn(line, " ");
        if (word >= len || (size_t)word >= sizeof(keyword))
            continue;
        (void)snprintf(keyword, sizeof(keyword), "%.*s", word, line);
        (void)snprintf(want, sizeof(want), "%.*s", len - word - 1, line + word + 1);
        check_setting(a, keyword, want);
    }
}

static void report_unanswered(struct doctor_run *d, const char *login, const struct buf *said)
{
    doctor_report(d, RESULT_FAIL, "sshd", "sshd -T fails for '%s': %s", login, child_text(said));
    doctor_why(d, "it cannot be told what sshd has in force for this login");
    doctor_mend(d, "'%s -t' says what sshd does not take", d->sshd.path);
}

static void report_end_of_login(struct asked *a, const char *login)
{
    struct doctor_run *d = a->d;
    if (a->wrong == 0)
        doctor_report(d, RESULT_OK, "sshd",
                      "for '%s' every setting of the Match blocks is in force, from everywhere",
                      login);
    if (a->all->left_out == 0)
        return;
    doctor_report(d, RESULT_UNKNOWN, "sshd",
                  "for '%s' sshd was asked about %zu kinds of connections, and not about %zu more",
                  login, a->all->count, a->all->left_out);
    doctor_why(d, "a Match block that holds for those alone is not found");
    doctor_mend(d, "fewer addresses and ports in the Match lines of '%s'", place_config(d));
}

/* Asks about one connection. What equals the answer for the first one is not compared again. */
static bool check_connection(struct asked *a, const char *expected, struct buf *first)
{
    struct buf effective = {0};
    const bool answered = sshd_effective_for(&a->d->sshd, a->c, &effective) == 0;
    a->effective = &effective;
    if (!answered)
        report_unanswered(a->d, a->c->login, &effective);
    else if (strcmp(child_text(&effective), child_text(first)) != 0) {
        check_settings_of(a, expected);
        if (!a->joins)
            check_times(a);
    }
    if (answered && first->len == 0)
        buf_add(first, child_text(&effective));
    a->effective = NULL;
    buf_release(&effective);
    return answered;
}

static int check_member(void *arg, const char *login)
{
    struct asked *a = arg;
    if (login_name_problem(login) != NULL) /* check_admission reports it; sshd cannot be asked */
        return 0;
    struct connections *all = calloc(1, sizeof(*all));
    struct buf expected = {0}, first = {0};
    bool answered = all != NULL;
    if (all == NULL) {
        a->lost = true;
        goto out;
    }
    connections_for(a->d, login, all);
    matchblock_expected(&a->d->ctl->conf, a->d->ctl->conf_file, &a->d->dialect, login, &expected);
    a->all = all;
    a->wrong = 0;
    for (size_t i = 0; answered && i < all->count; i++) {
        a->c = &all->items[i];
        answered = check_connection(a, child_text(&expected), &first);
    }
    if (answered)
        report_end_of_login(a, login);
out:
    a->all = NULL;
    a->c = NULL;
    buf_release(&first);
    buf_release(&expected);
    free(all);
    return 0;
}

/* Not in a Match block, so for all logins at once. */
static void check_use_pam(struct doctor_run *d)
{
    const struct sshd_connection nobody = {.login = ""};
    struct buf place = {0};
    char have[16];
    sshd_setting(&d->global, "usepam", have, sizeof(have));
    if (have[0] == '\0' || strcmp(have, "yes") == 0)
        return;
    const struct sshd_line *line = place_find(d, "usepam", &nobody);
    place_add(d, line, &place);
    doctor_report(d, RESULT_FAIL, "sshd", "UsePAM is not yes%s", child_text(&place));
    doctor_why(d, "pam_tunnel is never asked, so live sessions are not registered and nothing "
                  "ends them, and a locked account ('!') refuses its keys");
    if (line != NULL)
        doctor_mend(d, "'UsePAM yes' in line %u of '%s'", line->number, line->file);
    else
        doctor_mend(d, "'UsePAM yes' as the first line of '%s'", place_config(d));
    place_mend_reload(d, "; then: ");
    buf_release(&place);
}

void check_settings(struct doctor_run *d)
{
    struct asked a = {.d = d};
    if (!d->has_dialect)
        return;
    check_use_pam(d);
    if (d->no_blocks) /* one finding says so, in place of one for each setting */
        return;
    (void)account_each(d->ctl->conf.tunnel_group, check_member, &a);
    a.joins = true;
    if (d->ctl->conf.join_login[0] != '\0')
        (void)check_member(&a, d->ctl->conf.join_login);
    asked_report(&a);
    report_times(&a);
}
