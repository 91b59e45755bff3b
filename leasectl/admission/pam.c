/* SPDX-License-Identifier: ISC */
/*
 * Would PAM let the login in? sshd asks the account stack after it has accepted a key, and the
 * session stack when the connection opens. Modules whose rules are simple files are judged by those
 * files; what others say is not asked, and said to be so.
 */
#include "leasectl/admission/inquiry.h"
#include "leasectl/admission/pam_access.h"
#include "leasectl/admission/pam_stack.h"
#include "leasectl/admission/pam_succeed_if.h"
#include "leasectl/admission/shadow_age.h"
#include "leasectl/host/sshd_settings.h"
#include "lib/base/text.h"
#include "lib/session/registry_read.h"

#include <dirent.h>
#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { NAME_BYTES = 128, PATH_BYTES = 512 };

#define SECURITY_DIR TUNLEASE_SYSCONFDIR "/security"

/* What one stack is followed with. */
struct follower {
    struct inquiry *i;
    const char *service, *type;
};

typedef const char *(*module_fn)(struct follower *fo, const struct pam_step *step);

static const char *say_success(struct follower *fo, const struct pam_step *step)
{
    (void)fo;
    (void)step;
    return "success";
}

static const char *say_denied(struct follower *fo, const struct pam_step *step)
{
    (void)fo;
    (void)step;
    return "auth_err";
}

static void add_not_asked(struct follower *fo, const struct pam_step *step, const char *why,
                          const char *mend)
{
    struct admission_findings *f = &fo->i->answer->findings;
    char name[NAME_BYTES];
    pam_module_name(step->module, name, sizeof(name));
    finding_add(f, ADMISSION_PAM, ADMISSION_NOT_ASKED, "pam_module", "%s (%s)", name, step->where);
    finding_why(f, "%s", why);
    finding_mend(f, "%s", mend);
}

/* ---- modules that read simple files ---- */

/* The file that pam_nologin finds, or NULL. */
static const char *nologin_file(const struct pam_step *step, char path[static PATH_BYTES])
{
    static const char *const files[] = {"/var/run/nologin", TUNLEASE_SYSCONFDIR "/nologin"};
    const char *named = strstr(step->args, "file=");
    if (named != NULL) {
        (void)snprintf(path, PATH_BYTES, "%.*s", (int)strcspn(named + 5, " \t"), named + 5);
        return access(path, F_OK) == 0 ? path : NULL;
    }
    for (size_t n = 0; n < sizeof(files) / sizeof(files[0]); n++)
        if (access(files[n], F_OK) == 0)
            return files[n];
    return NULL;
}

static const char *ask_nologin(struct follower *fo, const struct pam_step *step)
{
    char path[PATH_BYTES];
    (void)fo;
    return nologin_file(step, path) != NULL ? "auth_err" : "ignore";
}

static const char *ask_unix(struct follower *fo, const struct pam_step *step)
{
    (void)step;
    if (strcmp(fo->type, "account") != 0)
        return "success";
    switch (shadow_judge(fo->i)) {
    case SHADOW_GOOD:
        return "success";
    case SHADOW_UNREADABLE:
        shadow_add_finding(fo->i, SHADOW_UNREADABLE);
        return "success";
    case SHADOW_MISSING:
        return "authinfo_unavail";
    case SHADOW_EXPIRED:
        return "acct_expired";
    case SHADOW_PASSWORD_DUE:
        return "new_authtok_reqd";
    case SHADOW_PASSWORD_EXPIRED:
        return "authtok_expired";
    }
    return "success";
}

static const char *ask_access(struct follower *fo, const struct pam_step *step)
{
    struct access_rules rules;
    char path[PATH_BYTES], rule[256];
    const struct admission_question *q = fo->i->q;
    access_rules_parse(step->args, &rules, path, sizeof(path));
    switch (access_rules_admit(&rules, q->login, q->addr, rule, sizeof(rule))) {
    case SIGHT_IS:
        return "success";
    case SIGHT_IS_NOT:
        return "perm_denied";
    case SIGHT_CANNOT_TELL:
        break;
    }
    add_not_asked(fo, step,
                  q->addr == NULL ? "its rules ask for the client's address, which was not named"
                                  : "a rule of its file asks DNS, a netgroup or a terminal",
                  q->addr == NULL ? "leasectl explain LOGIN --key FILE --addr ADDRESS"
                                  : "look at its file, " SECURITY_DIR "/access.conf");
    return "success";
}

/* True if a line of the file that is no comment has the word; "" for any line. */
static bool file_has(const char *path, const char *word)
{
    char line[1024];
    bool found = false;
    FILE *f = fopen(path, "re");
    while (f != NULL && !found && fgets(line, sizeof(line), f) != NULL) {
        line[strcspn(line, "#\n")] = '\0';
        found = line[strspn(line, " \t\r")] != '\0' && strstr(line, word) != NULL;
    }
    if (f != NULL)
        (void)fclose(f);
    return found;
}

