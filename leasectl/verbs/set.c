/* SPDX-License-Identifier: ISC */
/* leasectl set: changes the terms of a lease. They hold at the next login. */
#include "leasectl/ctl_store.h"
#include "leasectl/lease/change.h"
#include "leasectl/lease/terms.h"
#include "leasectl/rehearsal/rehearsal.h"
#include "leasectl/sessions/enforce.h"
#include "lib/handout/handout.h"
#include "lib/handout/opened_agents.h"
#include "leasectl/verbs.h"
#include "lib/base/buf.h"
#include "lib/base/clock.h"
#include "lib/base/text.h"
#include "lib/store/changes.h"
#include "lib/store/leases.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { EDITS_MAX = 2 * PERMIT_LIST_MAX };

struct edit {
    bool listen, remove;
    struct permit permit;
    const char *agent; /* --open agent:NAME; NULL: a permit */
};

struct request {
    struct edit edits[EDITS_MAX];
    size_t edit_count;
    bool set_from, set_note, set_limit;
    struct source_list from;
    char note[LEASE_NOTE_MAX + 1];
    unsigned max_sessions; /* 0: none */
    bool narrows;          /* out: a permit was taken away, and a live session may hold it */
    bool limits;           /* out: a live session may have a wrong address, or be one too many */
    const char *ref;
    int64_t begun_s; /* before the change */
    struct rehearsal_options rehearsal;
};

/* Without a sign it is not certain whether the permit is to come or to go. */
static int refuse_unsigned(struct ctl *ctl, const char *option, const char *arg)
{
    char permit[PERMIT_TEXT_BYTES] = "PERMIT";
    struct permit p;
    if (permit_parse(arg, PERMIT_RANGE, &p) == NULL)
        permit_format(&p, permit);
    return ctl_error(ctl, EXIT_USAGE, "%s '%s': write +%s to add it, -%s to take it away", option,
                     text_clip(arg).s, permit, permit);
}

static int parse_edit(struct ctl *ctl, struct request *req, bool listen, const char *arg)
{
    const char *option = listen ? "--listen" : "--open";
    char before[16];
    if (arg[0] != '+' && arg[0] != '-')
        return refuse_unsigned(ctl, option, arg);
    if (req->edit_count == EDITS_MAX)
        return ctl_error(ctl, EXIT_USAGE, "too many permits at once");
    struct edit *e = &req->edits[req->edit_count++];
    *e = (struct edit){.listen = listen, .remove = arg[0] == '-'};
    if (!listen && strncmp(arg + 1, LEASE_AGENT_PREFIX, sizeof(LEASE_AGENT_PREFIX) - 1) == 0) {
        e->agent = arg + sizeof(LEASE_AGENT_PREFIX);
        return EXIT_DONE;
    }
    (void)snprintf(before, sizeof(before), "%s %c", option, arg[0]);
    return terms_parse_permit(ctl, before, arg + 1, listen ? PERMIT_PORT : PERMIT_RANGE,
                              &e->permit);
}

static int parse_option(struct ctl *ctl, struct request *req, int opt, const char *arg)
{
    switch (opt) {
    case 'o':
        return parse_edit(ctl, req, false, arg);
    case 'r':
        return parse_edit(ctl, req, true, arg);
    case 's':
        req->set_from = true;
        req->from = (struct source_list){.count = 0};
        return strcmp(arg, "none") == 0 ? EXIT_DONE : terms_parse_from(ctl, arg, &req->from);
    case 'm':
        req->set_limit = true;
        req->max_sessions = 0;
        return strcmp(arg, "none") == 0 ? EXIT_DONE
                                        : terms_parse_max_sessions(ctl, arg, &req->max_sessions);
    case 'n':
        req->set_note = true;
        return terms_set_text(ctl, "--note", arg, free_text_problem(arg), req->note,
                              sizeof(req->note));
    default:
        return rehearsal_take_option(&req->rehearsal, opt) ? EXIT_DONE : EXIT_USAGE;
    }
}

static void remove_permit(struct permit_list *list, const struct permit *p)
{
    size_t kept = 0;
    for (size_t i = 0; i < list->count; i++)
        if (!permit_equal(&list->items[i], p))
            list->items[kept++] = list->items[i];
    list->count = kept;
}

