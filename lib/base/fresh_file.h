/* SPDX-License-Identifier: ISC */
/*
 * A file that appears under its name only when it is complete. Until then it has no name at all,
 * so that nothing is left of it when the program is killed; only a file system without such files
 * (open(2), O_TMPFILE) shows it meanwhile as .NAME.new-PID.
 */
#ifndef TUNLEASE_BASE_FRESH_FILE_H
#define TUNLEASE_BASE_FRESH_FILE_H

#include <stdbool.h>

enum { FRESH_FILE_NAME_BYTES = 256 };

struct fresh_file {
    int dir_fd, fd; /* -1: not open */
    char name[FRESH_FILE_NAME_BYTES];
    char temporary[FRESH_FILE_NAME_BYTES + 32];
    bool is_named; /* it is there as `temporary` */
};
#define FRESH_FILE_CLOSED ((struct fresh_file){.dir_fd = -1, .fd = -1})

/* Makes an empty file in dir that nobody else can open, to be called name, which has no slash. fd
 * can read and write it. 0; or -1 with errno set, and *ret is closed. */
int fresh_file_open(const char *dir, const char *name, struct fresh_file *ret);

/* Gives it its mode, whatever the umask is, and its name, after it is on disk, and syncs the
 * directory. replace: in place of a file of that name; else EEXIST. 0, or -1 with errno set: there
 * is no such file, or the old one. */
int fresh_file_publish(struct fresh_file *f, unsigned mode, bool replace);

/* Removes a file that was not published. Accepts a closed one. */
void fresh_file_close(struct fresh_file *f);

#endif
