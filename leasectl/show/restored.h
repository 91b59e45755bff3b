/* SPDX-License-Identifier: ISC */
/* What a restore changes, and how it is printed. */
#ifndef TUNLEASE_LEASECTL_SHOW_RESTORED_H
#define TUNLEASE_LEASECTL_SHOW_RESTORED_H

#include "leasectl/ctl.h"
#include "lib/lease/name.h"
#include "lib/store/backup/restore.h"

#include <stddef.h>

struct restored_item {
    enum restored what;
    int64_t id;
    char name[LEASE_NAME_BYTES];
    char login[LOGIN_NAME_BYTES];
};

struct restored_list {
    struct restored_item *items; /* owned */
    size_t count, room;
};

/* A restore_found_fn; arg: a struct restored_list. */
int restored_add(void *arg, enum restored what, int64_t id, const char *name, const char *login);
void restored_release(struct restored_list *list);

/* A word for scripts (docs/schema/restore.json), and what it means, for people. */
const char *restored_word(enum restored what);
const char *restored_meaning(enum restored what);

/* How the store was that is replaced. */
enum old_store { OLD_STORE_READ, OLD_STORE_MISSING, OLD_STORE_UNREADABLE };

struct restore_report {
    const char *file;
    enum old_store old;
    char aside[CONF_PATH_BYTES + 64]; /* where an unreadable store is now; "": nowhere */
    struct store_contents backup;
    struct restore_result result;
    struct restored_list list;
};

/* EXIT_DONE, or the exit code with the error printed. */
int restored_print(struct ctl *ctl, const struct restore_report *r);

#endif
