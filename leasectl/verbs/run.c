/* SPDX-License-Identifier: ISC */
/* leasectl run: a lease that lasts as long as a command runs. */
#include "leasectl/ctl_store.h"
#include "leasectl/lease/grant_request.h"
#include "leasectl/lease/terms.h"
#include "leasectl/run/caller.h"
#include "leasectl/run/minute.h"
#include "leasectl/sessions/enforce.h"
#include "leasectl/show/lease.h"
#include "leasectl/verbs.h"
#include "lib/base/buf.h"
#include "lib/base/clock.h"
#include "lib/base/command.h"
#include "lib/base/text.h"
#include "lib/handout/handout.h"
#include "lib/handout/opened_agents.h"
#include "lib/store/leases.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

struct request {
    struct grant_request grant;
    bool as_root;
    char **command;
    struct pubkey host_key;
    struct caller caller;
};

/* How many of the arguments stand before the command, which has options of its own. */
static int count_before_command(int argc, char **argv, struct request *req)
{
    for (int i = 1; i < argc; i++)
        if (strcmp(argv[i], "--") == 0) {
            req->command = argv + i + 1;
            return i;
        }
    return argc;
}

static int parse_arguments(struct ctl *ctl, int argc, char **argv, struct request *req)
{
    static const struct option options[] = {GRANT_REQUEST_TERMS,
                                            {"key", required_argument, NULL, 'k'},
                                            {"as-root", no_argument, NULL, 'R'},
                                            {NULL, 0, NULL, 0}};
    int opt, code = EXIT_DONE, count = count_before_command(argc, argv, req);
    while (code == EXIT_DONE && (opt = ctl_option(ctl, count, argv, options)) != -1)
        if (opt == 'R')
            req->as_root = true;
        else
            code = grant_request_parse_option(ctl, &req->grant, opt, optarg);
    if (code != EXIT_DONE)
        return code;
    if (count - optind != 1 || req->command == NULL || req->command[0] == NULL)
        return ctl_usage(ctl, "run takes one NAME, then '--', then the command");
    if (req->grant.key_file == NULL)
        return ctl_usage(ctl, "--key is missing");
    return terms_set_text(ctl, "the name", argv[optind], lease_name_problem(argv[optind]),
                          req->grant.lease.name, sizeof(req->grant.lease.name));
}

/* All that can be refused before the store is asked. */
static int check_request(struct ctl *ctl, struct request *req, struct minute *m)
{
    struct lease *l = &req->grant.lease;
    int code = caller_find(ctl, req->as_root, &req->caller);
    if (code != EXIT_DONE)
        return code;
    m->limit_s = l->expires_s != 0 ? l->expires_s : INT64_MAX;
    if (l->expires_s != 0)
        code = terms_check_end(ctl, l->expires_s);
    if (code == EXIT_DONE)
        code = grant_request_complete(ctl, &req->grant);
    if (code == EXIT_DONE)
        code = terms_check_permits(ctl, l);
    if (code == EXIT_DONE)
        code = grant_request_add_key(ctl, &req->grant);
    if (code == EXIT_DONE && !ctl->json)
        code = terms_read_host_key(ctl, &req->host_key);
    l->fixed_end = false; /* the end moves */
    return code;
}

/* Standard output is the command's. */
static int say_granted(struct ctl *ctl, const struct request *req, const struct lease *l,
                       int64_t limit_s)
{
    struct opened_agents agents;
    struct buf text = {0};
    int code = EXIT_DONE;
    if (ctl->json) {
        if (lease_to_json(ctl, l, &text) == 0)
            buf_add(&text, "\n");
    } else {
        buf_addf(&text, "granted '%s' (#%" PRId64 ") on login '%s' for as long as ", l->name, l->id,
                 l->login);
        text_add_escaped(&text, text_clip(req->command[0]).s);
        buf_add(&text, " runs\n\n");
        struct lease shown = *l;
        shown.expires_s = limit_s; /* that of the store moves */
        opened_agents_find(ctl->store, &shown, &agents);
        handout_add(&ctl->conf, &shown, &agents, &req->host_key, &text);
    }
    if (buf_text(&text) != NULL)
        (void)fputs(buf_text(&text), stderr);
    else
        code = ctl_error(ctl, EXIT_FAILED, "out of memory");
    buf_release(&text);
    return code;
}