static const char *ask_time(struct follower *fo, const struct pam_step *step)
{
    if (file_has(SECURITY_DIR "/time.conf", ""))
        add_not_asked(fo, step,
                      "it refuses logins at the times that " SECURITY_DIR "/time.conf has",
                      "look at its lines, " SECURITY_DIR "/time.conf");
    return "success";
}

/* Its limits hold a session down; only those of the number of logins refuse one. */
static const char *ask_limits(struct follower *fo, const struct pam_step *step)
{
    char path[PATH_BYTES];
    bool found = file_has(SECURITY_DIR "/limits.conf", "logins");
    DIR *dir = opendir(SECURITY_DIR "/limits.d");
    for (const struct dirent *e; !found && dir != NULL && (e = readdir(dir)) != NULL;) {
        (void)snprintf(path, sizeof(path), SECURITY_DIR "/limits.d/%s", e->d_name);
        found = file_has(path, "logins");
    }
    if (dir != NULL)
        (void)closedir(dir);
    if (found)
        add_not_asked(fo, step, "it has a maxlogins or maxsyslogins, which refuses one login more",
                      "look at its lines: grep -rn logins " SECURITY_DIR "/limits*");
    return "success";
}

/* pam_tunnel asks for the lease, which is asked before; and it refuses what it cannot register. */
static const char *ask_tunnel(struct follower *fo, const struct pam_step *step)
{
    struct registry r = REGISTRY_CLOSED;
    (void)step;
    if (strcmp(fo->type, "session") != 0 || geteuid() != 0)
        return "success";
    if (registry_open(fo->i->ctl->conf.paths.run_dir, true, &r) == 0) {
        registry_close(&r);
        return "success";
    }
    return errno == ENOENT ? "success" : "session_err"; /* what is missing, it makes */
}

static const char *ask_succeed_if(struct follower *fo, const struct pam_step *step)
{
    switch (succeed_if_judge(step->args, fo->service, fo->i->q->login)) {
    case SIGHT_IS:
        return "success";
    case SIGHT_IS_NOT:
        return "auth_err";
    case SIGHT_CANNOT_TELL:
        break;
    }
    add_not_asked(fo, step, "one of its conditions is not read here", "look at its line");
    return "success";
}

/* Modules for accounts of other hosts do not know an account of this host's own passwd(5). */
static const char *ask_directory(struct follower *fo, const struct pam_step *step)
{
    bool is_local = false;
    FILE *f = fopen(TUNLEASE_SYSCONFDIR "/passwd", "re");
    for (const struct passwd *pw; f != NULL && !is_local && (pw = fgetpwent(f)) != NULL;)
        is_local = strcmp(pw->pw_name, fo->i->q->login) == 0;
    if (f != NULL)
        (void)fclose(f);
    if (!is_local)
        add_not_asked(fo, step, "it asks a directory, which may refuse the login",
                      "look into the system log for its refusals (authpriv)");
    return is_local ? "user_unknown" : "success";
}

/* ---- all modules ---- */

static const struct known {
    const char *name;
    module_fn ask;
} modules[] = {
    {"pam_faillock", say_success},  {"pam_krb5", ask_directory},
    {"pam_ldap", ask_directory},    {"pam_sss", ask_directory},
    {"pam_winbind", ask_directory}, {"pam_succeed_if", ask_succeed_if},
    {"pam_access", ask_access},     {"pam_deny", say_denied},
    {"pam_env", say_success},       {"pam_keyinit", say_success},
    {"pam_lastlog", say_success},   {"pam_limits", ask_limits},
    {"pam_localuser", say_success}, {"pam_loginuid", say_success},
    {"pam_mail", say_success},      {"pam_motd", say_success},
    {"pam_nologin", ask_nologin},   {"pam_permit", say_success},
    {"pam_selinux", say_success},   {"pam_systemd", say_success},
    {"pam_time", ask_time},         {"pam_tunnel", ask_tunnel},
    {"pam_umask", say_success},     {"pam_unix", ask_unix},
    {"pam_usertype", say_success},
};

static const char *ask_module(void *ctx, const struct pam_step *step)
{
    struct follower *fo = ctx;
    char name[NAME_BYTES];
    pam_module_name(step->module, name, sizeof(name));
    for (size_t n = 0; n < sizeof(modules) / sizeof(modules[0]); n++)
        if (strcmp(modules[n].name, name) == 0)
            return modules[n].ask(fo, step);
    if (!pam_step_may_fail(step))
        add_not_asked(fo, step, "it may refuse the login, and its rules are not read here",
                      "look into the system log for its refusals (authpriv)");
    return "success";
}

/* ---- what a stack that refuses means ---- */

static const char *const stack_why[] = {
    "sshd then refuses every key of the login",
    "sshd then lets the key in and forwards nothing, so a tunnel looks alive and carries no data"};

