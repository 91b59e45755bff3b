/* SPDX-License-Identifier: ISC */
/*
 * The key that sshd verified, as it says in the file SSH_USER_AUTH (sshd_config(5),
 * ExposeAuthInfo). Where ExposeAuthInfo is off and AcceptEnv takes the name, the client chooses
 * that variable. Then it must lead to nothing that the client could have written: leased compares
 * the key with the one that pam_tunnel registered, and this is the first of the two locks.
 */
#ifndef TUNLEASE_JOIN_KEY_FILE_H
#define TUNLEASE_JOIN_KEY_FILE_H

#include "lib/session/auth_info.h"

#include <sys/types.h>

/*
 * Reads path, which may be NULL or any text: a regular file in /tmp itself, of user uid, mode 0600,
 * with one name, and in it exactly one line `publickey TYPE BASE64`. It is opened without following
 * a link, and checked after that. NULL and *ret, or why it is no such file, as a clause.
 */
const char *key_file_read(const char *path, uid_t uid, struct auth_info *ret);

#endif
