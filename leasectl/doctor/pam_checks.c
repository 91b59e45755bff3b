/* SPDX-License-Identifier: ISC */
/* Does libpam come to pam_tunnel in each stack that sshd runs, and does its refusal count? */
#include "leasectl/admission/pam_stack.h"
#include "leasectl/child.h"
#include "leasectl/doctor/checks.h"
#include "leasectl/host/pam_profile.h"
#include "leasectl/host/sshd_settings.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char unregistered_sessions[] =
    "live sessions are then not registered, and nothing ends them";

/* What a stack that is passed over means. */
static const struct {
    const char *type, *why;
} types[] = {
    {"auth", "a tunnel login could then be used with a password, in su(1) or elsewhere"},
    {"account", "a tunnel login could then be used by cron(8), at(1) or su(1)"},
    {"session", unregistered_sessions},
};
enum { TYPES = sizeof(types) / sizeof(types[0]) };

struct stack_check {
    struct doctor_run *d;
    const char *type, *why;
    const char *file; /* the service's own */
    struct pam_stack *stack;
    const struct pam_step *tunnel;
};

/* Puts our line before line `number` of a file. */
static void mend_insert(const struct stack_check *s, const char *file, unsigned number)
{
    struct buf line = {0};
    pam_profile_add_line(s->d->ctl, s->type, &line);
    doctor_mend(s->d, "sed -i '%ui %s' '%s'", number, child_text(&line), file);
    buf_release(&line);
}

/* Where our line belongs: before the first line of a file that pam-auth-update writes (it does not
 * change one that was edited by hand); else of the service's own file. */
static const struct pam_step *first_line(const struct stack_check *s)
{
    const struct pam_step *own = NULL;
    for (size_t i = 0; i < s->stack->count; i++) {
        const struct pam_step *step = &s->stack->items[i];
        if (strstr(step->file, "/common-") != NULL)
            return step;
        if (own == NULL && strcmp(step->file, s->file) == 0)
            own = step;
    }
    return own;
}

static void report_missing(const struct stack_check *s)
{
    const struct pam_step *first = first_line(s);
    doctor_report(s->d, RESULT_FAIL, "pam", "the %s stack of '%s' lacks " PAM_TUNNEL_MODULE,
                  s->type, s->file);
    doctor_why(s->d, "%s", s->why);
    mend_insert(s, first != NULL ? first->file : s->file, first != NULL ? first->line : 1);
}

/* The control as pam.d(5) wants it. */
static void add_control(const struct pam_step *step, struct buf *out)
{
    const bool bracketed = strchr(step->written, '=') != NULL;
    buf_addf(out, "%s%s%s", bracketed ? "[" : "", step->written, bracketed ? "]" : "");
}

/* Two lines of one file are put the other way round by a command; else a person must do it. */
static void mend_order(const struct stack_check *s, const struct pam_step *earlier)
{
    struct buf text = {0};
    if (strcmp(earlier->file, s->tunnel->file) == 0) {
        pam_profile_add_line(s->d->ctl, s->type, &text);
        doctor_mend(s->d, "sed -i -e '%ud' -e '%ui %s' '%s'", s->tunnel->line, earlier->line,
                    child_text(&text), earlier->file);
    } else {
        add_control(earlier, &text);
        doctor_mend(s->d,
                    "move line %u of '%s' ('%s %s %s') to the end of the %s lines of '%s', behind "
                    "what includes '%s'",
                    earlier->line, earlier->file, s->type, child_text(&text), earlier->module,
                    s->type, s->file, s->tunnel->file);
    }
    buf_release(&text);
}

static bool is_module(const struct pam_step *step, const char *module)
{
    const char *slash = strrchr(step->module, '/');
    return strcmp(slash != NULL ? slash + 1 : step->module, module) == 0;
}

static void report_passed_over(const struct stack_check *s, const struct pam_step *earlier,
                               enum pam_passing passing)
{
    struct buf control = {0};
    add_control(earlier, &control);
    doctor_report(s->d, RESULT_FAIL, "pam",
                  "in the %s stack of '%s', '%s %s' (%s) may %s pam_tunnel (%s)", s->type, s->file,
                  child_text(&control), earlier->module, earlier->where,
                  passing == PAM_MAY_END ? "end it before" : "skip", s->tunnel->where);
    doctor_why(s->d, "%s", s->why);
    mend_order(s, earlier);
    buf_release(&control);
}

/* True when libpam always comes to pam_tunnel, and before it has said yes. */
static bool check_order(const struct stack_check *s)
{
    const struct pam_step *late = NULL;
    for (const struct pam_step *step = s->stack->items; step < s->tunnel; step++) {
        const enum pam_passing passing = pam_stack_passing(s->stack, step, s->tunnel);
        if (passing != PAM_COMES) {
            report_passed_over(s, step, passing);
            return false;
        }
        /* In the session stack of pam-auth-update it always comes first. */
        if (late == NULL && is_module(step, "pam_permit.so") && strcmp(s->type, "session") != 0)
            late = step;
    }
    if (late == NULL)
        return true;
    doctor_report(s->d, RESULT_WARN, "pam",
                  "in the %s stack of '%s' pam_tunnel (%s) stands behind pam_permit (%s)", s->type,
                  s->file, s->tunnel->where, late->where);
    doctor_why(s->d, "modules that decide have said yes before it is asked; it belongs first");
    mend_order(s, late);
    return false;
}

