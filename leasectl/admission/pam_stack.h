/* SPDX-License-Identifier: ISC */
/*
 * Inside leasectl/admission: a stack of pam.conf(5), read from its files and followed as libpam
 * follows it. No module is run: whoever follows a stack says what each module would return.
 */
#ifndef TUNLEASE_LEASECTL_ADMISSION_PAM_STACK_H
#define TUNLEASE_LEASECTL_ADMISSION_PAM_STACK_H

#include <stdbool.h>
#include <stddef.h>

/* One line, with what it includes in its place. */
struct pam_step {
    char control[160]; /* in the form `value=action ...`, without brackets */
    char written[160]; /* the control as it is written, without brackets */
    char module[128];
    char args[256];
    char file[160];
    unsigned line;
    char where[160]; /* FILE:LINE */
    unsigned level;  /* 1 and more: within so many substacks */
};

struct pam_stack {
    struct pam_step *items; /* owned */
    size_t count, cap;
    char problem[200]; /* "": the files were read; else why not */
};

/* Reads the stack of a service for one type: account or session. Where the service has none, libpam
 * takes that of the service `other`. */
void pam_stack_read(const char *service, const char *type, struct pam_stack *ret);
void pam_stack_release(struct pam_stack *stack);

/* What pam.conf(5) calls the return of a module: success, ignore, perm_denied, ... */
typedef const char *(*pam_module_fn)(void *ctx, const struct pam_step *step);

/* What the stack returns. *ret_blame: the step that made it fail; NULL: none did, or no step
 * decided. */
const char *pam_stack_follow(const struct pam_stack *stack, pam_module_fn ask, void *ctx,
                             const struct pam_step **ret_blame);

/* What an earlier step may do to a later one of the same stack, by its control alone. */
enum pam_passing {
    PAM_COMES,    /* libpam comes to the later one, or refuses before it */
    PAM_MAY_END,  /* it may end the stack with a yes before it */
    PAM_MAY_SKIP, /* it may jump over it */
};
enum pam_passing pam_stack_passing(const struct pam_stack *stack, const struct pam_step *earlier,
                                   const struct pam_step *later);

/* True if what this step refuses is refused by its stack. */
bool pam_step_refuses(const struct pam_step *step);

/* True if a step that fails changes nothing in what its stack returns. */
bool pam_step_may_fail(const struct pam_step *step);

/* True if the module's file is there. */
bool pam_module_exists(const char *module);

/* The module's name without its folder and `.so`. */
void pam_module_name(const char *module, char *out, size_t out_bytes);

#endif
