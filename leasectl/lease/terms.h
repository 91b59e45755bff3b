/* SPDX-License-Identifier: ISC */
/* What grant, set, renew and key take alike: terms of a lease from the command line, and how they
 * are refused. Each returns EXIT_DONE, or the exit code with the error printed and nothing set. */
#ifndef TUNLEASE_LEASECTL_LEASE_TERMS_H
#define TUNLEASE_LEASECTL_LEASE_TERMS_H

#include "leasectl/ctl_store.h"
#include "lib/lease/lease.h"
#include "lib/store/conflict.h"

/* --for DURATION, from now; --until TIME. One of them, once: *expires_s is 0 until then. */
int terms_parse_for(struct ctl *ctl, const char *text, int64_t *expires_s);
int terms_parse_until(struct ctl *ctl, const char *text, int64_t *expires_s);

int terms_parse_permit(struct ctl *ctl, const char *option, const char *text, enum permit_form form,
                       struct permit *ret);
/* --open agent:NAME. */
int terms_add_open_agent(struct ctl *ctl, const char *text, struct lease *l);

/* Whether each agent that l opens is there, and its port within the ceiling of l's login. With the
 * store open. */
int terms_check_agents(struct ctl *ctl, const struct lease *l);
int terms_parse_from(struct ctl *ctl, const char *text, struct source_list *ret);

/* problem: what a checker said of text, NULL when it is good. */
int terms_set_text(struct ctl *ctl, const char *option, const char *text, const char *problem,
                   char *out, size_t out_bytes);

int terms_parse_max_sessions(struct ctl *ctl, const char *arg, unsigned *ret);

/* A lease that listens has one connection, the newest (leasectl(1)): a limit on it is a usage
 * error.
 */
int terms_check_max_sessions(struct ctl *ctl, const struct lease *l);

/* The host key that an invitation names. Asked before anything is changed: one that could not be
 * read is an error, and no invitation goes out without it. */
int terms_read_host_key(struct ctl *ctl, struct pubkey *ret);

/* EXIT_CEILING names the keyword to change. */
int terms_check_permits(struct ctl *ctl, const struct lease *l);
int terms_check_end(struct ctl *ctl, int64_t expires_s);

/* Says who stands in the way; EXIT_CONFLICT. */
int terms_report_conflict(struct ctl *ctl, const struct lease *l, const struct store_conflict *c);

#endif