static int apply_agent_edit(struct ctl *ctl, struct lease *l, const struct edit *e)
{
    size_t kept = 0;
    if (!e->remove) {
        const char *problem = lease_open_agent_add(l, e->agent);
        return problem == NULL ? terms_check_agents(ctl, l)
                               : ctl_error(ctl, EXIT_USAGE, "--open agent:%s %s",
                                           text_clip(e->agent).s, problem);
    }
    for (size_t i = 0; i < l->open_agent_count; i++)
        if (strcmp(l->open_agents[i], e->agent) != 0)
            memmove(l->open_agents[kept++], l->open_agents[i], sizeof(l->open_agents[0]));
    if (kept == l->open_agent_count)
        return ctl_error(ctl, EXIT_NO_SUCH, "'%s' does not open agent:%s: see 'leasectl show %s'",
                         l->name, text_clip(e->agent).s, l->name);
    l->open_agent_count = kept;
    return EXIT_DONE;
}

static int apply_edit(struct ctl *ctl, struct lease *l, const struct edit *e)
{
    if (e->agent != NULL)
        return apply_agent_edit(ctl, l, e);
    char text[PERMIT_TEXT_BYTES];
    const char *option = e->listen ? "--listen" : "--open";
    struct permit_list *list = e->listen ? &l->listen : &l->open;

    permit_format(&e->permit, text);
    if (e->remove) {
        if (!permit_list_has(list, &e->permit))
            return ctl_error(ctl, EXIT_NO_SUCH, "'%s' has no permit %s %s: see 'leasectl show %s'",
                             l->name, option, text, l->name);
        remove_permit(list, &e->permit);
        return EXIT_DONE;
    }
    if (permit_list_has(list, &e->permit))
        return EXIT_DONE;
    const char *problem = permit_list_add(list, &e->permit);
    if (problem != NULL)
        return ctl_error(ctl, EXIT_USAGE, "%s %s %s", option, text, problem);
    return e->listen ? terms_check_listen(ctl, l->login, &e->permit)
                     : terms_check_open(ctl, l->login, &e->permit);
}

static int copy_permits(struct permit_list *to, const struct permit_list *from)
{
    for (size_t i = 0; i < from->count; i++)
        if (!from->items[i].from_agent && permit_list_add(to, &from->items[i]) != NULL)
            return -1;
    return 0;
}

static struct enforce_scope scope_of(const struct request *req, const struct lease *before)
{
    return (struct enforce_scope){
        .lease = before, .narrowed = req->narrows, .begun_s = req->begun_s};
}

/* In a rehearsal, shows what the change ends, while it is in the store. */
static int show_in_rehearsal(struct ctl *ctl, const struct request *req, const struct lease *before)
{
    const struct enforce_scope scope = scope_of(req, before);
    int code = rehearsal_note_lease(ctl, "set", before, "");
    return code == EXIT_DONE && (req->narrows || req->limits) ? rehearsal_judge(ctl, &scope) : code;
}

static int apply_request(struct ctl *ctl, const struct lease *before, const struct store_actor *by,
                         void *ctx)
{
    struct request *req = ctx;
    struct store_conflict conflict;
    struct lease after = *before;
    int code = EXIT_DONE;

    after.open = after.listen = (struct permit_list){0};
    if (copy_permits(&after.open, &before->open) != 0 ||
        copy_permits(&after.listen, &before->listen) != 0)
        code = ctl_error(ctl, EXIT_FAILED, "out of memory");
    for (size_t i = 0; code == EXIT_DONE && i < req->edit_count; i++) {
        code = apply_edit(ctl, &after, &req->edits[i]);
        req->narrows = req->narrows || req->edits[i].remove;
    }
    if (code == EXIT_DONE)
        code = terms_check_room(ctl, &after);
    if (code == EXIT_DONE && after.open.count == 0 && after.open_agent_count == 0 &&
        after.listen.count == 0)
        code = ctl_error(ctl, EXIT_USAGE, "'%s' would permit nothing: 'leasectl revoke %s' ends it",
                         before->name, before->name);
    if (code != EXIT_DONE)
        goto out;
    if (req->set_from) {
        after.from = req->from;
        req->limits = req->limits || req->from.count > 0;
    }
    if (req->set_note)
        (void)snprintf(after.note, sizeof(after.note), "%s", req->note);
    if (req->set_limit) {
        after.max_sessions = req->max_sessions;
        req->limits = req->limits || req->max_sessions > 0;
    }
    code = terms_check_max_sessions(ctl, &after);
    if (code != EXIT_DONE)
        goto out;
    enum store_rc rc = store_lease_set(ctl->store, &after, ctl_quarantine_s(ctl), by, &conflict);
    if (rc == STORE_NONE)
        code = change_refuse_revoked(ctl, before);
    else if (rc == STORE_CONFLICT)
        code = terms_report_conflict(ctl, &after, &conflict);
    else if (rc != STORE_OK)
        code = ctl_store_error(ctl, rc);
    else
        code = show_in_rehearsal(ctl, req, before);
out:
    permit_list_release(&after.open);
    permit_list_release(&after.listen);
    return code;
}

