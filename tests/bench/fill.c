/* SPDX-License-Identifier: ISC */
/*
 * fill: adds leases with made-up ed25519 keys to a store, through lib/store as leasectl does.
 *   fill DATABASE COUNT LOGIN    prints the type and base64 of the last key
 *   fill --expired DATABASE COUNT LOGIN         granted 40 days ago, ended 31 days ago
 *   fill --agents PORT DATABASE COUNT LOGIN     agents with UUIDs as names, which begin with their
 *                                number, in eight digits. Each has a port, from PORT on, and has
 *                                registered, connected and sent a heartbeat just now
 *   fill --lines COUNT LOGIN     no store: prints the authorized_keys lines of those leases
 * Key N is the same in every store, so that a test can make it again from its number.
 */
#include "lib/base/buf.h"
#include "lib/base/clock.h"
#include "lib/lease/keyline.h"
#include "lib/lease/lease.h"
#include "lib/store/agents.h"
#include "lib/store/beats.h"
#include "lib/store/changes.h"
#include "lib/store/connection.h"
#include "lib/store/open_write.h"
#include "lib/store/store.h"
#include "lib/store/transaction.h"

#include <bsd/stdlib.h>
#include <bsd/string.h>
#include <err.h>
#include <netinet/in.h>
#include <resolv.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LEASES_PER_TRANSACTION = 5000, DAY_S = 86400 };

/* The login of the leases, when they were granted, and when they end. */
struct kind {
    const char *login;
    int64_t granted_s, expires_s;
    uint32_t first_port; /* of agents; 0: grants */
};

static void make_key(uint32_t number, struct pubkey *ret)
{
    unsigned char blob[51] = {0,   0,   0,   11,  's', 's', 'h', '-', 'e', 'd',
                              '2', '5', '5', '1', '9', 0,   0,   0,   32};
    char base64[128];
    for (int i = 0; i < 32; i++)
        blob[19 + i] = (unsigned char)(number >> (8 * (i % 4)) ^ (unsigned)i);
    if (b64_ntop(blob, sizeof(blob), base64, sizeof(base64)) < 0 ||
        pubkey_parse("ssh-ed25519", base64, ret) != NULL)
        errx(1, "key %u cannot be made", number);
}

static void make_lease(uint32_t number, const struct kind *kind, const struct lease_key *key,
                       struct lease *ret)
{
    const bool agent = kind->first_port != 0;
    char port[32] = "8009";
    struct permit permit, control;
    struct lease l = {.expires_s = kind->expires_s};

    (void)snprintf(l.name, sizeof(l.name), agent ? "%08u-7c1f-4b6a-9d2e-3f5a8b0c1d2e" : "holder-%u",
                   number);
    (void)strlcpy(l.login, kind->login, sizeof(l.login));
    if (agent)
        (void)snprintf(port, sizeof(port), "127.0.0.1:%u", kind->first_port + number);
    if (permit_parse(port, PERMIT_PORT, &permit) != NULL)
        errx(1, "no port is left for number %u", number);
    if (agent && (permit_parse("12000", PERMIT_PORT, &control) != NULL ||
                  permit_list_add(&l.open, &control) != NULL))
        errx(1, "out of memory");
    if (permit_list_add(agent ? &l.listen : &l.open, &permit) != NULL ||
        lease_add_key(&l, key) != 0)
        errx(1, "out of memory");
    *ret = l;
}

static void add_lease(struct store *st, uint32_t number, const struct kind *kind,
                      const struct lease *l)
{
    const struct store_actor by = {.who = "fill", .source = "", .now_s = kind->granted_s};
    static const char facts[] = "hostname db1\nuser li\ntarget 127.0.0.1:22\n";
    struct store_conflict conflict;
    enum store_rc rc;
    int64_t id;
    if (kind->first_port == 0) {
        rc = store_lease_add(st, l, 0, &by, &id, &conflict);
    } else {
        /* Without a secret each agent is accepted with the enrolment key, so load needs only that
         * one. */
        rc = store_agent_add(st, l, 0, facts, 0, &by, &id, &conflict);
        if (rc == STORE_OK)
            rc = store_login_seen(st, id, kind->granted_s);
        if (rc == STORE_OK)
            rc = store_agent_beat(st, &(struct beat){.lease_id = id,
                                                     .heartbeat_ms = kind->granted_s * 1000,
                                                     .expires_s = l->expires_s});
    }
    if (rc != STORE_OK)
        errx(1, "lease %u: %s", number, store_error(st));
}

