/* SPDX-License-Identifier: ISC */
#include "tunnel-agent/join/friend.h"

#include "lib/base/buf.h"
#include "lib/base/log.h"
#include "lib/base/port_set.h"
#include "lib/lease/local_port.h"
#include "lib/wire/joined.h"
#include "tunnel-agent/config/leg_text.h"
#include "tunnel-agent/config/tunnels_conf.h"
#include "tunnel-agent/host/localport.h"
#include "tunnel-agent/join/join_key.h"
#include "tunnel-agent/join/join_words.h"

#include <bsd/string.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

enum { FIRST_PORT = 1024, NAMES_MAX = 99 };

/* Reads the file; one that is missing is empty. */
static int read_file(const struct statedir *state, struct tunnels_conf *ret,
                     char why[static WHY_BYTES])
{
    char problem[TUNNELS_CONF_WHY_BYTES];
    *ret = (struct tunnels_conf){.legs = NULL};
    if (!statedir_has(state, FRIEND_FILE))
        return 0;
    char *path = statedir_file(state, FRIEND_FILE);
    int rc = path != NULL ? tunnels_conf_read(path, ret, problem) : -1;
    if (rc != 0)
        (void)strlcpy(why, path != NULL ? problem : "out of memory", WHY_BYTES);
    free(path);
    return rc;
}

const char *friend_file_problem(const struct statedir *state, char why[static WHY_BYTES])
{
    struct tunnels_conf conf;
    if (read_file(state, &conf, why) != 0)
        return why;
    bool is_full = conf.leg_count == LEGS_MAX;
    tunnels_conf_release(&conf);
    if (is_full)
        (void)snprintf(why, WHY_BYTES, "'%.400s/" FRIEND_FILE "' holds 256 tunnels, which is all",
                       state->path);
    return is_full ? why : NULL;
}

/* ---- the leg of a lease ---- */

struct ports {
    struct port_set used; /* by legs of the file, and by this leg */
    bool moved;           /* a forward has another local port than the line of ssh would give it */
};

static bool take_port(struct ports *p, unsigned port)
{
    char holder[96];
    if (port_set_has(&p->used, (uint16_t)port) ||
        !localport_is_free("127.0.0.1", (uint16_t)port, holder, sizeof(holder)))
        return false;
    port_set_add(&p->used, (uint16_t)port, (uint16_t)port);
    return true;
}

/* Ports that are free keep their number; the others become the next one above that nobody uses. */
static bool choose_ports(struct ports *p, uint16_t *ports, size_t count)
{
    bool taken[LEG_FORWARDS_MAX] = {false};
    for (size_t i = 0; i < count; i++)
        taken[i] = !take_port(p, ports[i]);
    for (size_t i = 0; i < count; i++) {
        unsigned port = ports[i], tries = UINT16_MAX - FIRST_PORT;
        while (taken[i] && tries-- > 0) {
            port = port < UINT16_MAX ? port + 1 : FIRST_PORT;
            taken[i] = !take_port(p, port);
        }
        if (taken[i])
            return false;
        p->moved = p->moved || port != ports[i];
        ports[i] = (uint16_t)port;
    }
    return true;
}

static const char *add_forward(struct leg *leg, const struct permit *permit, uint16_t port,
                               uint16_t local)
{
    char to[PERMIT_TEXT_BYTES], spec[PERMIT_TEXT_BYTES + 8];
    const char *warning;
    struct permit one = *permit;
    one.low = one.high = port;
    permit_format(&one, to);
    (void)snprintf(spec, sizeof(spec), "%u:%s", local, to);
    return leg_add_forward(leg, spec, &warning);
}

static size_t count_ports(const struct permit_list *open)
{
    size_t count = 0;
    for (size_t i = 0; i < open->count; i++)
        count += (size_t)(open->items[i].high - open->items[i].low) + 1;
    return count;
}

/* All that the lease opens, up to what a leg can hold. ports: NULL, if only what it leads to
 * counts.
 */
static const char *add_forwards(struct leg *leg, const struct permit_list *open,
                                struct ports *ports)
{
    uint16_t remote[LEG_FORWARDS_MAX], local[LEG_FORWARDS_MAX];
    size_t count = 0, at = 0;
    const char *problem = NULL;
    for (size_t i = 0; i < open->count; i++)
        for (unsigned port = open->items[i].low;
             port <= open->items[i].high && count < LEG_FORWARDS_MAX; port++)
            remote[count++] = (uint16_t)port;
    if (ports != NULL && count < count_ports(open))
        log_warn("the lease opens %zu ports, and a tunnel holds %zu: the others are left out",
                 count_ports(open), count);
    local_ports_assign(remote, count, local);
    if (ports != NULL && !choose_ports(ports, local, count))
        return "finds no free local port";
    for (size_t i = 0; i < open->count; i++)
        for (unsigned port = open->items[i].low;
             problem == NULL && port <= open->items[i].high && at < count; port++, at++)
            problem = add_forward(leg, &open->items[i], (uint16_t)port, local[at]);
    return problem;
}

static const char *set_options(struct leg *leg, const struct join_words *words,
                               const struct join_key *key)
{
    const char *problem = NULL;
    if (words->port[0] != '\0')
        problem = leg_add_ssh_option(leg, "-p", words->port);
    if (problem == NULL)
        problem = leg_add_ssh_option(leg, "-i", key->path);
    if (problem == NULL && words->host_key != NULL)
        problem = leg_set_host_key(leg, words->host_key);
    return problem;
}

/* The host is the one that the person named, and was just reached there. Of the gateway's answer
 * only the login, the name and the ports are used. */
