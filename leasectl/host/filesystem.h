/* SPDX-License-Identifier: ISC */
/* The file system that a path is on, and who may enter the directories of a path. */
#ifndef TUNLEASE_LEASECTL_HOST_FILESYSTEM_H
#define TUNLEASE_LEASECTL_HOST_FILESYSTEM_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum { FILESYSTEM_PATH_BYTES = 512 };

struct filesystem {
    char mount_point[FILESYSTEM_PATH_BYTES];
    bool read_only, no_exec;
    bool has_file_count; /* some, such as btrfs, count no files */
    uint64_t free_bytes; /* for those who are not root */
    uint64_t free_files;
};

/* 0; or -1 with errno: it could not be asked. */
int filesystem_of(const char *path, struct filesystem *ret);

/* True where nothing can be written into this directory, or where it would have to be made: in a
 * container with a read-only root what is there has to do. False, too, where that cannot be told.
 */
bool filesystem_is_read_only(const char *directory);

/*
 * The first directory above path that a process with this uid and gid, and no other group, may not
 * enter, by owner and mode. False: it may enter all that could be looked at.
 */
bool filesystem_closed_directory(const char *path, uid_t uid, gid_t gid,
                                 char ret[static FILESYSTEM_PATH_BYTES]);

#endif