static void print_line(const struct lease *l, struct buf *line)
{
    buf_clear(line);
    keyline_format(l, &l->keys[0].pub, line);
    if (buf_text(line) == NULL || fputs(buf_text(line), stdout) < 0)
        err(1, "cannot print");
}

/* A million leases take half a minute. */
static void show_progress(uint32_t done, uint32_t count)
{
    static int terminal = -1;
    if (terminal < 0)
        terminal = isatty(STDERR_FILENO);
    if (terminal == 0)
        return;
    if (done < count)
        (void)fprintf(stderr, "\r\033[K%u of %u leases", done, count);
    else
        (void)fputs("\r\033[K", stderr);
}

static void print_lines(uint32_t count, const struct kind *kind)
{
    struct lease_key key = {.added_s = 1};
    struct buf line = {0};
    struct lease l;
    for (uint32_t i = 0; i < count; i++) {
        make_key(i, &key.pub);
        make_lease(i, kind, &key, &l);
        print_line(&l, &line);
        lease_release(&l);
    }
    buf_release(&line);
}

/* Returns the last key. */
static struct pubkey fill(struct store *st, uint32_t count, const struct kind *kind)
{
    struct lease_key key = {.added_s = 1};
    struct lease l;
    for (uint32_t i = 0; i < count; i++) {
        if (i % LEASES_PER_TRANSACTION == 0 && store_begin(st) != STORE_OK)
            errx(1, "%s", store_error(st));
        make_key(i, &key.pub);
        make_lease(i, kind, &key, &l);
        add_lease(st, i, kind, &l);
        lease_release(&l);
        if ((i + 1 == count || (i + 1) % LEASES_PER_TRANSACTION == 0)) {
            if (store_commit(st) != STORE_OK)
                errx(1, "%s", store_error(st));
            show_progress(i + 1, count);
        }
    }
    return key.pub;
}

int main(int argc, char **argv)
{
    char why[STORE_ERROR_BYTES];
    struct store *st = NULL;
    const char *problem = NULL;
    struct kind kind = {.granted_s = 1700000000, .expires_s = INT64_C(4000000000)};
    const int64_t now_s = clock_now_s();

    if (argc == 5 && strcmp(argv[1], "--expired") == 0) {
        kind.granted_s = now_s - 40 * DAY_S;
        kind.expires_s = now_s - 31 * DAY_S;
        argv++;
    } else if (argc == 6 && strcmp(argv[1], "--agents") == 0) {
        kind.granted_s = now_s;
        kind.expires_s = now_s + 7 * DAY_S;
        kind.first_port = (uint32_t)strtonum(argv[2], 1, UINT16_MAX, &problem);
        if (problem != NULL)
            errx(2, "PORT is %s", problem);
        argv += 2;
    } else if (argc != 4) {
        errx(2, "usage: fill [--expired|--agents PORT] DATABASE COUNT LOGIN | --lines COUNT LOGIN");
    }
    uint32_t count = (uint32_t)strtonum(argv[2], 1, 10000000, &problem);
    if (problem != NULL)
        errx(2, "COUNT is %s", problem);
    kind.login = argv[3];
    if (strcmp(argv[1], "--lines") == 0) {
        print_lines(count, &kind);
    } else {
        if (store_open_write(argv[1], &st, why) != STORE_OK)
            errx(1, "%s", why);
        struct pubkey last = fill(st, count, &kind);
        store_close(st);
        (void)printf("%s %s\n", last.type, last.base64);
    }
    return fflush(stdout) == 0 && ferror(stdout) == 0 ? 0 : 1;
}
