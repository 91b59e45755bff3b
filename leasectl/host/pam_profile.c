/* SPDX-License-Identifier: ISC */
#include "leasectl/host/pam_profile.h"

#include "leasectl/host/filesystem.h"
#include "leasectl/host/tool.h"
#include "lib/base/buf.h"
#include "lib/conf/join_login.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { TOOL_MS = 60000 };

static const char default_group[] = "_tunnel";
static const char module[] = PAM_TUNNEL_MODULE;
static const char pam_d[] = TUNLEASE_SYSCONFDIR "/pam.d";

/* The files that pam-auth-update(8) writes. Not common-password: with a line before pam_unix there,
 * it adds use_authtok to pam_unix, and nobody can change a password any more. */
static const struct stack {
    const char *file, *type;
} stacks[] = {{"common-auth", "auth"},
              {"common-account", "account"},
              {"common-session", "session"},
              {"common-session-noninteractive", "session"}};

/* module_unknown=ignore: a missing module locks nobody out (docs/sshd-facts.md 13). */
static const char control[] = "[success=ignore ignore=ignore module_unknown=ignore default=die]";
static const char session_control[] =
    "[success=ok ignore=ignore module_unknown=ignore default=die]";

static bool is_joined(const struct ctl *ctl)
{
    return ctl->conf.join_login[0] != '\0';
}

/* Each argument with a blank before it. */
static void add_arguments(const struct ctl *ctl, bool joins, struct buf *out)
{
    if (strcmp(ctl->conf.tunnel_group, default_group) != 0)
        buf_addf(out, " group=%s", ctl->conf.tunnel_group);
    if (joins)
        buf_add(out, " " PAM_TUNNEL_JOIN_GROUP JOIN_GROUP);
    if (ctl->conf_file != NULL && strcmp(ctl->conf_file, CONF_DEFAULT_FILE) != 0)
        buf_addf(out, " conf=%s", ctl->conf_file);
}

void pam_profile_format(const struct ctl *ctl, struct buf *out)
{
    struct buf args = {0};
    add_arguments(ctl, is_joined(ctl), &args);
    const char *words = buf_text_or(&args, "");
    /*
     * Primary, with a priority above pam_unix's 256: an Additional line is skipped when the
     * password has expired (docs/sshd-facts.md 13).
     */
    buf_addf(out,
             "Name: Tunnel logins: no session but a leased tunnel\n"
             "Default: no\n"
             "Priority: 900\n"
             "Auth-Type: Primary\n"
             "Auth:\n"
             "\t%s\t%s%s\n"
             "Account-Type: Primary\n"
             "Account:\n"
             "\t%s\t%s%s\n"
             "Session-Type: Additional\n"
             "Session:\n"
             "\t%s\t%s%s\n",
             control, module, words, control, module, words, session_control, module, words);
    buf_release(&args);
}

void pam_profile_add_line(const struct ctl *ctl, const char *type, struct buf *out)
{
    buf_addf(out, "%s %s %s", type, strcmp(type, "session") == 0 ? session_control : control,
             module);
    add_arguments(ctl, is_joined(ctl), out);
}

void pam_profile_add_arguments(const struct ctl *ctl, struct buf *out)
{
    struct buf args = {0};
    add_arguments(ctl, is_joined(ctl), &args);
    if (args.len > 0 && buf_text(&args) != NULL)
        buf_add(out, buf_text(&args) + 1);
    out->failed |= args.failed;
    buf_release(&args);
}

static bool are_arguments(const struct ctl *ctl, bool joins, const char *args)
{
    struct buf want = {0};
    add_arguments(ctl, joins, &want);
    const char *text = buf_text_or(&want, "");
    const bool same = strcmp(args, *text == ' ' ? text + 1 : text) == 0 && !want.failed;
    buf_release(&want);
    return same;
}

bool pam_profile_arguments_are_right(const struct ctl *ctl, const char *args)
{
    if (are_arguments(ctl, is_joined(ctl), args))
        return true;
    return !is_joined(ctl) && filesystem_is_read_only(pam_d) && are_arguments(ctl, true, args);
}

