/* SPDX-License-Identifier: ISC */
#include "leased/configuration.h"

#include "leased/requests/api_keys.h"
#include "leased/watch/events.h"
#include "lib/base/buf.h"
#include "lib/base/log.h"
#include "lib/base/text.h"
#include "lib/conf/join_login.h"
#include "lib/conf/load.h"

#include <stdbool.h>
#include <string.h>

static void log_warnings(const struct buf *lines)
{
    const char *rest = buf_text(lines);
    int len;
    for (const char *line; (line = text_next_line(&rest, &len)) != NULL;)
        log_warn("%.*s", len, line);
}

static void log_problems(const char *what, const struct buf *lines)
{
    const char *rest = buf_text(lines);
    int len;
    for (const char *line; (line = text_next_line(&rest, &len)) != NULL;)
        log_event(&event_conf_refused, NULL, "%s%.*s", what, len, line);
}

/* Loads tunlease.conf, leased.env and the key files: all, or none with the reasons in problems. */
static int read_all(const char *file, struct conf *ret, struct api_keys *ret_keys,
                    struct buf *problems, struct buf *warnings)
{
    char err[CONF_ERROR_BYTES];
    if (conf_load_daemon(file, ret, problems, warnings) != 0)
        return -1;
    int rc = api_keys_load(ret, ret_keys, err, warnings);
    conf_forget_keys(ret); /* only their hashes are needed from now on */
    if (rc != 0) {
        buf_addf(problems, "%s\n", err);
        conf_release(ret);
    }
    return rc;
}

int configuration_load(const char *file, struct conf *ret, struct api_keys *ret_keys)
{
    struct buf problems = {0}, warnings = {0};
    int rc = read_all(file, ret, ret_keys, &problems, &warnings);
    log_warnings(&warnings);
    log_problems("", &problems);
    buf_release(&problems);
    buf_release(&warnings);
    return rc;
}

bool configuration_check_join(const struct conf *conf)
{
    struct conf_logins logins;
    conf_logins_of(conf, &logins);
    const char *problem =
        conf->join_login[0] != '\0' ? join_login_problem(&logins, conf->join_login) : NULL;
    if (problem != NULL)
        log_event(&event_conf_refused, NULL,
                  "JoinLogin %s: the login %s; nobody can join until it is mended",
                  conf->join_login, problem);
    return problem == NULL;
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
    struct conf new_conf;
    struct api_keys new_keys;
    struct buf problems = {0}, warnings = {0};
    int rc = read_all(file, &new_conf, &new_keys, &problems, &warnings);
    log_warnings(&warnings);
    log_problems("the configuration was not reloaded: ", &problems);
    buf_release(&problems);
    buf_release(&warnings);
    if (rc != 0)
        return -1;
    /* All of the new file or none of it: with half of it, agents could be told of a port that is
     * not open. */
    const char *keyword = needs_restart(conf, &new_conf);
    if (keyword != NULL) {
        /* Under systemd leased does not start with other sockets than the file names. */
        log_event(&event_conf_refused, NULL,
                  "nothing of the configuration was reloaded: %s has changed, which only a "
                  "restart can apply; %s'systemctl restart leased' applies the whole file, and "
                  "ends no tunnel",
                  keyword,
                  strstr(keyword, "Listen") != NULL
                      ? "first give leased.socket or leased-metrics.socket the same address "
                        "(leased(8), The page); then "
                      : "");
        conf_release(&new_conf);
        return -1;
    }
    (void)configuration_check_join(&new_conf);
    conf_release(conf);
    *conf = new_conf;
    *keys = new_keys;
    return 0;
}
