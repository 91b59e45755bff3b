/* SPDX-License-Identifier: ISC */
/* Inside lib/conf: a configuration while it is being loaded, and the problems found so far. */
#ifndef TUNLEASE_CONF_LOADING_H
#define TUNLEASE_CONF_LOADING_H

#include "lib/conf/conf.h"

struct buf;

enum {
    CONF_KEYWORDS_MAX = 32,
    CONF_PROBLEMS_MAX = 20, /* these are listed; the rest is only counted */
};

struct loading {
    struct conf *conf;
    const char *file; /* named in problems */
    /* Indexed as the table of keywords. Rules about several keywords skip one with an invalid
     * value: its field does not have what the admin wrote. */
    bool seen[CONF_KEYWORDS_MAX], invalid[CONF_KEYWORDS_MAX];
    /* A line of AllowOpen, AllowListen, Listen was read: the first one replaces the defaults. */
    bool has_open, has_listen_rule, has_listen;
    bool is_daemon;
    struct buf *problems; /* lines that end with a newline */
    size_t problem_count;
    struct buf *warnings; /* the same; may be NULL */
};

/* Adds a line to the problems. fmt gives what follows the name of the file, as in ":7: MaxTTL soon
 * is ...". */
__attribute__((format(printf, 2, 3))) void loading_problem(struct loading *load, const char *fmt,
                                                           ...);

#endif
