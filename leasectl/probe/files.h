/* SPDX-License-Identifier: ISC */
/* The directory of a run of verify or of prove, and the files in it. */
#ifndef TUNLEASE_LEASECTL_PROBE_FILES_H
#define TUNLEASE_LEASECTL_PROBE_FILES_H

#include "leasectl/ctl.h"
#include "leasectl/host/sshd.h"
#include "lib/lease/lease.h"

#include <stdint.h>

enum { PROBE_MORE_KEYS = 2 };

struct probe_files {
    char work_dir[80]; /* "": there is none */
    char key_file[112], known_hosts[112], socket[112];
    char more_key_files[PROBE_MORE_KEYS][112]; /* for who needs more keys than one */
    int lock_fd; /* of the file that is locked as long as this run lives; -1: none */
};
#define PROBE_FILES_NONE ((struct probe_files){.lock_fd = -1})

/* Each returns EXIT_DONE, or the exit code with the error printed. */

/* Makes the directory; the paths of the files are then set. Also removes those of runs that were
 * killed, which hold the lock in theirs no more. */
int files_make(struct ctl *ctl, struct probe_files *files);

/* Makes a key in key_file, one of those above, and adds it to the probe; NULL: to none. */
int files_make_key(struct ctl *ctl, const char *key_file, struct lease *probe);

/* Writes known_hosts: this sshd's own keys, so that nothing else can answer in its place. */
int files_pin_host_keys(struct ctl *ctl, const struct probe_files *files, const struct sshd *sshd,
                        const char *host, uint16_t port);

/* Removes the directory and its files. */
void files_remove(struct probe_files *files);

#endif