/* The holder's lines are others now. */
static int add_new_lines(struct ctl *ctl, int64_t id, struct buf *out)
{
    struct opened_agents agents;
    struct lease now = {0};
    enum store_rc rc = store_lease_by_id(ctl->store, id, &now);
    if (rc == STORE_OK) {
        opened_agents_find(ctl->store, &now, &agents);
        buf_add(out, "\n");
        handout_add(&ctl->conf, &now, &agents, NULL, out);
    }
    lease_release(&now);
    return rc == STORE_OK ? EXIT_DONE : ctl_store_error(ctl, rc);
}

static int change(struct ctl *ctl, struct request *req, struct lease *ret_before)
{
    req->begun_s = clock_now_s();
    int code = ctl_open_write(ctl);
    return code == EXIT_DONE ? change_lease(ctl, req->ref, apply_request, req, ret_before) : code;
}

static int change_in_rehearsal(struct ctl *ctl, void *req)
{
    struct lease before = {0};
    int code = change(ctl, req, &before);
    lease_release(&before);
    return code;
}

int cmd_set(struct ctl *ctl, int argc, char **argv)
{
    static const struct option options[] = {{"open", required_argument, NULL, 'o'},
                                            {"listen", required_argument, NULL, 'r'},
                                            {"from", required_argument, NULL, 's'},
                                            {"max-sessions", required_argument, NULL, 'm'},
                                            {"note", required_argument, NULL, 'n'},
                                            REHEARSAL_OPTIONS,
                                            {NULL, 0, NULL, 0}};
    struct request req = {.edit_count = 0};
    struct lease before = {0};
    struct buf lines = {0};
    char said[LEASE_NAME_MAX + 64];
    bool go_on;
    int opt, code = EXIT_DONE, lines_code = EXIT_DONE;

    while (code == EXIT_DONE && (opt = ctl_option(ctl, argc, argv, options)) != -1)
        code = parse_option(ctl, &req, opt, optarg);
    if (code != EXIT_DONE)
        return code;
    if (argc - optind != 1)
        return ctl_usage(ctl, "set takes one NAME or #NUMBER");
    if (req.edit_count == 0 && !req.set_from && !req.set_note && !req.set_limit)
        return ctl_usage(ctl,
                         "name what to change: --open, --listen, --from, --max-sessions or --note");
    req.ref = argv[optind];
    code = rehearse(ctl, &req.rehearsal, change_in_rehearsal, &req, &go_on);
    if (!go_on)
        return code;
    code = change(ctl, &req, &before);
    if (code == EXIT_DONE) {
        (void)snprintf(said, sizeof(said), "changed '%s' (#%" PRId64 ")", before.name, before.id);
        code = change_print(ctl, before.id, said);
    }
    if (code == EXIT_DONE && req.edit_count > 0 && !ctl->json)
        lines_code = add_new_lines(ctl, before.id, &lines);
    if (code == EXIT_DONE && (req.narrows || req.limits)) {
        const struct enforce_scope scope = scope_of(&req, &before);
        code = sessions_enforce(ctl, &scope);
    }
    /* Last: who reads slowly must not delay the end of a session. */
    (void)fputs(buf_text_or(&lines, ""), stdout);
    buf_release(&lines);
    lease_release(&before);
    return code == EXIT_DONE ? lines_code : code;
}
