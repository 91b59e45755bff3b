/* SPDX-License-Identifier: ISC */
/*
 * What a power cut leaves. fsync(2) of a file keeps its bytes and may lose its name: the name is on
 * disk once the directory that it is in was synced, too.
 */
#ifndef TUNLEASE_BASE_DURABLE_H
#define TUNLEASE_BASE_DURABLE_H

/* The bytes of the file at path, which another program may have written, are on disk. 0, or -1 with
 * errno. */
int durable_bytes(const char *path);

/*
 * The last part of path, made, linked or renamed there, is on disk: of a file or a directory. Some
 * file systems cannot sync a directory (fsync(2), EINVAL); that is no failure. 0, or -1 with errno.
 */
int durable_name(const char *path);

#endif