/* `optional` and `sufficient` go on after a refusal. */
static bool check_control(const struct stack_check *s)
{
    struct buf line = {0};
    if (pam_step_refuses(s->tunnel))
        return true;
    doctor_report(s->d, RESULT_FAIL, "pam", "pam_tunnel is '%s' in the %s stack: '%s'",
                  s->tunnel->written, s->type, s->tunnel->where);
    doctor_why(s->d, "what it refuses is let in; and %s", s->why);
    pam_profile_add_line(s->d->ctl, s->type, &line);
    doctor_mend(s->d, "sed -i '%uc %s' '%s'", s->tunnel->line, child_text(&line), s->tunnel->file);
    buf_release(&line);
    return false;
}

static bool check_arguments(const struct stack_check *s)
{
    struct buf want = {0};
    pam_profile_add_arguments(s->d->ctl, &want);
    char args[sizeof(s->tunnel->args)];
    size_t len = strlen(s->tunnel->args);
    while (len > 0 && strchr(" \t\r", s->tunnel->args[len - 1]) != NULL)
        len--;
    (void)snprintf(args, sizeof(args), "%.*s", (int)len, s->tunnel->args);
    const bool are_right = pam_profile_arguments_are_right(s->d->ctl, args);
    if (!are_right) {
        doctor_report(s->d, RESULT_FAIL, "pam",
                      "'%s' has " PAM_TUNNEL_MODULE " with '%s', and the configuration wants '%s'",
                      s->tunnel->where, args, child_text(&want));
        doctor_why(s->d,
                   "it looks at other logins, or into another RunDir or store, than leasectl");
        doctor_mend(s->d, "leasectl setup");
    }
    buf_release(&want);
    return are_right;
}

static const struct pam_step *find_tunnel(const struct pam_stack *stack)
{
    for (size_t i = 0; i < stack->count; i++)
        if (is_module(&stack->items[i], PAM_TUNNEL_MODULE))
            return &stack->items[i];
    return NULL;
}

enum stack_verdict { STACK_IS_GOOD, STACK_IS_NOT, STACK_CANNOT_TELL };

static enum stack_verdict check_stack(struct doctor_run *d, const char *service, size_t type)
{
    char file[160];
    struct pam_stack stack;
    struct stack_check s = {.d = d, .type = types[type].type, .why = types[type].why};
    enum stack_verdict verdict = STACK_IS_NOT;
    (void)snprintf(file, sizeof(file), TUNLEASE_SYSCONFDIR "/pam.d/%s", service);
    pam_stack_read(service, s.type, &stack);
    s.file = file;
    s.stack = &stack;
    s.tunnel = find_tunnel(&stack);
    if (stack.problem[0] != '\0') {
        doctor_report(d, RESULT_UNKNOWN, "pam", "the %s stack of '%s' cannot be followed: %s",
                      s.type, file, stack.problem);
        doctor_why(d, "it cannot be told whether pam_tunnel is asked");
        doctor_mend(d, "that file, or no line of '%s' that includes it", file);
        verdict = STACK_CANNOT_TELL;
    } else if (s.tunnel == NULL)
        report_missing(&s);
    else if (check_order(&s) && check_control(&s) && check_arguments(&s))
        verdict = STACK_IS_GOOD;
    pam_stack_release(&stack);
    return verdict;
}

/* True when somebody put the module into sshd's stack, by whatever means. */
static bool sessions_are_registered(const char *service)
{
    struct pam_stack stack;
    pam_stack_read(service, "session", &stack);
    const bool found = find_tunnel(&stack) != NULL;
    pam_stack_release(&stack);
    return found;
}

static void report_not_applied(struct doctor_run *d)
{
    doctor_report(d, RESULT_FAIL, "pam", "pam_tunnel is in no PAM stack");
    doctor_why(d, "%s", unregistered_sessions);
    doctor_mend(d, "leasectl setup");
}

/* What is only for other programs, such as cron: the files that pam-auth-update writes. */
static void check_other_programs(struct doctor_run *d)
{
    struct buf found = {0};
    pam_profile_check(d->ctl, &found);
    const char *text = child_text(&found);
    if (*text == '\0')
        doctor_report(d, RESULT_OK, "pam",
                      "pam_tunnel is asked in the auth, account and session stacks");
    else {
        doctor_report(d, RESULT_FAIL, "pam", "%.*s", (int)strcspn(text, "\n"), text);
        doctor_why(d, "a program other than sshd, such as cron(8), can use a tunnel login");
        doctor_mend(d, "leasectl setup; if it says that the stacks were edited by hand: "
                       "pam-auth-update --force --enable tunlease");
    }
    buf_release(&found);
}

static void check_stacks(struct doctor_run *d, const char *service)
{
    enum stack_verdict all = STACK_IS_GOOD;
    /* A file that all three include is reported missing once. */
    for (size_t i = 0; all != STACK_CANNOT_TELL && i < TYPES; i++) {
        const enum stack_verdict one = check_stack(d, service, i);
        all = one == STACK_IS_GOOD ? all : one;
    }
    if (all == STACK_IS_GOOD)
        check_other_programs(d);
}

/* Without the module in the stack nothing registers sessions: revocation and expiry end none. */
void check_pam(struct doctor_run *d)
{
    static const char module[] = TUNLEASE_PAMDIR "/" PAM_TUNNEL_MODULE;
    char named[64];
    sshd_setting(&d->global, "pamservicename", named, sizeof(named)); /* from 9.8 on */
    const char *service = named[0] != '\0' ? named : "sshd";
    if (pam_profile_is_applied() || sessions_are_registered(service))
        check_stacks(d, service);
    else
        report_not_applied(d);
    if (access(module, R_OK) != 0) {
        doctor_report(d, RESULT_FAIL, "pam", "'%s' is missing", module);
        doctor_why(d, "PAM skips it: %s", unregistered_sessions);
        doctor_mend(d, "install tunlease again: its package, or 'make install'");
    }
}
