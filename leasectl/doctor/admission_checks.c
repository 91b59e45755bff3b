/* SPDX-License-Identifier: ISC */
/*
 * Would each tunnel login be admitted, with the types of key that its leases hold? What explain
 * asks for one key is asked here for all.
 */
#include "leasectl/admission/admission.h"
#include "leasectl/ctl_store.h"
#include "leasectl/doctor/checks.h"
#include "leasectl/host/account.h"
#include "lib/base/buf.h"
#include "lib/base/text.h"
#include "lib/lease/name.h"
#include "lib/store/login.h"

#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>

enum { KEY_TYPES_MAX = 16 };

/* One key of each type that active leases of a login hold: of RSA, the shortest. */
struct key_types {
    struct pubkey items[KEY_TYPES_MAX];
    size_t count;
};

struct admission_check {
    struct doctor_run *d;
    struct key_types *types;
    struct admission_findings found; /* of all logins, each once */
};

static int add_type(void *ctx, const struct lease *l, const struct pubkey *key)
{
    struct key_types *types = ctx;
    size_t i = 0;
    (void)l;
    while (i < types->count && strcmp(types->items[i].type, key->type) != 0)
        i++;
    if (i == KEY_TYPES_MAX)
        return 0;
    if (i == types->count)
        types->items[types->count++] = *key;
    else if (strlen(key->base64) < strlen(types->items[i].base64))
        types->items[i] = *key;
    return 0;
}

/* No key where the store cannot be read: another check reports that. */
static void read_key_types(struct doctor_run *d, const char *login, struct key_types *types)
{
    char why[STORE_ERROR_BYTES];
    types->count = 0;
    if (ctl_open_read_silently(d->ctl, why) == EXIT_DONE)
        (void)store_login_keys(d->ctl->store, login, d->ctl->now_s, add_type, types);
    ctl_close(d->ctl);
}

/* True if the group is login's own, and not one that lists it as a member. */
static bool is_primary(const char *login, const char *group)
{
    const struct passwd *pw = getpwnam(login);
    const struct group *gr = getgrnam(group);
    return pw != NULL && gr != NULL && pw->pw_gid == gr->gr_gid;
}

/* A name that sshd would read as several words, a pattern or another name. */
static bool check_name(struct doctor_run *d, const char *login)
{
    const char *problem = login_name_problem(login);
    if (problem == NULL)
        return true;
    doctor_report(d, RESULT_FAIL, "admission", "the group '%s' has a member named '%s'",
                  d->ctl->conf.tunnel_group, login);
    doctor_why(d,
               "the name %s: in a Match or AllowUsers line sshd would take it for something else, "
               "so no ceiling of its own holds for it",
               problem);
    if (is_primary(login, d->ctl->conf.tunnel_group))
        doctor_mend(d, "usermod -g nogroup '%s'", text_clip(login).s);
    else
        doctor_mend(d, "gpasswd -d '%s' %s", text_clip(login).s, d->ctl->conf.tunnel_group);
    return false;
}

static void report_admitted(struct doctor_run *d, const char *login, const struct key_types *types)
{
    struct buf names = {0};
    for (size_t i = 0; i < types->count; i++)
        buf_addf(&names, "%s%s", i > 0 ? ", " : " with keys of type ", types->items[i].type);
    doctor_report(d, RESULT_OK, "admission", "sshd, the account and PAM admit '%s'%s", login,
                  buf_text_or(&names, ""));
    buf_release(&names);
}

static int check_member(void *ctx, const char *login)
{
    struct admission_check *check = ctx;
    if (!check_name(check->d, login))
        return 0;
    read_key_types(check->d, login, check->types);
    const size_t findings =
        admission_ask_host(check->d->ctl, &check->d->sshd, login, check->types->items,
                           check->types->count, &check->found);
    if (findings == 0 && !check->found.failed)
        report_admitted(check->d, login, check->types);
    return 0;
}

/* Is the finding about what a lease's own key cannot show? It is no fault of this host. */
static bool is_of_the_key(const struct admission_finding *f)
{
    return f->effect == ADMISSION_NOT_ASKED && strcmp(f->rule, "pubkey_auth_options") == 0;
}

/* check_settings compares every setting of our Match blocks, check_pam reads the stacks, and
 * check_registry has the registry. */
static bool is_of_another_check(const struct admission_finding *f)
{
    static const char *const rules[] = {"pubkey_authentication",
                                        "authentication_methods",
                                        "authorized_keys_file",
                                        "chroot",
                                        "keys_command",
                                        "pam_files",
                                        "registry"};
    for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
        if (strcmp(f->rule, rules[i]) == 0)
            return true;
    return false;
}

static void report_no_memory(struct doctor_run *d)
{
    doctor_report(d, RESULT_UNKNOWN, "admission", "out of memory");
    doctor_why(d, "not all that may refuse a login was asked");
    doctor_mend(d, "leasectl doctor");
}

static void report_finding(struct doctor_run *d, const struct admission_finding *f)
{
    static const enum result results[] = {[ADMISSION_REFUSES] = RESULT_FAIL,
                                          [ADMISSION_ELSEWHERE] = RESULT_FAIL,
                                          [ADMISSION_ENDANGERS] = RESULT_WARN,
                                          [ADMISSION_NOT_ASKED] = RESULT_UNKNOWN};
    doctor_report(d, results[f->effect], "admission", "%s", buf_text_or(&f->what, "out of memory"));
    doctor_why(d, "%s", buf_text_or(&f->why, "out of memory"));
    doctor_mend(d, "%s", buf_text_or(&f->mend, "out of memory"));
}

/* JoinLogin has no lease. check_join has its account and check_pam the stacks, so only what sshd
 * itself refuses is left. */
static void check_join_login(struct doctor_run *d)
{
    struct admission_findings found = {0};
    const char *login = d->ctl->conf.join_login;
    if (*login == '\0' || getpwnam(login) == NULL)
        return;
    (void)admission_ask_host(d->ctl, &d->sshd, login, NULL, 0, &found);
    for (size_t i = 0; i < found.count; i++)
        if (found.items[i].layer == ADMISSION_SSHD && !is_of_another_check(&found.items[i]))
            report_finding(d, &found.items[i]);
    if (found.failed)
        report_no_memory(d);
    findings_release(&found);
}

void check_admission(struct doctor_run *d)
{
    struct admission_check check = {.d = d};
    if (!d->has_dialect) /* check_sshd has reported it */
        return;
    check.types = calloc(1, sizeof(*check.types));
    if (check.types == NULL) {
        report_no_memory(d);
        return;
    }
    (void)account_each(d->ctl->conf.tunnel_group, check_member, &check);
    for (size_t i = 0; i < check.found.count; i++)
        if (!is_of_the_key(&check.found.items[i]) && !is_of_another_check(&check.found.items[i]))
            report_finding(d, &check.found.items[i]);
    if (check.found.failed)
        report_no_memory(d);
    check_join_login(d);
    findings_release(&check.found);
    free(check.types);
}
