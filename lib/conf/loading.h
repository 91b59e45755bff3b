/* SPDX-License-Identifier: ISC */
/* Inside lib/conf: one configuration that is being loaded. */
#ifndef TUNLEASE_CONF_LOADING_H
#define TUNLEASE_CONF_LOADING_H

#include "lib/conf/conf.h"

enum { CONF_KEYWORDS_MAX = 32 };

struct loading {
    struct conf *conf;
    const char *file;
    bool seen[CONF_KEYWORDS_MAX];
    bool own_open, own_listen_rule, own_listen; /* the first one replaces the defaults */
    bool is_daemon;
    bool is_tolerant; /* what is wrong goes to warnings, and the rest is read */
    char *err;
    struct buf *warnings;
};

/* What is to be returned for in->err: 0 where it is only noted. */
int loading_wrong(struct loading *in, int code);

#endif
