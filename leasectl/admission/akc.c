/* SPDX-License-Identifier: ISC */
/* Does akc print a line for the key when it runs as sshd runs it? */
#include "leasectl/admission/inquiry.h"
#include "leasectl/child.h"
#include "leasectl/host/sshd_settings.h"

#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { WORDS_MAX = 12, COMMAND_BYTES = 1024, AKC_MS = 5000 };

/* True if akc would log nothing but a failure: the lease admits the key, and akc is who is asked.
 */
static bool is_to_be_asked(const struct inquiry *i)
{
    const struct admission_findings *f = &i->answer->findings;
    for (size_t n = 0; n < f->count; n++)
        if ((f->items[n].layer == ADMISSION_LEASE && f->items[n].effect == ADMISSION_REFUSES) ||
            strcmp(f->items[n].rule, "keys_command") == 0)
            return false;
    return geteuid() == 0 && i->settings.len > 0 && i->answer->line.len > 0;
}

/* The words of AuthorizedKeysCommand with sshd's tokens expanded; command is cut up. */
static void expand(const struct inquiry *i, char *command, const char *argv[static WORDS_MAX + 1])
{
    size_t n = 0;
    for (char *word; n < WORDS_MAX && (word = strsep(&command, " ")) != NULL;) {
        if (strcmp(word, "%u") == 0)
            argv[n++] = i->q->login;
        else if (strcmp(word, "%t") == 0)
            argv[n++] = i->q->key->type;
        else if (strcmp(word, "%k") == 0)
            argv[n++] = i->q->key->base64;
        else
            argv[n++] = word;
    }
    argv[n] = NULL;
}

void ask_akc(struct inquiry *i)
{
    char command[COMMAND_BYTES], user[128];
    const char *argv[WORDS_MAX + 1];
    struct child c;
    struct admission_findings *f = &i->answer->findings;
    if (!is_to_be_asked(i))
        return;
    sshd_setting(&i->settings, "authorizedkeyscommand", command, sizeof(command));
    sshd_setting(&i->settings, "authorizedkeyscommanduser", user, sizeof(user));
    const struct passwd *pw = getpwnam(user);
    if (pw == NULL) /* ask_sshd_key has said it */
        return;
    expand(i, command, argv);
    const struct child_user as = {.name = user, .uid = pw->pw_uid, .gid = pw->pw_gid};
    int status = child_run_as(&c, argv, &as, AKC_MS);
    if (status == CHILD_NOT_STARTED)
        finding_add(f, ADMISSION_LEASE, ADMISSION_REFUSES, "akc",
                    "the lease is good, but sshd cannot run '%s' as '%s': %s", argv[0], user,
                    child_text(&c.err_text));
    else if (status != 0 || c.out_text.len == 0)
        finding_add(f, ADMISSION_LEASE, ADMISSION_REFUSES, "akc",
                    "the lease is good, but akc as '%s' prints no line for it (exit %d)", user,
                    status);
    if (status != 0 || c.out_text.len == 0) {
        finding_why(f, "sshd then refuses the key");
        finding_mend(f, "leasectl doctor; the reason is in the system log: journalctl -t akc");
    }
    child_release(&c);
}
