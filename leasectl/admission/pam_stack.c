/* SPDX-License-Identifier: ISC */
/* Follows a stack as libpam's dispatcher does (pam.conf(5)). */
#include "leasectl/admission/pam_stack.h"

#include "lib/base/number.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum impression { UNDECIDED, POSITIVE, NEGATIVE };

struct walk {
    enum impression impression;
    const char *status;
    const struct pam_step *blame, *first_failed;
};

/* The action that control has for a return, in word. An action that is not named is `bad`. */
static void find_action(const char *control, const char *value, char word[static 32])
{
    size_t len = strlen(value);
    (void)snprintf(word, 32, "bad");
    for (const char *p = control; *(p += strspn(p, " \t")) != '\0'; p += strcspn(p, " \t")) {
        size_t item = strcspn(p, " \t");
        bool is_it = strncmp(p, value, len) == 0 && p[len] == '=';
        bool is_default = strncmp(p, "default=", 8) == 0;
        size_t skip = is_it ? len + 1 : 8;
        if (is_it || is_default)
            (void)snprintf(word, 32, "%.*s", (int)(item - skip), p + skip);
        if (is_it)
            return;
    }
}

bool pam_step_may_fail(const struct pam_step *step)
{
    char failed[32], good[32];
    find_action(step->control, "perm_denied", failed);
    find_action(step->control, "success", good);
    return strcmp(failed, "ignore") == 0 &&
           (strcmp(good, "ok") == 0 || strcmp(good, "ignore") == 0);
}

static bool is_good(const char *value)
{
    return strcmp(value, "success") == 0 || strcmp(value, "ignore") == 0;
}

/* The index of the last step of the substack that step n is in; of the whole stack at level 0. */
static size_t last_of_level(const struct pam_stack *s, size_t n)
{
    unsigned level = s->items[n].level;
    while (n + 1 < s->count && s->items[n + 1].level >= level)
        n++;
    return n;
}

static size_t jump(const struct pam_stack *s, size_t n, int64_t steps)
{
    unsigned level = s->items[n].level;
    for (; steps > 0 && n + 1 < s->count && s->items[n + 1].level >= level; steps--)
        do
            n++;
        while (n + 1 < s->count && s->items[n + 1].level > level);
    return n;
}

enum pam_passing pam_stack_passing(const struct pam_stack *s, const struct pam_step *earlier,
                                   const struct pam_step *later)
{
    const size_t n = (size_t)(earlier - s->items), m = (size_t)(later - s->items);
    int64_t steps;
    if (last_of_level(s, n) < m) /* it ends or skips the rest of its own substack */
        return PAM_COMES;
    for (const char *p = earlier->control; *(p += strspn(p, " \t")) != '\0';
         p += strcspn(p, " \t")) {
        const size_t item = strcspn(p, " \t"), name = strcspn(p, "=");
        if (name >= item)
            continue;
        const char *action = p + name + 1;
        const size_t len = item - name - 1;
        if (len == 4 && strncmp(action, "done", 4) == 0)
            return PAM_MAY_END;
        if (number_parse(action, len, 1, 100, &steps) && jump(s, n, steps) >= m)
            return PAM_MAY_SKIP;
    }
    return PAM_COMES;
}

bool pam_step_refuses(const struct pam_step *step)
{
    char action[32];
    find_action(step->control, "perm_denied", action);
    return strcmp(action, "die") == 0 || strcmp(action, "bad") == 0;
}

/* Applies what the module of step n returned. Returns the last step that is done with. */
static size_t apply(const struct pam_stack *s, size_t n, const char *value, struct walk *w)
{
    char action[32];
    int64_t steps;
    find_action(s->items[n].control, value, action);
    if (!is_good(value) && w->first_failed == NULL)
        w->first_failed = &s->items[n];
    if (strcmp(action, "ok") == 0 || strcmp(action, "done") == 0) {
        bool open = w->impression == UNDECIDED ||
                    (w->impression == POSITIVE && strcmp(w->status, "success") == 0);
        if (open && strcmp(value, "ignore") != 0) {
            w->impression = POSITIVE;
            w->status = value;
        }
        return *action == 'd' && w->impression == POSITIVE ? last_of_level(s, n) : n;
    }
    if (strcmp(action, "bad") == 0 || strcmp(action, "die") == 0) {
        if (w->impression != NEGATIVE) {
            w->impression = NEGATIVE;
            w->status = value;
            w->blame = w->first_failed != NULL ? w->first_failed : &s->items[n];
        }
        return *action == 'd' ? last_of_level(s, n) : n;
    }
    if (strcmp(action, "reset") == 0) {
        w->impression = UNDECIDED;
        w->status = "perm_denied";
    }
    if (number_parse(action, strlen(action), 1, 100, &steps))
        return jump(s, n, steps);
    return n;
}

const char *pam_stack_follow(const struct pam_stack *stack, pam_module_fn ask, void *ctx,
                             const struct pam_step **ret_blame)
{
    struct walk w = {.status = "perm_denied"};
    for (size_t n = 0; n < stack->count; n++) {
        const struct pam_step *step = &stack->items[n];
        const char *value = pam_module_exists(step->module) ? ask(ctx, step) : "module_unknown";
        n = apply(stack, n, value, &w);
    }
    *ret_blame = w.blame;
    return w.impression == UNDECIDED ? "perm_denied" : w.status;
}
