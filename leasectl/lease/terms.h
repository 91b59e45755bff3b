/* SPDX-License-Identifier: ISC */
/* The terms of a lease, for all verbs that grant or change one: parsing the arguments, checking
 * them. Each returns EXIT_DONE, or the exit code with the error printed and nothing set. */
#ifndef TUNLEASE_LEASECTL_LEASE_TERMS_H
#define TUNLEASE_LEASECTL_LEASE_TERMS_H

#include "leasectl/ctl_store.h"
#include "lib/lease/lease.h"
#include "lib/store/conflict.h"

/* --for DURATION, which counts from now, and --until TIME. Only one of them may be given, and only
 * once: an error unless *expires_s is still 0. */
int terms_parse_for(struct ctl *ctl, const char *text, int64_t *expires_s);
int terms_parse_until(struct ctl *ctl, const char *text, int64_t *expires_s);

/* before: what stands before text on the command line: "--open ", "--listen ", or with the sign of
 * set, "--open +". */
int terms_parse_permit(struct ctl *ctl, const char *before, const char *text, enum permit_form form,
                       struct permit *ret);

/* Checks a forward's [HOST:]PORT that is written as a client types it, where ssh would not
 * understand it either. What sshd would refuse is no error. */
int terms_check_typed(struct ctl *ctl, const char *before, const char *text);

/* Adds the agent of --open agent:NAME. */
int terms_add_open_agent(struct ctl *ctl, const char *text, struct lease *l);

/* Checks that l can be read with the ports of its agents: each is one more permit of one port. */
int terms_check_room(struct ctl *ctl, const struct lease *l);

/* The same; and that each agent that l opens exists, and that its port is within the ceiling of l's
 * login. Needs the store open. */
int terms_check_agents(struct ctl *ctl, const struct lease *l);

/* Warns if the hint that this agent gets from leased leads people without an account here to a
 * password prompt. */
void terms_warn_of_jump_user(const struct ctl *ctl, const char *agent);

int terms_parse_from(struct ctl *ctl, const char *text, struct source_list *ret);

/* Copies text into out. problem: what is wrong with text, as lease_name_problem and its like return
 * it; NULL: nothing. */
int terms_set_text(struct ctl *ctl, const char *option, const char *text, const char *problem,
                   char *out, size_t out_bytes);

int terms_parse_max_sessions(struct ctl *ctl, const char *arg, unsigned *ret);

/* EXIT_USAGE for a limit on a lease that listens: it has one connection, the newest (leasectl(1)).
 */
int terms_check_max_sessions(struct ctl *ctl, const struct lease *l);

/* Reads this host's public key, which is printed for the holder to compare. Call it before anything
 * is changed: if it cannot be read, nothing may be granted. */
int terms_read_host_key(struct ctl *ctl, struct pubkey *ret);

/* Check against the ceiling. On EXIT_CEILING the error shows the ceiling, and names the keyword to
 * change and its file. */
int terms_check_open(const struct ctl *ctl, const char *login, const struct permit *p);
int terms_check_listen(const struct ctl *ctl, const char *login, const struct permit *p);
int terms_check_permits(struct ctl *ctl, const struct lease *l);
int terms_check_end(struct ctl *ctl, int64_t expires_s);

/* Prints which lease has the name, key or port. EXIT_CONFLICT. */
int terms_report_conflict(struct ctl *ctl, const struct lease *l, const struct store_conflict *c);

#endif
