/* SPDX-License-Identifier: ISC */
/* tunnel-agent join: redeems an invite, and writes down what is then held up. */
#ifndef TUNLEASE_AGENT_JOIN_JOIN_H
#define TUNLEASE_AGENT_JOIN_JOIN_H

#include "tunnel-agent/config/options.h"
#include "tunnel-agent/join/join_words.h"

/* What is to be held up, as if a person had named it. To be released in any case. */
struct join {
    struct join_words words;
    struct options options; /* borrows from the rest */
    char *conf_file;        /* owned */
    char leg_name[LEASE_NAME_BYTES];
    char gateway[LOGIN_NAME_BYTES + 300];
    char target_host[300];
    bool holds; /* options are filled: the caller goes on with them */
};

/* Joins, and prints what was joined. The exit status; EXIT_DONE with holds for what is to be held
 * up now. */
int join_run(struct join *j, int argc, char **argv);
void join_release(struct join *j);

#endif
