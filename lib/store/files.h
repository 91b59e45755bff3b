/* SPDX-License-Identifier: ISC */
/* Inside lib/store: the files of a store: the database, its -wal and its -shm. */
#ifndef TUNLEASE_STORE_FILES_H
#define TUNLEASE_STORE_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>
#include <sys/types.h>

enum {
    STORE_FILES = 3, /* the database, -wal, -shm */
    STORE_PATH_BYTES = 512,
    STORE_NAME_BYTES = STORE_PATH_BYTES + 8, /* with the longest suffix, -journal */
};

/* Identifies a file, whatever its name. */
struct store_file {
    dev_t device;
    ino_t inode; /* 0: not recorded */
};

/* The name of file i of the store at path. */
void store_file_name(const char *path, size_t i, char out[static STORE_NAME_BYTES]);
int store_file_stat(const char *path, size_t i, struct stat *ret); /* as stat(2) */

bool store_file_is(const struct store_file *file, const struct stat *sb);

#endif
