/* SPDX-License-Identifier: ISC */
/* The names of the files below RunDir/sessions and RunDir/lock. */
#ifndef TUNLEASE_SESSION_REGISTRY_NAMES_H
#define TUNLEASE_SESSION_REGISTRY_NAMES_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum { REGISTRY_NAME_BYTES = 48 };

/* ---- RunDir/sessions ---- */

/* LEASEID.PID names an entry. */
struct entry_id {
    int64_t
        lease_id; /* 0: while the login is being judged; negative: a probe (lib/store/probes.h) */
    pid_t pid;
};

void entry_name(int64_t lease_id, pid_t pid, char out[static REGISTRY_NAME_BYTES]);

/* False: it names no entry. Names that begin with a dot are temporary files and marks. */
bool entry_name_parse(const char *name, struct entry_id *ret);

/* By lease, then by pid; for qsort(3) and bsearch(3). */
int entry_id_compare(const void *a, const void *b);

/* .NUMBER.PID.new: what a process of that pid namespace is writing, before it becomes an entry. */
void temporary_name(uint64_t pid_namespace, pid_t pid, char out[static REGISTRY_NAME_BYTES]);

/* .NUMBER.ns says that processes of that pid namespace have made entries. */
void namespace_mark_name(uint64_t pid_namespace, char out[static REGISTRY_NAME_BYTES]);
bool namespace_mark_parse(const char *name, uint64_t *ret);

/* ---- RunDir/lock ---- */

/* LEASEID: the file that is locked for the lease. */
void lock_name(int64_t lease_id, char out[static REGISTRY_NAME_BYTES]);

/* LEASEID.narrowed: the file that narrowed_record writes. */
void narrowed_name(int64_t lease_id, char out[static REGISTRY_NAME_BYTES]);

#endif
