/* SPDX-License-Identifier: ISC */
/* What a stack of PAM returns, given what each of its modules does. (e2e/explain_oracle compares
 * with libpam.) */
#include "leasectl/admission/pam_stack.h"

#include "tests/unit/helpers.h"

#define REQUIRED "success=ok new_authtok_reqd=ok ignore=ignore default=bad"
#define REQUISITE "success=ok new_authtok_reqd=ok ignore=ignore default=die"
#define SUFFICIENT "success=done new_authtok_reqd=done default=ignore"
#define OPTIONAL "success=ok new_authtok_reqd=ok default=ignore"

enum { STEPS_MAX = 6 };

/* A step's module is a file that is there, and its arguments are what it returns. */
static const char *say(void *ctx, const struct pam_step *step)
{
    (void)ctx;
    return step->args;
}

struct step {
    const char *control, *returns;
    unsigned level;
};

static const struct row {
    const char *what;
    struct step steps[STEPS_MAX];
    const char *want;
    int blame; /* the index of the step that is to blame; -1: none */
} rows[] = {
    {"no step", {{0}}, "perm_denied", -1},
    {"required, good", {{REQUIRED, "success", 0}}, "success", -1},
    {"required, bad", {{REQUIRED, "auth_err", 0}}, "auth_err", 0},
    {"the first that fails is to blame",
     {{REQUIRED, "auth_err", 0}, {REQUIRED, "perm_denied", 0}},
     "auth_err",
     0},
    {"all ignore", {{REQUIRED, "ignore", 0}}, "perm_denied", -1},
    {"optional may fail", {{REQUIRED, "success", 0}, {OPTIONAL, "auth_err", 0}}, "success", -1},
    {"optional alone", {{OPTIONAL, "auth_err", 0}}, "perm_denied", -1},
    {"sufficient ends it", {{SUFFICIENT, "success", 0}, {REQUISITE, "auth_err", 0}}, "success", -1},
    {"sufficient after a failure does not",
     {{REQUIRED, "acct_expired", 0}, {SUFFICIENT, "success", 0}},
     "acct_expired",
     0},
    {"sufficient that fails goes on",
     {{SUFFICIENT, "auth_err", 0}, {REQUIRED, "success", 0}},
     "success",
     -1},
    {"Debian's account stack, good",
     {{"success=1 new_authtok_reqd=done default=ignore", "success", 0},
      {REQUISITE, "auth_err", 0},
      {REQUIRED, "success", 0}},
     "success",
     -1},
    {"Debian's account stack, expired: pam_unix is to blame, and not pam_deny",
     {{"success=1 new_authtok_reqd=done default=ignore", "acct_expired", 0},
      {REQUISITE, "auth_err", 0},
      {REQUIRED, "success", 0}},
     "auth_err",
     0},
    {"Debian's account stack, a password that is due",
     {{"success=1 new_authtok_reqd=done default=ignore", "new_authtok_reqd", 0},
      {REQUISITE, "auth_err", 0},
      {REQUIRED, "success", 0}},
     "new_authtok_reqd",
     -1},
    {"a value that is not named is bad", {{"success=ok", "auth_err", 0}}, "auth_err", 0},
    {"die ends a substack alone",
     {{REQUISITE, "auth_err", 1}, {REQUIRED, "success", 1}, {OPTIONAL, "success", 0}},
     "auth_err",
     0},
    {"done ends a substack alone",
     {{SUFFICIENT, "success", 1}, {REQUISITE, "auth_err", 1}, {REQUIRED, "perm_denied", 0}},
     "perm_denied",
     2},
    {"a jump passes a substack as one",
     {{"success=1 default=ignore", "success", 0},
      {REQUISITE, "auth_err", 1},
      {REQUISITE, "auth_err", 1},
      {REQUIRED, "success", 0}},
     "success",
     -1},
};

static void follows(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct pam_step steps[STEPS_MAX] = {0};
        struct pam_stack stack = {.items = steps};
        const struct pam_step *blame;
        for (; stack.count < STEPS_MAX && rows[i].steps[stack.count].control; stack.count++) {
            const struct step *from = &rows[i].steps[stack.count];
            struct pam_step *to = &steps[stack.count];
            (void)snprintf(to->control, sizeof(to->control), "%s", from->control);
            (void)snprintf(to->module, sizeof(to->module), "/dev/null");
            (void)snprintf(to->args, sizeof(to->args), "%s", from->returns);
            to->level = from->level;
        }
        CHECK_TEXT(rows[i].what, pam_stack_follow(&stack, say, NULL, &blame), rows[i].want);
        CHECK(rows[i].what, blame == (rows[i].blame < 0 ? NULL : &steps[rows[i].blame]));
    }
}

static void missing(void **state)
{
    struct pam_step step = {.control = REQUIRED, .module = "/nonexistent/pam.so"};
    struct pam_stack stack = {.items = &step, .count = 1};
    const struct pam_step *blame;
    (void)state;
    CHECK_TEXT("a module that is not there", pam_stack_follow(&stack, say, NULL, &blame),
               "module_unknown");
    (void)snprintf(step.control, sizeof(step.control), "module_unknown=ignore default=die");
    CHECK_TEXT("one that may be missing", pam_stack_follow(&stack, say, NULL, &blame),
               "perm_denied");
    CHECK("none is to blame", blame == NULL);
}

/* doctor names lines to sed(1), which knows nothing of lines that go on. */
static void line_numbers(void **state)
{
    struct pam_stack stack;
    char path[300], *dir = temp_dir_make();
    (void)state;
    (void)snprintf(path, sizeof(path), "%s/service", dir);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    (void)fputs("account \\\n  required \\\n  first.so a\n\naccount required second.so\n", f);
    (void)fclose(f);
    pam_stack_read(path, "account", &stack);
    assert_string_equal(stack.problem, "");
    assert_int_equal(stack.count, 2);
    assert_string_equal(stack.items[0].module, "first.so");
    assert_string_equal(stack.items[0].args, "a");
    assert_int_equal(stack.items[0].line, 1);
    assert_int_equal(stack.items[1].line, 5);
    pam_stack_release(&stack);
    (void)unlink(path);
    temp_dir_remove(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(follows),
        cmocka_unit_test(missing),
        cmocka_unit_test(line_numbers),
    };
    return cmocka_run_group_tests_name("pam_stack", tests, NULL, NULL);
}