static const char *build(struct leg *leg, const struct join_words *words,
                         const struct join_key *key, const struct joined *lease,
                         struct ports *ports)
{
    (void)strlcpy(leg->name, lease->name, sizeof(leg->name));
    const char *problem = leg_set_to(leg, words->to);
    if (problem == NULL)
        problem = leg_set_login(leg, lease->login);
    if (problem == NULL)
        problem = set_options(leg, words, key);
    return problem == NULL ? add_forwards(leg, &lease->open, ports) : problem;
}

/* ---- the file ---- */

static const struct leg *find_named(const struct tunnels_conf *conf, const char *name)
{
    for (size_t i = 0; i < conf->leg_count; i++)
        if (strcmp(conf->legs[i].name, name) == 0)
            return &conf->legs[i];
    return NULL;
}

static const struct leg *find_alike(const struct tunnels_conf *conf, const struct leg *leg)
{
    for (size_t i = 0; i < conf->leg_count; i++)
        if (leg_leads_alike(&conf->legs[i], leg))
            return &conf->legs[i];
    return NULL;
}

/* NAME, or NAME-2 and so on. */
static const char *choose_name(const struct tunnels_conf *conf, struct leg *leg)
{
    char base[LEASE_NAME_BYTES];
    (void)strlcpy(base, leg->name, sizeof(base));
    for (unsigned i = 2; find_named(conf, leg->name) != NULL; i++) {
        if (i > NAMES_MAX)
            return "finds no name that is free";
        (void)snprintf(leg->name, sizeof(leg->name), "%.*s-%u", LEASE_NAME_MAX - 3, base, i);
    }
    if (strcmp(base, leg->name) != 0)
        log_warn("another tunnel is called '%s': this one is '%s'", base, leg->name);
    return NULL;
}

static void use_ports_of(const struct tunnels_conf *conf, struct port_set *used)
{
    for (size_t i = 0; i < conf->leg_count; i++)
        for (size_t k = 0; k < conf->legs[i].forward_count; k++) {
            const uint16_t port = conf->legs[i].forwards[k].port;
            port_set_add(used, port, port);
        }
}

static int write_file(const struct statedir *state, const struct leg *leg,
                      char why[static WHY_BYTES])
{
    struct buf text = {0};
    char *before = statedir_read(state, FRIEND_FILE);
    const char *problem = NULL;
    int rc = -1;
    if (before == NULL && statedir_has(state, FRIEND_FILE))
        problem = "cannot be read";
    buf_addf(&text, "%s\n\n",
             before != NULL ? before
                            : "# Tunnels of tunnel-agent join: tunnel-agent(1), FILE FORMAT");
    if (problem == NULL)
        problem = leg_text_add(leg, &text);
    if (problem == NULL && (text.failed || text.len > STATEDIR_FILE_MAX))
        problem = "does not fit into the file";
    if (problem == NULL && (rc = statedir_write(state, FRIEND_FILE, buf_text(&text))) != 0)
        problem = strerror(errno);
    if (problem != NULL)
        (void)snprintf(why, WHY_BYTES, "cannot add to '%.300s/" FRIEND_FILE "': one %s",
                       state->path, problem);
    free(before);
    buf_release(&text);
    return rc;
}

static int add_to(const struct tunnels_conf *conf, const struct statedir *state,
                  const struct join_words *words, const struct join_key *key,
                  const struct joined *lease, struct leg *ret, char why[static WHY_BYTES])
{
    struct ports *ports = calloc(1, sizeof(*ports));
    struct leg leg = {.ssh_option_count = 0};
    const char *problem = ports != NULL ? build(&leg, words, key, lease, NULL) : "needs memory";
    const struct leg *alike = problem == NULL ? find_alike(conf, &leg) : NULL;
    int rc = -1;
    leg_release(&leg);
    if (problem == NULL) {
        use_ports_of(conf, &ports->used);
        problem = build(&leg, words, key, lease, alike != NULL ? NULL : ports);
    }
    if (problem == NULL && alike == NULL)
        problem = choose_name(conf, &leg);
    if (problem != NULL)
        (void)snprintf(why, WHY_BYTES, "cannot hold this lease: its tunnel %s", problem);
    else if (alike != NULL || (rc = write_file(state, &leg, why)) == 0)
        rc = 0;
    if (rc == 0 && alike != NULL) {
        (void)strlcpy(leg.name, alike->name, sizeof(leg.name));
        for (size_t i = 0; i < leg.forward_count; i++)
            leg.forwards[i].port = alike->forwards[i].port;
    }
    if (rc == 0 && alike == NULL && ports->moved)
        log_warn("a local port is taken by a program or another tunnel: the next free one is used");
    if (rc == 0)
        *ret = leg;
    else
        leg_release(&leg);
    free(ports);
    return rc;
}

/* Two that join at once do not choose the same port. */
static int lock_file(const struct statedir *state)
{
    char *path = statedir_file(state, FRIEND_FILE ".lock");
    int fd = path != NULL ? open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600) : -1;
    free(path);
    if (fd >= 0 && flock(fd, LOCK_EX) != 0) {
        (void)close(fd);
        fd = -1;
    }
    return fd;
}

int friend_add(const struct statedir *state, const struct join_words *words,
               const struct join_key *key, const struct joined *lease, struct leg *ret,
               char why[static WHY_BYTES])
{
    struct tunnels_conf conf;
    int rc = -1, lock = lock_file(state);
    if (lock < 0)
        (void)snprintf(why, WHY_BYTES, "cannot lock '%.300s/" FRIEND_FILE "': %s", state->path,
                       strerror(errno));
    else if (read_file(state, &conf, why) == 0) {
        rc = add_to(&conf, state, words, key, lease, ret, why);
        tunnels_conf_release(&conf);
    }
    if (lock >= 0)
        (void)close(lock);
    return rc;
}
