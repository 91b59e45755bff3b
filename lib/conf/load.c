/* SPDX-License-Identifier: ISC */
#include "lib/conf/load.h"

#include "lib/base/buf.h"
#include "lib/base/keyword.h"
#include "lib/conf/env_file.h"
#include "lib/conf/env_own.h"
#include "lib/conf/keywords.h"
#include "lib/conf/loading.h"
#include "lib/conf/cross_checks.h"

/* False: the file as a whole cannot be used. */
static bool read_file(struct loading *load, const char *file)
{
    if (conf_set_defaults(load->conf) != 0) {
        loading_problem(load, ": out of memory");
        return false;
    }
    int rc = keyword_read(load->file, keywords_parse_line, load);
    if (rc == KEYWORD_OK || (rc == KEYWORD_NO_FILE && file == NULL))
        return true;
    loading_problem(load, ": %s", keyword_strerror(rc));
    return false;
}

/* Reads Database and RunDir as akc does: what ends something must act on the store that akc reads.
 */
static bool read_paths(struct loading *load, const char *file)
{
    const char *problem = conf_paths_load(file, &load->conf->paths);
    if (problem != NULL)
        loading_problem(load, ": %s", problem);
    return problem == NULL;
}

/* 0, or -1 if there are problems; if tolerant, only for those without which there is no
 * configuration at all. */
static int load_all(struct loading load, const char *file, bool tolerant, struct conf *ret)
{
    struct conf c = {.listen_count = 0};
    int rc = -1;

    load.conf = &c;
    load.file = file != NULL ? file : CONF_DEFAULT_FILE;
    if (!read_file(&load, file) || (tolerant && !read_paths(&load, file)))
        goto out;
    env_file_load(&load, load.file);
    if (load.is_daemon)
        env_own_load(&load);
    conf_cross_check(&load);
    if (load.problem_count > CONF_PROBLEMS_MAX)
        buf_addf(load.problems, "%s: %zu more problems are not listed\n", load.file,
                 load.problem_count - CONF_PROBLEMS_MAX);
    if (load.problem_count > 0 && !tolerant)
        goto out;
    *ret = c;
    c = (struct conf){.listen_count = 0};
    rc = 0;
out:
    conf_release(&c);
    return rc;
}

int conf_load(const char *file, struct conf *ret, struct buf *problems, struct buf *warnings)
{
    return load_all((struct loading){.problems = problems, .warnings = warnings}, file, false, ret);
}

int conf_load_daemon(const char *file, struct conf *ret, struct buf *problems, struct buf *warnings)
{
    return load_all((struct loading){.problems = problems, .warnings = warnings, .is_daemon = true},
                    file, false, ret);
}

int conf_load_tolerant(const char *file, struct conf *ret, struct buf *problems)
{
    return load_all((struct loading){.problems = problems, .warnings = problems}, file, true, ret);
}
