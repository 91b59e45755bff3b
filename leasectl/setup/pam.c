/* SPDX-License-Identifier: ISC */
/* Adds pam_tunnel to the PAM stacks, and removes it again. */
#include "leasectl/host/filesystem.h"
#include "leasectl/host/pam_profile.h"
#include "leasectl/host/textfile.h"
#include "leasectl/setup/say.h"
#include "leasectl/setup/steps.h"

#include <stdlib.h>
#include <string.h>

static const char profile_d[] = TUNLEASE_DATADIR "/pam-configs";

/* The last step before sshd reads its drop-in: from here on a tunnel login gets no session but a
 * leased tunnel. */
int step_pam(struct ctl *ctl, bool dry_run)
{
    struct buf wanted = {0}, found = {0}, why = {0};
    int code = EXIT_DONE;
    char *old = textfile_read(PAM_PROFILE);

    pam_profile_format(ctl, &wanted);
    pam_profile_check(ctl, &found);
    if (buf_text(&wanted) == NULL) {
        code = ctl_error(ctl, EXIT_FAILED, "out of memory");
        goto out;
    }
    bool same = old != NULL && strcmp(old, buf_text(&wanted)) == 0;
    /* The stacks are what libpam reads. The profile makes them, on a root that can be written. */
    if (found.len == 0 && (same || filesystem_is_read_only(profile_d)))
        goto out;
    if (!pam_profile_can_apply()) {
        ctl_warn(ctl, "this host has no pam-auth-update: put pam_tunnel.so first into the auth, "
                      "account and session stacks yourself, as pam_tunnel(8) shows");
        goto out;
    }
    setup_say(ctl, dry_run, "add pam_tunnel to the PAM stacks (pam-auth-update)");
    if (dry_run)
        goto out;
    if (!same)
        code = textfile_write(ctl, PAM_PROFILE, buf_text(&wanted));
    if (code == EXIT_DONE && pam_profile_apply(ctl, &why) != 0)
        code = setup_fail(ctl, EXIT_FAILED, &why);
out:
    free(old);
    buf_release(&wanted);
    buf_release(&found);
    return code;
}

/* The profile stays where it is, as the package or `make install` has put it: without joining. */
static int forget_join(struct ctl *ctl)
{
    struct conf *conf = &ctl->conf;
    struct buf text = {0};
    char login[sizeof(conf->join_login)];
    int code = EXIT_DONE;
    char *old = textfile_read(PAM_PROFILE);
    memcpy(login, conf->join_login, sizeof(login));
    conf->join_login[0] = '\0';
    pam_profile_format(ctl, &text);
    memcpy(conf->join_login, login, sizeof(login));
    if (old != NULL && strstr(old, PAM_TUNNEL_JOIN_GROUP) != NULL && buf_text(&text) != NULL)
        code = textfile_write(ctl, PAM_PROFILE, buf_text(&text));
    free(old);
    buf_release(&text);
    return code;
}

/* To be done before the module is removed: a stack that names a missing module lets people in, but
 * logs an error each time. */
int undo_pam(struct ctl *ctl, bool dry_run)
{
    struct buf why = {0};
    if (!pam_profile_is_applied())
        return EXIT_DONE;
    if (!pam_profile_can_apply()) {
        ctl_warn(ctl, "this host has no pam-auth-update: take pam_tunnel.so out of the PAM stacks "
                      "yourself, before the module goes");
        return EXIT_DONE;
    }
    setup_say(ctl, dry_run, "take pam_tunnel out of the PAM stacks (pam-auth-update)");
    if (dry_run)
        return EXIT_DONE;
    if (pam_profile_remove(&why) != 0)
        return setup_fail(ctl, EXIT_FAILED, &why);
    return forget_join(ctl);
}
