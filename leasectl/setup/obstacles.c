/* SPDX-License-Identifier: ISC */
/*
 * What of somebody else's in sshd's configuration keeps a first setup from coming to anything. Then
 * sshd is left as it is, for a reload would only bring a host into a state that serves nobody.
 */
#include "leasectl/admission/admission.h"
#include "leasectl/host/matchblock.h"
#include "leasectl/host/sshd.h"
#include "leasectl/host/sshd_settings.h"
#include "leasectl/setup/say.h"
#include "leasectl/setup/steps.h"
#include "lib/lease/keyline.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *config_of(const struct sshd *sshd)
{
    return sshd->config_file[0] != '\0' ? sshd->config_file
                                        : TUNLEASE_SYSCONFDIR "/ssh/sshd_config";
}

static int refuse_to_begin(const struct ctl *ctl, const char *what, const char *mend)
{
    return ctl_error(ctl, EXIT_FAILED,
                     "%s. Nothing was changed, and sshd was not told to reload. %s, "
                     "then run 'leasectl setup'",
                     what, mend);
}

/* Sessions are registered by pam_tunnel, and what is not registered cannot be ended. */
static int check_pam_is_used(const struct ctl *ctl, const struct sshd *sshd)
{
    struct buf settings = {0};
    char value[16] = "", mend[SSHD_PATH_BYTES + 64];
    if (sshd_effective(sshd, NULL, &settings) == 0)
        sshd_setting(&settings, "usepam", value, sizeof(value));
    buf_release(&settings);
    if (strcmp(value, "no") != 0)
        return EXIT_DONE;
    (void)snprintf(mend, sizeof(mend), "Set 'UsePAM yes' in '%s'", config_of(sshd));
    return refuse_to_begin(ctl,
                           "sshd has 'UsePAM no': pam_tunnel would never learn of a tunnel, and "
                           "nothing could end it when its lease ends",
                           mend);
}

int check_sshd_is_sound(struct ctl *ctl)
{
    struct sshd sshd;
    struct buf why = {0}, what = {0};
    char *old = matchblock_read_dropin();
    int code = EXIT_DONE;
    /* Where the drop-in is there, it may be what sshd refuses, and setup what mends it. */
    if (geteuid() != 0 || old != NULL)
        goto out;
    if (sshd_find(&ctl->conf, &sshd, &why) != 0) {
        code = setup_fail(ctl, EXIT_FAILED, &why);
        goto out;
    }
    if (sshd_test(&sshd, &why) == 0) {
        code = check_pam_is_used(ctl, &sshd);
        goto out;
    }
    buf_addf(&what, "'sshd -t' refuses the configuration that is there: %s",
             buf_text_or(&why, "out of memory"));
    code = refuse_to_begin(ctl, buf_text_or(&what, "out of memory"), "Mend that");
out:
    free(old);
    buf_release(&what);
    buf_release(&why);
    return code;
}

/* Some setting of ours is in force for login: then sshd reads the file, whatever stands before it.
 */
static bool is_read(const struct sshd *sshd, const char *login)
{
    struct buf settings = {0};
    char user[64] = SETUP_AKC_USER, command[256] = "";
    if (sshd_effective(sshd, login, &settings) == 0) {
        sshd_setting(&settings, "authorizedkeyscommanduser", user, sizeof(user));
        sshd_setting(&settings, "forcecommand", command, sizeof(command));
    }
    buf_release(&settings);
    return strcmp(user, SETUP_AKC_USER) == 0 || strcmp(command, KEYLINE_COMMAND) == 0;
}

static const struct admission_finding *first_of_sshd(const struct admission_findings *f)
{
    for (size_t i = 0; i < f->count; i++)
        if (f->items[i].layer == ADMISSION_SSHD &&
            (f->items[i].effect == ADMISSION_REFUSES || f->items[i].effect == ADMISSION_ELSEWHERE))
            return &f->items[i];
    return NULL;
}

/* Adds why sshd would admit no key of login. False: it would. */
static bool add_refusal(struct ctl *ctl, const struct sshd *sshd, const char *login,
                        struct buf *out)
{
    struct admission_findings found = {0};
    (void)admission_ask_host(ctl, sshd, login, NULL, 0, &found);
    const struct admission_finding *f = first_of_sshd(&found);
    if (f != NULL)
        buf_addf(out, "%s%s: %s", out->len > 0 ? "; " : "", buf_text_or(&f->what, "refused"),
                 buf_text_or(&f->mend, "leasectl doctor"));
    findings_release(&found);
    return f != NULL;
}

bool sshd_would_serve(struct ctl *ctl, const struct sshd *sshd, struct buf *out)
{
    const struct conf *conf = &ctl->conf;
    struct buf refusals = {0};
    if (!is_read(sshd, conf->forward_login)) {
        buf_addf(out,
                 "sshd does not read '%s': no Include line of '%s' names it. Add the line 'Include "
                 "%s/ssh/sshd_config.d/*.conf' at the top of that file",
                 SSHD_DROPIN, config_of(sshd), TUNLEASE_SYSCONFDIR);
        return false;
    }
    /* One of the two may be meant: then doctor names the other. */
    const bool refused = add_refusal(ctl, sshd, conf->forward_login, &refusals) &&
                         add_refusal(ctl, sshd, conf->agent_login, &refusals);
    if (refused)
        buf_addf(out, "sshd would let no tunnel login in: %s", buf_text_or(&refusals, ""));
    buf_release(&refusals);
    return !refused;
}
