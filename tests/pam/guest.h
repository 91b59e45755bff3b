/* SPDX-License-Identifier: ISC */
/* What the programs here share: a directory of PAM services and a registry, both their own. */
#ifndef TUNLEASE_TESTS_PAM_GUEST_H
#define TUNLEASE_TESTS_PAM_GUEST_H

#include "tests/pam/key.h"
#include "tests/unit/helpers.h"

#include <pwd.h>
#include <security/pam_appl.h>
#include <stdbool.h>

/* What the stack returns where the module said PAM_IGNORE. The module itself never returns it. */
enum { IGNORED = PAM_AUTHINFO_UNAVAIL };

static const char *module_path, *standin_path;
static char *dir;
static unsigned conversations;

static inline int converse(int count, const struct pam_message **messages,
                           struct pam_response **responses, void *unused)
{
    (void)unused;
    (void)responses;
    for (int i = 0; i < count; i++) /* all messages but pam_debug's own */
        if (strstr(messages[i]->msg, "authinfo_unavail") == NULL)
            conversations++;
    return PAM_CONV_ERR;
}

/*
 * Writes a stack that shows the module's return code: success ends the stack, and so does a
 * refusal; after PAM_IGNORE comes a module that returns IGNORED.
 */
static inline void write_service(const char *service, const char *args)
{
    static const char *const types[] = {"auth", "account", "session", "password"};
    char *path = path_in(dir, service);
    FILE *f = fopen(path, "we");
    assert_non_null(f);
    for (size_t i = 0; i < COUNT(types); i++)
        (void)fprintf(f,
                      "%s [success=done ignore=ignore default=die] %s %s\n"
                      "%s required pam_debug.so auth=authinfo_unavail cred=authinfo_unavail "
                      "acct=authinfo_unavail prechauthtok=authinfo_unavail "
                      "chauthtok=authinfo_unavail open_session=authinfo_unavail "
                      "close_session=authinfo_unavail\n",
                      types[i], module_path, args, types[i]);
    assert_int_equal(fclose(f), 0);
    free(path);
}

static inline pam_handle_t *start(const char *service, const char *user)
{
    static const struct pam_conv conv = {.conv = converse};
    pam_handle_t *pamh = NULL;
    assert_int_equal(pam_start_confdir(service, user, &conv, dir, &pamh), PAM_SUCCESS);
    return pamh;
}

/* Sets name=value, as sshd does for expose_authinfo. NULL: does not set it. */
static inline void put_env(pam_handle_t *pamh, const char *name, const char *value)
{
    char *text = NULL;
    if (value == NULL)
        return;
    assert_true(asprintf(&text, "%s=%s", name, value) > 0);
    assert_int_equal(pam_putenv(pamh, text), PAM_SUCCESS);
    free(text);
}

static inline void copy_standin(const char *name)
{
    size_t len = 0;
    char *path = path_in(dir, name), *mem = read_whole(standin_path, &len);
    write_file(path, mem, len, 0755);
    free(mem);
    free(path);
}

static inline void make_world(void)
{
    char *text = NULL;
    dir = temp_dir_make();
    char *run = path_in(dir, "run"), *conf = path_in(dir, "tunlease.conf");
    char *sessions = path_in(dir, "run/sessions"), *lock = path_in(dir, "run/lock");
    assert_int_equal(mkdir(run, 0755), 0);
    assert_int_equal(mkdir(sessions, 0750), 0);
    assert_int_equal(mkdir(lock, 0700), 0);
    assert_true(asprintf(&text, "RunDir %s\n", run) > 0);
    write_text(conf, text);
    write_service("other", "");
    free(text);
    free(run);
    free(conf);
    free(sessions);
    free(lock);
}

#endif
