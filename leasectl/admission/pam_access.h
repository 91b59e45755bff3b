/* SPDX-License-Identifier: ISC */
/* Inside leasectl/admission: the rules of pam_access(8) for one login and one client. */
#ifndef TUNLEASE_LEASECTL_ADMISSION_PAM_ACCESS_H
#define TUNLEASE_LEASECTL_ADMISSION_PAM_ACCESS_H

#include "lib/session/sight.h"

#include <stdbool.h>
#include <stddef.h>

struct access_rules {
    const char *path;
    char field_separators[16], list_separators[16];
    bool only_marked_groups; /* a group must stand in brackets (nodefgroup) */
};

/* Reads the arguments that a PAM file gives the module. */
void access_rules_parse(const char *args, struct access_rules *ret, char *path, size_t path_bytes);

/*
 * Would the rules admit login from addr (NULL: not known)? SIGHT_CANNOT_TELL: a rule that decides
 * asks what is not asked here, such as DNS or a netgroup. rule: the line that decides, "" if none
 * does.
 */
enum sight access_rules_admit(const struct access_rules *rules, const char *login, const char *addr,
                              char *rule, size_t rule_bytes);

#endif