static void add_module_refusal(struct follower *fo, const struct pam_step *blame, const char *why)
{
    struct admission_findings *f = &fo->i->answer->findings;
    char name[NAME_BYTES], path[PATH_BYTES], rule[256];
    struct access_rules rules;
    const struct admission_question *q = fo->i->q;
    pam_module_name(blame->module, name, sizeof(name));
    if (strcmp(name, "pam_nologin") == 0) {
        const char *file = nologin_file(blame, path);
        finding_add(f, ADMISSION_PAM, ADMISSION_REFUSES, "nologin",
                    "'%s' is there (pam_nologin, %s)", file != NULL ? file : "nologin",
                    blame->where);
        finding_why(f, "while it is, PAM lets root in alone");
        finding_mend(f, "rm %s", file != NULL ? file : "");
    } else if (strcmp(name, "pam_access") == 0) {
        access_rules_parse(blame->args, &rules, path, sizeof(path));
        (void)access_rules_admit(&rules, q->login, q->addr, rule, sizeof(rule));
        finding_add(f, ADMISSION_PAM, ADMISSION_REFUSES, "pam_access",
                    "'%s' has the rule '%s' (%s)", path, text_clip(rule).s, blame->where);
        finding_why(f, "%s", why);
        finding_mend(f, "put the line '+ : (%s) : ALL' before that rule",
                     fo->i->ctl->conf.tunnel_group);
    } else if (strcmp(name, "pam_tunnel") == 0) {
        finding_add(f, ADMISSION_PAM, ADMISSION_REFUSES, "registry",
                    "pam_tunnel cannot use the session registry below '%s'",
                    fo->i->ctl->conf.paths.run_dir);
        finding_why(f, "what cannot be registered could not be revoked, so it ends every login");
        finding_mend(f, "leasectl doctor says what is wrong with it");
    } else if (!pam_module_exists(blame->module)) {
        finding_add(f, ADMISSION_PAM, ADMISSION_REFUSES, "pam_missing",
                    "the module '%s' is missing (%s)", blame->module, blame->where);
        finding_why(f, "%s", why);
        finding_mend(f, "install the package that has it, or take out its line (%s)", blame->where);
    } else {
        finding_add(f, ADMISSION_PAM, ADMISSION_REFUSES, "pam_refuses", "%s refuses (%s)", name,
                    blame->where);
        finding_why(f, "%s", why);
        finding_mend(f, "take out that line, or let it pass the group '%s'",
                     fo->i->ctl->conf.tunnel_group);
    }
}

static void add_refusal(struct follower *fo, const char *status, const struct pam_step *blame)
{
    struct admission_findings *f = &fo->i->answer->findings;
    char name[NAME_BYTES] = "";
    const char *why = stack_why[strcmp(fo->type, "session") == 0 ? 1 : 0];
    if (blame != NULL)
        pam_module_name(blame->module, name, sizeof(name));
    if (strcmp(status, "new_authtok_reqd") == 0 || strcmp(name, "pam_unix") == 0) {
        shadow_add_finding(fo->i, shadow_judge(fo->i));
    } else if (blame == NULL) {
        finding_add(f, ADMISSION_PAM, ADMISSION_REFUSES, "pam_empty",
                    "the PAM service of sshd has no %s module that decides", fo->type);
        finding_why(f, "%s", why);
        finding_mend(f, "restore %s/pam.d/sshd from the package of sshd", TUNLEASE_SYSCONFDIR);
    } else {
        add_module_refusal(fo, blame, why);
    }
}

static void follow(struct inquiry *i, const char *service, const char *type)
{
    struct follower fo = {i, service, type};
    struct pam_stack stack;
    const struct pam_step *blame = NULL;
    struct admission_findings *f = &i->answer->findings;
    pam_stack_read(service, type, &stack);
    if (stack.problem[0] != '\0') {
        finding_add(f, ADMISSION_PAM, ADMISSION_NOT_ASKED, "pam_files", "the %s stack of '%s'",
                    type, service);
        finding_why(f, "%s", stack.problem);
        finding_mend(f, "look at %s/pam.d/%s", TUNLEASE_SYSCONFDIR, service);
    } else {
        const char *status = pam_stack_follow(&stack, ask_module, &fo, &blame);
        if (strcmp(status, "success") != 0)
            add_refusal(&fo, status, blame);
    }
    pam_stack_release(&stack);
}

void ask_pam(struct inquiry *i)
{
    char service[NAME_BYTES];
    struct admission_findings *f = &i->answer->findings;
    if (i->settings.len == 0) {
        finding_add(f, ADMISSION_PAM, ADMISSION_NOT_ASKED, "pam", "the modules of PAM");
        finding_why(f, "whether sshd asks it (UsePAM) is not known");
        finding_mend(f, "ask as root: sudo leasectl");
        return;
    }
    i->answer->asked[ADMISSION_PAM] = true;
    if (!i->uses_pam)
        return;
    sshd_setting(&i->settings, "pamservicename", service, sizeof(service));
    if (service[0] == '\0')
        (void)snprintf(service, sizeof(service), "sshd");
    follow(i, service, "account");
    follow(i, service, "session");
}
