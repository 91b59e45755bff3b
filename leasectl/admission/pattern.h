/* SPDX-License-Identifier: ISC */
/*
 * The lists of patterns of sshd_config(5), as sshd compares them. Pure. Where the client's address
 * decides and is not known, the answer is SIGHT_CANNOT_TELL.
 */
#ifndef TUNLEASE_LEASECTL_ADMISSION_PATTERN_H
#define TUNLEASE_LEASECTL_ADMISSION_PATTERN_H

#include "lib/base/pattern.h"
#include "lib/session/sight.h"

#include <stdbool.h>

/* A list with commas: one word must hold for text, and none that begins with `!`. */
bool pattern_list_holds(const char *text, const char *list,
                        bool (*holds)(const char *text, const char *word));

/* The same with pattern_matches: sshd's lists of algorithms. */
bool pattern_list_matches(const char *text, const char *list);

/* The client of a session. */
struct pattern_client {
    const char *addr; /* NULL: not known */
    bool has_name;    /* sshd also compares its name, which is not known here (UseDNS yes) */
};

/* A list of addresses, networks and patterns with commas, in which `!` excludes. */
enum sight pattern_address_matches(const struct pattern_client *client, const char *list);

/* A word of AllowUsers or DenyUsers: `USER` or `USER@HOSTS`. */
enum sight pattern_user_matches(const char *login, const struct pattern_client *client,
                                const char *word);

#endif
