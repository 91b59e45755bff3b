/* SPDX-License-Identifier: ISC */
#include "tunnel-agent/exec.h"

#include "lib/base/command.h"
#include "lib/base/log.h"
#include "tunnel-agent/gateway/invite_word.h"
#include "tunnel-agent/config/options.h"
#include "tunnel-agent/config/tunnels_conf.h"
#include "tunnel-agent/exec/tunnel_keeper.h"
#include "tunnel-agent/host/exit_code.h"
#include "tunnel-agent/host/localport.h"
#include "tunnel-agent/legs.h"
#include "tunnel-agent/ssh/fixed_options.h"
#include "tunnel-agent/ssh/hostkey_prompt.h"
#include "tunnel-agent/ssh/jump.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int usage(const char *why)
{
    log_error("%s", why);
    return EXIT_USAGE;
}

static int not_started(const char *why)
{
    log_error("the command was not started: %s", why);
    return COMMAND_NOT_STARTED;
}

/* ---- local ports ---- */

/* Another program may take the port before ssh does: then there is no tunnel, and that is said.
 * *ret_fd keeps it until then: close it; or -1. */
static uint16_t free_port(const char *bind_to, int *ret_fd)
{
    struct sockaddr_storage at;
    socklen_t len;
    uint16_t port = 0;
    *ret_fd = -1;
    if (localport_address(bind_to, 0, false, &at, &len) != 0)
        return 0;
    int fd = socket(at.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && bind(fd, (struct sockaddr *)&at, len) == 0 &&
        getsockname(fd, (struct sockaddr *)&at, &len) == 0)
        port = ntohs(at.ss_family == AF_INET6
                         ? ((const struct sockaddr_in6 *)(const void *)&at)->sin6_port
                         : ((const struct sockaddr_in *)(const void *)&at)->sin_port);
    *ret_fd = fd;
    return port;
}

/* All are kept until the last is found, so that none is found twice. */
static int fill_in_ports(struct leg *leg)
{
    int *kept = calloc(leg->forward_count + 1, sizeof(*kept));
    size_t count = 0;
    bool found = kept != NULL;
    for (size_t i = 0; found && i < leg->forward_count; i++) {
        struct forward *f = &leg->forwards[i];
        if (f->port != 0)
            continue;
        f->port = free_port(strcasecmp(f->bind, "localhost") == 0 ? "127.0.0.1" : f->bind,
                            &kept[count++]);
        found = f->port != 0;
    }
    while (count > 0)
        if (kept[--count] >= 0)
            (void)close(kept[count]);
    free(kept);
    return found ? EXIT_DONE
                 : not_started("no local port is free, or the bind address is none of this host");
}

/* Where a client on this host connects to. */
static const char *address_of(const char *bind_to)
{
    if (strcmp(bind_to, "*") == 0 || strcmp(bind_to, "0.0.0.0") == 0)
        return "127.0.0.1";
    return strcmp(bind_to, "::") == 0 ? "::1" : bind_to;
}

/* TUNNEL_5432=127.0.0.1:41234 */
static int set_environment(const struct leg *leg)
{
    char name[32], value[512];
    for (size_t i = 0; i < leg->forward_count; i++) {
        const struct forward *f = &leg->forwards[i];
        const char *host = address_of(f->bind);
        (void)snprintf(name, sizeof(name), "TUNNEL_%u", f->host_port);
        (void)snprintf(value, sizeof(value), strchr(host, ':') != NULL ? "[%s]:%u" : "%s:%u", host,
                       f->port);
        if (setenv(name, value, 1) != 0)
            return -1;
    }
    return 0;
}

/* ---- the run ---- */

static int run(struct tunnel_keeper *t, char **command)
{
    struct keeper keeper;
    const struct command_plan plan = {.argv = command, .keeper = &keeper};
    bool keeper_ended;
    int number = 0, failure = 0, status = COMMAND_NOT_STARTED;
    t->program = getpid();
    if (keeper_start(&keeper, tunnel_keep, t) != 0)
        return not_started(strerror(errno));
    if (tie_read(keeper.tie, -1, &number) != TIE_NUMBER) { /* which says why */
        (void)keeper_wait(&keeper);
        return COMMAND_NOT_STARTED;
    }
    command_begin();
    if (set_environment(&t->options->leg) != 0) {
        failure = ENOMEM;
        tie_send(keeper.tie, 0);
    } else {
        status = command_run(&plan, &failure, &keeper_ended);
    }
    if (failure != 0)
        log_error("cannot run '%.200s': %s", command[0], strerror(failure));
    if (keeper_wait(&keeper) > 128) /* it was killed, and could not remove its files */
        statedir_sweep(t->state);
    return status;
}

static int prepare(struct tunnel_keeper *t, struct statedir *state)
{
    char why[WHY_BYTES];
    struct leg *leg = &t->options->leg;
    sshfixed_learn();
    if (statedir_open(state, why) != 0)
        return not_started(why);
    int code = fill_in_ports(leg);
    if (code != EXIT_DONE)
        return code;
    if (legs_validate(leg, 1, t->settings, why) != 0)
        return usage(why);
    sshjump_prepare(state);
    hostkey_prompt(leg, 1, t->settings, state);
    return EXIT_DONE;
}

int exec_verb(int argc, char **argv)
{
    struct options o;
    struct settings settings;
    struct statedir state;
    size_t leg_count; /* of the file: they are held by others */
    char why[OPTIONS_WHY_BYTES], file_why[TUNNELS_CONF_WHY_BYTES], code_why[WHY_BYTES];
    int code = EXIT_DONE;
    struct tunnel_keeper t = {.options = &o, .settings = &settings, .state = &state};
    int before = 1;
    while (before < argc && strcmp(argv[before], "--") != 0)
        before++;
    if (before + 1 >= argc)
        return usage("exec takes -L, [USER@]HOST, then '--', then the command: see 'tunnel-agent "
                     "--help'");
    if (options_parse_exec(before, argv, &o, why) != 0)
        return usage(why);
    if (tunnels_conf_read_settings(o.conf_file, &settings, &leg_count, file_why) != 0)
        code = usage(file_why);
    if (code == EXIT_DONE && o.invite != NULL) {
        t.has_invite = invite_word_read(o.invite, t.code, code_why) == 0;
        code = t.has_invite ? EXIT_DONE : usage(code_why);
    }
    if (code == EXIT_DONE)
        code = prepare(&t, &state);
    if (code == EXIT_DONE)
        code = run(&t, argv + before + 1);
    sshjump_remove();
    options_release(&o);
    return code;
}
