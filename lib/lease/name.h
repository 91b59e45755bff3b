/* SPDX-License-Identifier: ISC */
/* Names of leases, agents and logins (leasectl(1)). Pure. */
#ifndef TUNLEASE_LEASE_NAME_H
#define TUNLEASE_LEASE_NAME_H

enum {
    LEASE_NAME_MAX = 64,
    LOGIN_NAME_MAX_CHARS = 32, /* useradd(8) */
    LEASE_NAME_BYTES = LEASE_NAME_MAX + 1,
    LOGIN_NAME_BYTES = LOGIN_NAME_MAX_CHARS + 1,
    LEASE_NOTE_MAX = 256, /* bytes of a note or a key's comment */
};

/*
 * Each returns NULL when s is good, else why not, as the end of the sentence "the name ...".
 * A lease name is 1-64 of A-Z a-z 0-9 . _ @ - and starts with neither - nor . ; so it needs no
 * quoting in a key line, a shell, a log or a file name.
 */
const char *lease_name_problem(const char *s);
const char *login_name_problem(const char *s);

/* Free text of people: UTF-8 as it comes, but no control characters (they would forge lines of a
 * table, a log or a key file, or move a terminal's cursor), at most LEASE_NOTE_MAX bytes. */
const char *free_text_problem(const char *s);

#endif
