/* SPDX-License-Identifier: ISC */
/* Inside lib/conf: one configuration that is being loaded, and what is wrong with it. */
#ifndef TUNLEASE_CONF_LOADING_H
#define TUNLEASE_CONF_LOADING_H

#include "lib/conf/conf.h"

struct buf;

enum {
    CONF_KEYWORDS_MAX = 32,
    CONF_PROBLEMS_MAX = 20, /* are reported in words; any more are counted */
};

struct loading {
    struct conf *conf;
    const char *file;
    /* By a keyword's place in the table. A value that could not be read is still the default, so
     * nothing is concluded from it. */
    bool seen[CONF_KEYWORDS_MAX], invalid[CONF_KEYWORDS_MAX];
    bool has_open, has_listen_rule, has_listen; /* the first one replaces the defaults */
    bool is_daemon;
    struct buf *problems; /* lines, each with a newline */
    size_t problem_count;
    struct buf *warnings; /* as problems; may be NULL */
};

/* Adds a line to the problems. fmt is what follows the name of the file: ":7: MaxTTL soon is ..."
 */
__attribute__((format(printf, 2, 3))) void loading_problem(struct loading *load, const char *fmt,
                                                           ...);

#endif
