/* SPDX-License-Identifier: ISC */
/*
 * The lines of sshd's configuration files, in the order in which sshd reads them. They say where a
 * setting stands. What is in force is not decided here: `sshd -T` says it (sshd_settings.h).
 */
#ifndef TUNLEASE_LEASECTL_DOCTOR_SSHD_LINES_H
#define TUNLEASE_LEASECTL_DOCTOR_SSHD_LINES_H

#include "lib/session/sight.h"

#include <stdbool.h>
#include <stddef.h>

struct sshd_connection;

enum { SSHD_LINES_MAX = 20000, SSHD_FILES_MAX = 512, SSHD_INCLUDE_DEPTH_MAX = 16 };

struct sshd_line {
    char *file; /* owned, as the three below */
    unsigned number;
    char *keyword; /* in lower case; an old name is replaced by the one that sshd -T prints */
    char *value;   /* the rest of the line, without a comment */
    char *text;    /* the whole line as it is written, without a comment */
    size_t match;  /* 1 + the index of the Match line that it stands below; 0: it is global */
};

/* One file that was read: by which Include line. */
struct sshd_file {
    char *path;     /* owned */
    size_t include; /* 1 + the index of that line; 0: sshd_config itself */
};

struct sshd_lines {
    struct sshd_line *items; /* owned, as files */
    size_t count, cap;
    struct sshd_file *files;
    size_t file_count, file_cap;
    bool incomplete; /* a file cannot be read, or there are too many */
};

/* Reads sshd_config, or the file that stands for it, and what it includes. Release it in any case.
 */
void sshd_lines_read(const char *config_file, struct sshd_lines *ret);
void sshd_lines_release(struct sshd_lines *lines);

/*
 * Finds the line whose value sshd uses for this connection. SIGHT_IS and *ret. SIGHT_IS_NOT: no
 * line sets keyword, so its default is in force. SIGHT_CANNOT_TELL: a file could not be read, or
 * whether a Match holds depends on what is not known here.
 */
enum sight sshd_lines_find(const struct sshd_lines *lines, const char *keyword,
                           const struct sshd_connection *c, const struct sshd_line **ret);

/* The file with this path, if sshd reads it; else NULL. */
const struct sshd_file *sshd_lines_file(const struct sshd_lines *lines, const char *path);

/* Does the Match line hold for this connection, and those that it stands below? match: as in struct
 * sshd_line; 0 holds for all. */
enum sight sshd_lines_match(const struct sshd_lines *lines, size_t match,
                            const struct sshd_connection *c);

#endif
