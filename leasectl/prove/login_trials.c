/* SPDX-License-Identifier: ISC */
#include "leasectl/child.h"
#include "leasectl/host/account.h"
#include "leasectl/host/sshd_settings.h"
#include "leasectl/prove/host_trials.h"
#include "lib/base/buf.h"

#include <stdio.h>
#include <string.h>

enum { SU_MS = 5000 };

/* A program that opens a session for a user: su(1) or sudo(8). */
struct opener {
    const char *name;
    const char *argv[8]; /* NULL stands for the user's name */
    size_t words;
};

static const struct opener openers[] = {
    {"su", {"su", "-s", "/bin/sh", NULL, "-c", "true"}, 6},
    {"sudo", {"sudo", "-n", "-u", NULL, "true"}, 5},
};

/* Its exit status; the first line of what it says goes to says. */
static int run_as(const struct opener *o, const char *user, struct buf *says)
{
    const char *argv[9] = {NULL};
    struct child c;
    for (size_t i = 0; i < o->words; i++)
        argv[i] = o->argv[i] != NULL ? o->argv[i] : user;
    const int status = child_run(&c, argv, NULL, NULL, SU_MS);
    child_add_first_line(&c.err_text, says);
    child_release(&c);
    return status;
}

/* It must work for root: else that it does not for a login shows nothing. */
static bool works_for_root(const struct opener *o)
{
    struct buf says = {0};
    const int status = run_as(o, "root", &says);
    buf_release(&says);
    return status == 0;
}

static void try_opener(struct proof *p, const struct opener *o, const char *login)
{
    struct buf says = {0};
    char what[128];
    (void)snprintf(what, sizeof(what), "%s: %s", login, o->name);
    const int status = run_as(o, login, &says);
    if (status == 0)
        proof_add(p, "su", what, OUTCOME_FAIL, "a program ran as that login");
    else if (status == CHILD_OUT_OF_TIME)
        proof_add(p, "su", what, OUTCOME_NOT_RUN, "it did not end");
    else
        proof_add(p, "su", what, OUTCOME_PASS, "%s",
                  says.len > 0 ? child_text(&says) : "it was refused");
    buf_release(&says);
}

/* sshd reads these before it asks akc. */
static void try_keys(struct proof *p, const char *login, const struct sshd *sshd)
{
    struct buf effective = {0}, bad = {0};
    char file[256], path[256], authority[256];
    if (sshd == NULL || sshd_effective(sshd, login, &effective) != 0) {
        proof_add(p, "stray-keys", login, OUTCOME_NOT_RUN, "sshd -T does not answer: %s",
                  child_text(&effective));
        goto out;
    }
    sshd_setting(&effective, "authorizedkeysfile", file, sizeof(file));
    sshd_setting(&effective, "trustedusercakeys", authority, sizeof(authority));
    if (strcmp(file, "none") != 0)
        buf_addf(&bad, "AuthorizedKeysFile is '%s'", file);
    if (authority[0] != '\0' && strcmp(authority, "none") != 0)
        buf_addf(&bad, "%sTrustedUserCAKeys is '%s'", bad.len > 0 ? ", " : "", authority);
    const bool has_file = account_has_authorized_keys(login, path, sizeof(path)) == SIGHT_IS;
    if (bad.len > 0 && has_file)
        buf_addf(&bad, ", and '%s' has keys", path);
    proof_judge(p, "stray-keys", login, child_text(&bad),
                has_file ? "sshd reads no file of keys, though there is one"
                         : "sshd reads no file of keys and trusts no authority");
out:
    buf_release(&effective);
    buf_release(&bad);
}

void try_logins(struct proof *p, const struct verifies *v, const struct sshd *sshd)
{
    for (size_t i = 0; i < sizeof(openers) / sizeof(openers[0]); i++) {
        proof_show_progress(p, openers[i].name);
        const bool works = proof_has_time(p) && works_for_root(&openers[i]);
        if (!works && strcmp(openers[i].name, "su") == 0)
            proof_not_run(p, (const char *const[]){"su", NULL},
                          "su works for no user here, so its refusal would show nothing");
        for (size_t k = 0; works && k < v->count; k++)
            try_opener(p, &openers[i], v->runs[k].login);
    }
    for (size_t k = 0; k < v->count; k++)
        try_keys(p, v->runs[k].login, sshd);
}
