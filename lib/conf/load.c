/* SPDX-License-Identifier: ISC */
#include "lib/conf/load.h"

#include "lib/base/buf.h"
#include "lib/base/keyword.h"
#include "lib/base/text.h"
#include "lib/conf/env_file.h"
#include "lib/conf/env_own.h"
#include "lib/conf/keywords.h"
#include "lib/conf/loading.h"
#include "lib/conf/together.h"

#include <stdio.h>

/* As akc has them: what is to end something must act where akc reads. */
static int load_paths(const char *file, struct loading *in)
{
    const char *problem = conf_paths_load(file, &in->conf->paths);
    if (problem == NULL)
        return 0;
    (void)snprintf(in->err, CONF_ERROR_BYTES, "%s: %s", text_clip(in->file).s, problem);
    return -1;
}

static int load(const char *file, struct loading in, struct conf *ret)
{
    struct conf c;
    const char *path = file != NULL ? file : CONF_DEFAULT_FILE;
    char *err = in.err;
    int rc = -1;

    in.conf = &c;
    in.file = path;
    (void)snprintf(err, CONF_ERROR_BYTES, "%s: out of memory", text_clip(path).s);
    if (conf_set_defaults(&c) != 0)
        goto out;
    int read_rc = keyword_read(path, keywords_take_line, &in);
    if (read_rc > 0)
        goto out;
    if (read_rc != KEYWORD_OK && !(read_rc == KEYWORD_NO_FILE && file == NULL)) {
        (void)snprintf(err, CONF_ERROR_BYTES, "%s: %s", text_clip(path).s,
                       keyword_strerror(read_rc));
        goto out;
    }
    if (in.is_tolerant && load_paths(file, &in) != 0)
        goto out;
    if (env_file_load(&in, path) != 0 && !in.is_tolerant)
        goto out;
    if ((in.is_daemon && env_own_load(&in) != 0) ||
        (conf_check_together(&c, path, err) != 0 && loading_wrong(&in, -1) != 0))
        goto out;
    *ret = c;
    c = (struct conf){.listen_count = 0};
    err[0] = '\0';
    rc = 0;
out:
    conf_release(&c);
    return rc;
}

int conf_load(const char *file, struct conf *ret, char err[static CONF_ERROR_BYTES],
              struct buf *warnings)
{
    return load(file, (struct loading){.err = err, .warnings = warnings}, ret);
}

int conf_load_daemon(const char *file, struct conf *ret, char err[static CONF_ERROR_BYTES],
                     struct buf *warnings)
{
    return load(file, (struct loading){.err = err, .warnings = warnings, .is_daemon = true}, ret);
}

int conf_load_tolerant(const char *file, struct conf *ret, char err[static CONF_ERROR_BYTES],
                       struct buf *problems)
{
    return load(file, (struct loading){.err = err, .warnings = problems, .is_tolerant = true}, ret);
}