/* As the audit has it: a blank in it would begin another word there. */
static const char *name_of(const char *command)
{
    const char *slash = strrchr(command, '/');
    const char *name = slash != NULL ? slash + 1 : command;
    return lease_name_problem(name) == NULL ? name : "?";
}

/* Grants, and reads what was granted. From EXIT_DONE on the lease has to be given back. */
static int grant(struct ctl *ctl, struct request *req, struct minute *m)
{
    int64_t id = 0;
    int code = ctl_open_write(ctl);
    if (code == EXIT_DONE)
        code = terms_check_agents(ctl, &req->grant.lease);
    if (code != EXIT_DONE)
        return code;
    ctl->now_s = clock_now_s(); /* the key may have been waited for, and a minute is short */
    m->over_ms = clock_boot_ms() + MINUTE_LEASE_S * 1000;
    req->grant.lease.expires_s = minute_end_s(m, ctl->now_s);
    req->grant.command = name_of(req->command[0]);
    code = grant_request_store(ctl, &req->grant, &id);
    if (code != EXIT_DONE)
        return code;
    enum store_rc rc = store_lease_by_id(ctl->store, id, &m->lease);
    return rc == STORE_OK ? EXIT_DONE : ctl_store_error(ctl, rc);
}

static int run_command(struct ctl *ctl, struct request *req, struct minute *m)
{
    struct keeper keeper;
    const struct command_plan plan = {
        .argv = req->command, .become = caller_become, .ctx = &req->caller, .keeper = &keeper};
    bool keeper_ended;
    int failure;
    command_begin();
    if (keeper_start(&keeper, minute_keep, m) != 0) {
        (void)minute_give_back(m);
        return ctl_error(ctl, COMMAND_NOT_STARTED, "cannot start a process: %s", strerror(errno));
    }
    (void)caller_set_environment(&req->caller);
    int status = command_run(&plan, &failure, &keeper_ended);
    if (failure != 0)
        (void)ctl_error(ctl, COMMAND_NOT_STARTED, "cannot run '%s': %s",
                        text_clip(req->command[0]).s, strerror(failure));
    int kept = keeper_wait(&keeper);
    if (keeper_ended && kept != EXIT_DONE) /* so the lease is still there */
        (void)minute_give_back(m);
    return status;
}

/* Of what an earlier run left. */
static int end_sessions_of(struct ctl *ctl, const struct lease *left)
{
    const struct enforce_scope scope = {.lease = left};
    ctl->quiet = true;
    int code = left->id != 0 ? sessions_enforce(ctl, &scope) : EXIT_DONE;
    ctl->quiet = false;
    return code;
}

/* What is granted is given back, whatever fails. */
static int run_with_lease(struct ctl *ctl, struct request *req, struct minute *m, int64_t begun_s)
{
    int code = say_granted(ctl, req, &m->lease, m->limit_s);
    if (code == EXIT_DONE)
        code = sessions_enforce_new_key(ctl, &m->lease, req->grant.lease.keys[0].pub.fingerprint,
                                        begun_s);
    if (code == EXIT_DONE)
        code = end_sessions_of(ctl, &req->grant.left);
    ctl_close(ctl);
    if (code == EXIT_DONE)
        return run_command(ctl, req, m);
    (void)minute_give_back(m);
    return COMMAND_NOT_STARTED;
}

int cmd_run(struct ctl *ctl, int argc, char **argv)
{
    struct request req = {.as_root = false};
    struct minute m = {.ctl = ctl};
    const int64_t begun_s = clock_now_s();
    int code = parse_arguments(ctl, argc, argv, &req);
    if (code == EXIT_DONE)
        code = check_request(ctl, &req, &m);
    if (code == EXIT_DONE)
        code = grant(ctl, &req, &m);
    if (code == EXIT_DONE)
        code = run_with_lease(ctl, &req, &m, begun_s);
    else if (code != EXIT_USAGE)
        code = COMMAND_NOT_STARTED;
    lease_release(&m.lease);
    lease_release(&req.grant.lease);
    lease_release(&req.grant.left);
    return code;
}
