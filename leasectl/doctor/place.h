/* SPDX-License-Identifier: ISC */
/* Says where a setting of sshd stands, and how sshd is told of a change. */
#ifndef TUNLEASE_LEASECTL_DOCTOR_PLACE_H
#define TUNLEASE_LEASECTL_DOCTOR_PLACE_H

#include "leasectl/doctor/report.h"
#include "leasectl/doctor/sshd_lines.h"

struct sshd_connection;

/* The file that sshd reads first. */
const char *place_config(const struct doctor_run *d);

/* The line that sets keyword for this connection, or NULL: no line does, or it cannot be told. */
const struct sshd_line *place_find(const struct doctor_run *d, const char *keyword,
                                   const struct sshd_connection *c);

/* Adds `: 'FILE:4', below 'Match User li' of line 3`; nothing when line is NULL. */
void place_add(const struct doctor_run *d, const struct sshd_line *line, struct buf *out);

/* True when the line is one of setup's own drop-in. */
bool place_is_ours(const struct sshd_line *line);

/* Adds to the finding's mend the command with which sshd reads its configuration again, behind
 * joint; nothing where it does so by itself. */
void place_mend_reload(struct doctor_run *d, const char *joint);

/* Adds to the finding's mend that the line is to be taken out, or else `otherwise`, and the
 * reload. */
void place_mend_line(struct doctor_run *d, const struct sshd_line *line, const char *otherwise);

#endif
