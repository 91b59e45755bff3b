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
 * NULL if s is valid; otherwise why not, as the end of the sentence "the name ...". A lease name is
 * 1-64 of A-Z a-z 0-9 . _ @ - and starts with neither - nor . , so it needs no quotes in a key
 * line, a shell, a log or a file name. A login's has no @, and at most LOGIN_NAME_MAX_CHARS.
 */
const char *lease_name_problem(const char *s);
const char *login_name_problem(const char *s);

/* The same for free text of people: at most LEASE_NOTE_MAX bytes of UTF-8 without control
 * characters, which could forge lines of a table, a log or a key file, or move a terminal's cursor.
 */
const char *free_text_problem(const char *s);

#endif