/* Reads the module's arguments from the file of a stack. False: it does not name the module. */
static bool read_module_arguments(const char *file, const char *type, char *args, size_t args_bytes)
{
    char path[256], line[1024];
    bool found = false;
    (void)snprintf(path, sizeof(path), "%s/%s", pam_d, file);
    FILE *f = fopen(path, "re");
    while (f != NULL && !found && fgets(line, sizeof(line), f) != NULL) {
        const char *at = strstr(line, module);
        if (strncmp(line, type, strlen(type)) != 0 || at == NULL)
            continue;
        found = true;
        at += sizeof(module) - 1;
        at += strspn(at, " \t");
        (void)snprintf(args, args_bytes, "%.*s", (int)strcspn(at, "\r\n"), at);
    }
    if (f != NULL)
        (void)fclose(f);
    return found;
}

static void trim(char *s)
{
    size_t len = strlen(s);
    while (len > 0 && (s[len - 1] == ' ' || s[len - 1] == '\t'))
        s[--len] = '\0';
}

void pam_profile_check(const struct ctl *ctl, struct buf *out)
{
    char have[512];
    struct buf want = {0};
    pam_profile_add_arguments(ctl, &want);
    const char *wanted = buf_text_or(&want, "");
    for (size_t i = 0; i < sizeof(stacks) / sizeof(stacks[0]); i++) {
        if (!read_module_arguments(stacks[i].file, stacks[i].type, have, sizeof(have))) {
            buf_addf(out, "%s/%s lacks %s\n", pam_d, stacks[i].file, module);
            continue;
        }
        trim(have);
        if (!pam_profile_arguments_are_right(ctl, have))
            buf_addf(out, "%s/%s has %s with '%s', and the configuration wants '%s'\n", pam_d,
                     stacks[i].file, module, have, wanted);
    }
    buf_release(&want);
}

bool pam_profile_is_applied(void)
{
    char args[512];
    for (size_t i = 0; i < sizeof(stacks) / sizeof(stacks[0]); i++)
        if (read_module_arguments(stacks[i].file, stacks[i].type, args, sizeof(args)))
            return true;
    return false;
}

bool pam_profile_in_force(const struct ctl *ctl)
{
    struct buf found = {0};
    pam_profile_check(ctl, &found);
    bool good = found.len == 0 && access(TUNLEASE_PAMDIR "/pam_tunnel.so", R_OK) == 0;
    buf_release(&found);
    return good;
}

static const char tool[] = "/usr/sbin/pam-auth-update";

bool pam_profile_can_apply(void)
{
    return access(tool, X_OK) == 0;
}

static int run_tool(const char *option, struct buf *out)
{
    const char *const argv[] = {tool, "--package", option, "tunlease", NULL};
    const char *const env[] = {"DEBIAN_FRONTEND=noninteractive", "DEBCONF_NONINTERACTIVE_SEEN=true",
                               NULL};
    char name[64];
    (void)snprintf(name, sizeof(name), "%s %s", tool, option);
    return tool_run(name, argv, env, TOOL_MS, out);
}

int pam_profile_apply(const struct ctl *ctl, struct buf *out)
{
    if (run_tool("--enable", out) != 0)
        return -1;
    /* pam-auth-update does not change files that were edited by hand, and says so only on a
     * terminal. */
    struct buf found = {0};
    pam_profile_check(ctl, &found);
    int rc = found.len == 0 ? 0 : -1;
    const char *text = buf_text(&found);
    if (rc != 0)
        buf_addf(out,
                 "pam-auth-update did not change the stacks: were they edited by hand? (%.*s) "
                 "'pam-auth-update --force' writes them anew",
                 (int)strcspn(text != NULL ? text : "", "\n"), text != NULL ? text : "");
    buf_release(&found);
    return rc;
}

int pam_profile_remove(struct buf *out)
{
    if (run_tool("--remove", out) != 0)
        return -1;
    if (!pam_profile_is_applied())
        return 0;
    buf_addf(out,
             "pam-auth-update did not take %s out of the stacks: were they edited by hand? "
             "'pam-auth-update --force' writes them anew, or take its lines out yourself",
             module);
    return -1;
}
