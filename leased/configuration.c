/* SPDX-License-Identifier: ISC */
#include "leased/configuration.h"

#include "leased/requests/api_keys.h"
#include "lib/base/buf.h"
#include "lib/base/log.h"
#include "lib/conf/load.h"

#include <stdbool.h>
#include <string.h>

static void log_warnings(const struct buf *lines)
{
    for (const char *at = buf_text(lines); at != NULL && *at != '\0';) {
        int len = (int)strcspn(at, "\n");
        log_warn("%.*s", len, at);
        at += len + (at[len] == '\n' ? 1 : 0);
    }
}

/* Loads tunlease.conf, leased.env and the key files: all, or none with the reason in err. */
static int read_all(const char *file, struct conf *ret, struct api_keys *ret_keys,
                    char err[static CONF_ERROR_BYTES], struct buf *warnings)
{
    if (conf_load_daemon(file, ret, err, warnings) != 0)
        return -1;
    int rc = api_keys_load(ret, ret_keys, err, warnings);
    conf_forget_keys(ret); /* only their hashes are needed from now on */
    if (rc != 0)
        conf_release(ret);
    return rc;
}

int configuration_load(const char *file, struct conf *ret, struct api_keys *ret_keys)
{
    char err[CONF_ERROR_BYTES];
    struct buf warnings = {0};
    int rc = read_all(file, ret, ret_keys, err, &warnings);
    log_warnings(&warnings);
    if (rc != 0)
        log_error("%s", err);
    buf_release(&warnings);
    return rc;
}

/* The keyword that changed and that only a restart can change, or NULL. */
static const char *needs_restart(const struct conf *old, const struct conf *new_conf)
{
    bool same = new_conf->listen_count == old->listen_count;
    if (strcmp(new_conf->paths.database, old->paths.database) != 0)
        return "Database";
    if (strcmp(new_conf->paths.run_dir, old->paths.run_dir) != 0)
        return "RunDir";
    for (size_t i = 0; same && i < old->listen_count; i++)
        same = conf_same_listener(&new_conf->listen[i], &old->listen[i]);
    if (!same)
        return "Listen";
    if (new_conf->proxy_header != old->proxy_header)
        return "ProxyHeader";
    if (new_conf->has_metrics_listen != old->has_metrics_listen ||
        (old->has_metrics_listen &&
         !conf_same_listener(&new_conf->metrics_listen, &old->metrics_listen)))
        return "MetricsListen";
    return NULL;
}

int configuration_reload(const char *file, struct conf *conf, struct api_keys *keys)
{
    char err[CONF_ERROR_BYTES];
    struct conf new_conf;
    struct api_keys new_keys;
    struct buf warnings = {0};
    int rc = read_all(file, &new_conf, &new_keys, err, &warnings);
    log_warnings(&warnings);
    buf_release(&warnings);
    if (rc != 0) {
        log_error("the configuration was not reloaded: %s", err);
        return -1;
    }
    /* All of the new file or none of it: with half of it, agents could be told of a port that is
     * not open. */
    const char *keyword = needs_restart(conf, &new_conf);
    if (keyword != NULL) {
        log_error(
            "nothing of the configuration was reloaded: %s has changed, which only a restart "
            "can apply; 'systemctl restart leased' applies the whole file, and ends no tunnel",
            keyword);
        conf_release(&new_conf);
        return -1;
    }
    conf_release(conf);
    *conf = new_conf;
    *keys = new_keys;
    return 0;
}
