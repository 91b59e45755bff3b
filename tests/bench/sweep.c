/* SPDX-License-Identifier: ISC */
/*
 * sweep DIRECTORY AGENTS SESSIONS TURNS: makes a store of so many agents and a registry of so many
 * live sessions in it, sweeps as leased does, and prints the least CPU milliseconds of a sweep:
 * one in which all sessions are new, and one in which none is; and of a yardstick on the same
 * machine, one reading of /proc/PID/stat for each session.
 */
#include "leased/watch/metrics.h"
#include "leased/watch/open_store.h"
#include "leased/watch/records.h"
#include "leased/watch/sessions.h"
#include "lib/base/clock.h"
#include "lib/conf/conf.h"
#include "lib/lease/lease.h"
#include "lib/session/process.h"
#include "lib/session/registry_write.h"
#include "lib/store/agents.h"
#include "lib/store/connection.h"
#include "lib/store/open_write.h"
#include "lib/store/transaction.h"

#include <bsd/stdlib.h>
#include <bsd/string.h>
#include <err.h>
#include <event2/event.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <resolv.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static struct conf conf;
static struct open_store open_store;
static struct records records;
static struct metrics metrics;
static struct sessions swept;

static void make_agent(uint32_t number, struct lease *ret)
{
    unsigned char blob[51] = {0,   0,   0,   11,  's', 's', 'h', '-', 'e', 'd',
                              '2', '5', '5', '1', '9', 0,   0,   0,   32};
    char base64[128], text[32];
    struct lease_key key = {.added_s = 1};
    struct permit permit;
    struct lease l = {.expires_s = clock_now_s() + 86400};
    for (int i = 0; i < 32; i++)
        blob[19 + i] = (unsigned char)(number >> (8 * (i % 4)) ^ (unsigned)i);
    (void)snprintf(l.name, sizeof(l.name), "agent-%u", number);
    (void)strlcpy(l.login, "gw-tunnel", sizeof(l.login));
    (void)snprintf(text, sizeof(text), "127.0.0.1:%u", 20000 + number);
    if (b64_ntop(blob, sizeof(blob), base64, sizeof(base64)) < 0 ||
        pubkey_parse("ssh-ed25519", base64, &key.pub) != NULL ||
        permit_parse(text, PERMIT_PORT, &permit) != NULL ||
        permit_list_add(&l.listen, &permit) != NULL || lease_add_key(&l, &key) != 0)
        errx(1, "agent %u cannot be made", number);
    *ret = l;
}

/* A process for each session, since the sweep looks them up in /proc. */
static void make_session(const struct registry *r, int64_t id, const struct lease *l,
                         uint32_t number)
{
    struct process p;
    char listens[32];
    (void)snprintf(listens, sizeof(listens), "127.0.0.1:%u", 20000 + number);
    pid_t pid = fork();
    if (pid == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        for (;;)
            (void)pause();
    }
    if (pid < 0 || process_read(pid, &p) != SIGHT_IS)
        err(1, "fork");
    struct session s = {.pid = pid,
                        .start_ticks = p.start_ticks,
                        .open = true,
                        .lease_id = id,
                        .uid = 65534, /* the child of a session never runs as root */
                        .since_s = clock_now_s(),
                        .opens = (char[]){""},
                        .listens = listens};
    (void)strlcpy(s.lease, l->name, sizeof(s.lease));
    (void)strlcpy(s.login, l->login, sizeof(s.login));
    (void)strlcpy(s.fingerprint, l->keys[0].pub.fingerprint, sizeof(s.fingerprint));
    (void)strlcpy(s.source, "192.0.2.1", sizeof(s.source));
    if (registry_open_session(r, &s) != 0)
        err(1, "an entry");
}

static void fill(const char *dir, uint32_t agents, uint32_t sessions)
{
    const struct store_actor by = {.who = "sweep", .source = "", .now_s = clock_now_s()};
    char why[STORE_ERROR_BYTES], path[CONF_PATH_BYTES];
    struct store_conflict conflict;
    struct store *st = NULL;
    struct registry registry;
    static const char *const dirs[] = {"", "/sessions", "/lock"};
    for (size_t i = 0; i < 3; i++) {
        (void)snprintf(path, sizeof(path), "%s/run%s", dir, dirs[i]);
        if (mkdir(path, 0700) != 0)
            err(1, "%s", path);
    }
    (void)snprintf(conf.paths.run_dir, sizeof(conf.paths.run_dir), "%s/run", dir);
    (void)snprintf(conf.paths.database, sizeof(conf.paths.database), "%s/leases.db", dir);
    if (store_open_write(conf.paths.database, &st, why) != STORE_OK || store_begin(st) != STORE_OK)
        errx(1, "%s", why);
    open_store_adopt(&open_store, conf.paths.database, st, -1);
    if (registry_open(conf.paths.run_dir, true, &registry) != 0)
        err(1, "the registry");
    for (uint32_t i = 0; i < agents; i++) {
        struct lease l;
        int64_t id;
        make_agent(i, &l);
        if (store_agent_add(st, &l, 0, "", 0, &by, &id, &conflict) != STORE_OK)
            errx(1, "agent %u: %s", i, store_error(st));
        if (i < sessions)
            make_session(&registry, id, &l, i);
        lease_release(&l);
    }
    if (store_commit(st) != STORE_OK)
        errx(1, "%s", store_error(st));
    registry_close(&registry);
}

static double cpu_ms(void)
{
    struct rusage u;
    (void)getrusage(RUSAGE_SELF, &u);
    return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1e3 +
           (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e3;
}

static double yardstick_ms(void)
{
    double before = cpu_ms();
    for (size_t i = 0; i < swept.judged.count; i++) {
        char path[40], text[512];
        (void)snprintf(path, sizeof(path), "/proc/%d/stat", (int)swept.judged.items[i].pid);
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd < 0 || read(fd, text, sizeof(text)) <= 0)
            err(1, "%s", path);
        (void)close(fd);
    }
    return cpu_ms() - before;
}

static double sweep_ms(void)
{
    double before = cpu_ms();
    (void)sessions_sweep(&swept);
    return cpu_ms() - before;
}

int main(int argc, char **argv)
{
    if (argc != 5)
        errx(2, "usage: sweep DIRECTORY AGENTS SESSIONS TURNS");
    uint32_t agents = (uint32_t)strtonum(argv[2], 1, 40000, NULL);
    uint32_t sessions = (uint32_t)strtonum(argv[3], 1, 20000, NULL);
    fill(argv[1], agents, sessions);
    struct event_base *base = event_base_new();
    /* Timers are set, but nothing runs them. */
    if (records_start(&records, base, NULL, NULL) != 0 ||
        sessions_start(&swept, base, &conf, &open_store, &records, &metrics) != 0)
        errx(1, "cannot start");
    double fresh = 1e9, settled = 1e9, yardstick = 1e9;
    for (int64_t i = 0; i < strtonum(argv[4], 1, 1000, NULL); i++) {
        records_drop_first(&records, records.count);
        session_list_release(&swept.judged);
        double a = sweep_ms(), b = sweep_ms(), c = yardstick_ms();
        fresh = a < fresh ? a : fresh;
        settled = b < settled ? b : settled;
        yardstick = c < yardstick ? c : yardstick;
    }
    if (swept.judged.count != sessions)
        errx(1, "%zu sessions, not %u", swept.judged.count, sessions);
    return printf("%.2f %.2f %.2f\n", fresh, settled, yardstick) < 0;
}
