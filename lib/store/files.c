/* SPDX-License-Identifier: ISC */
#include "lib/store/files.h"

#include <stdio.h>

static const char *const suffixes[STORE_FILES] = {"", "-wal", "-shm"};

void store_file_name(const char *path, size_t i, char out[static STORE_NAME_BYTES])
{
    (void)snprintf(out, STORE_NAME_BYTES, "%s%s", path, suffixes[i]);
}

int store_file_stat(const char *path, size_t i, struct stat *ret)
{
    char name[STORE_NAME_BYTES];
    store_file_name(path, i, name);
    return stat(name, ret);
}

bool store_file_is(const struct store_file *file, const struct stat *sb)
{
    return sb->st_ino == file->inode && sb->st_dev == file->device;
}
