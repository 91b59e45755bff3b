/* SPDX-License-Identifier: ISC */
#include "leasectl/prove/verifies.h"

#include "leasectl/prove/self.h"
#include "lib/base/clock.h"

#include <bsd/string.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

enum {
    CELLS = 4,
    KILL_MS = 57000, /* of the run: one that has not ended by then is killed. Its lease ends by
                        itself within a minute. */
};

static const char *const ids[] = {
    "no-session",    "permitted", "nothing-else", "revoked-session", "revoked-login",
    "expired-login", NULL};

const struct verify_run *verifies_find(const struct verifies *v, const char *login)
{
    for (size_t i = 0; i < v->count; i++)
        if (strcmp(v->runs[i].login, login) == 0)
            return &v->runs[i];
    return NULL;
}

void verifies_add_login(struct verifies *v, const char *login, int64_t lease_id)
{
    struct verify_run *r = (struct verify_run *)(uintptr_t)verifies_find(v, login);
    if (r == NULL && v->count == VERIFIES_MAX) {
        v->left_out += lease_id != 0 && strcmp(v->last_left_out, login) != 0;
        (void)strlcpy(v->last_left_out, login, sizeof(v->last_left_out));
        return;
    }
    if (r == NULL) {
        r = &v->runs[v->count++];
        *r = (struct verify_run){.running = false};
        (void)strlcpy(r->login, login, sizeof(r->login));
    }
    if (r->lease_id == 0)
        r->lease_id = lease_id;
}

void verifies_freeze(struct verifies *v, const char *login)
{
    for (size_t i = 0; i < v->count; i++)
        if (strcmp(login, "*") == 0 || strcmp(v->runs[i].login, login) == 0)
            v->runs[i].frozen = true;
}

static bool is_agents(const struct verifies *v, const struct verify_run *r)
{
    return strcmp(r->login, v->proof->ctl->conf.agent_login) == 0;
}

static void not_run(struct verifies *v, const struct verify_run *r, const char *why)
{
    for (size_t i = 0; ids[i] != NULL; i++)
        proof_add(v->proof, ids[i], r->login, OUTCOME_NOT_RUN, "%s", why);
    if (is_agents(v, r))
        proof_add(v->proof, "revoked-agent", r->login, OUTCOME_NOT_RUN, "%s", why);
}

static void begin(struct verifies *v, struct verify_run *r)
{
    char number[24];
    (void)snprintf(number, sizeof(number), "#%" PRId64, r->lease_id);
    const char *const by_login[] = {"verify", "--login", r->login, NULL};
    const char *const by_lease[] = {"verify", number, NULL};
    r->running = self_start(v->proof->ctl, r->by_lease ? by_lease : by_login, &r->child) == 0;
    if (!r->running) {
        child_release(&r->child);
        not_run(v, r, "leasectl verify could not be started");
    }
}

void verifies_begin(struct verifies *v)
{
    size_t running = 0;
    for (size_t i = 0; i < v->begun; i++)
        running += v->runs[i].running;
    while (v->begun < v->count && running < VERIFIES_AT_ONCE) {
        struct verify_run *r = &v->runs[v->begun++];
        if (r->frozen)
            not_run(v, r, "it is frozen: nobody is let in");
        else if (proof_has_time(v->proof))
            begin(v, r);
        else
            not_run(v, r, "out of time");
        running += r->running;
    }
}

/* A row of verify: CHECK, WHAT, RESULT, EVIDENCE. NULL: it is of no trial. */
static const char *trial_of(const char *check, const char *what)
{
    switch (check[0]) {
    case 'A':
        return "no-session";
    case 'B':
        return "permitted";
    case 'C':
        return "nothing-else";
    case 'D':
        return strncmp(what, "revoking ", 9) == 0 ? "revoked-session" : "revoked-login";
    case 'E':
        return "expired-login";
    default:
        return NULL;
    }
}

static void add_row(struct verifies *v, const struct verify_run *r, const char *const cells[CELLS],
                    bool *ret_has)
{
    char what[256];
    const char *id = trial_of(cells[0], cells[1]);
    const enum outcome outcome = strcmp(cells[2], "pass") == 0   ? OUTCOME_PASS
                                 : strcmp(cells[2], "FAIL") == 0 ? OUTCOME_FAIL
                                                                 : OUTCOME_NOT_RUN;
    (void)snprintf(what, sizeof(what), "%s: %s", r->login, cells[1]);
    for (size_t i = 0; id != NULL && ids[i] != NULL; i++)
        ret_has[i] = ret_has[i] || strcmp(ids[i], id) == 0;
    if (id != NULL)
        proof_add(v->proof, id, what, outcome, "%s", cells[3]);
    if (id != NULL && strcmp(id, "revoked-login") == 0 && is_agents(v, r))
        proof_add(v->proof, "revoked-agent", what, outcome, "%s", cells[3]);
}

static void add_results(struct verifies *v, struct verify_run *r)
{
    bool has[sizeof(ids) / sizeof(ids[0])] = {false};
    char why[256];
    const char *cells[CELLS];
    char *rest = buf_text(&r->child.out_text) != NULL ? r->child.out_text.data : NULL;
    while (rest != NULL && self_next_row(&rest, cells, CELLS) > 0)
        add_row(v, r, cells, has);
    const char *said = child_text(&r->child.err_text);
    (void)snprintf(why, sizeof(why), "%s%.*s",
                   r->stopped      ? "out of time"
                   : *said != '\0' ? ""
                                   : "verify ended before it came to this",
                   r->stopped ? 0 : (int)strcspn(said, "\n"), said);
    for (size_t i = 0; ids[i] != NULL; i++)
        if (!has[i])
            proof_add(v->proof, ids[i], r->login, OUTCOME_NOT_RUN, "%s", why);
    if (is_agents(v, r))
        proof_not_run(v->proof, (const char *const[]){"revoked-agent", NULL}, why);
    child_release(&r->child);
    r->running = false;
}

/* Where the ceiling leaves verify no port of this host to try, it tries the lease's own. */
static void end(struct verifies *v, struct verify_run *r)
{
    if (child_exit_status(&r->child) != EXIT_CEILING || r->by_lease || r->lease_id == 0 ||
        !proof_has_time(v->proof)) {
        add_results(v, r);
        return;
    }
    child_release(&r->child);
    r->by_lease = true;
    begin(v, r);
}

bool verifies_go_on(struct verifies *v, int wait_ms)
{
    bool any = false;
    verifies_begin(v);
    for (size_t i = 0; i < v->begun; i++) {
        struct verify_run *r = &v->runs[i];
        if (!r->running)
            continue;
        if (child_pump(&r->child, wait_ms))
            end(v, r);
        any = any || r->running;
    }
    return any || v->begun < v->count;
}

void verifies_finish(struct verifies *v)
{
    while (verifies_go_on(v, 20)) {
        const bool late = proof_elapsed_ms(v->proof) > KILL_MS;
        for (size_t i = 0; i < v->begun && !proof_has_time(v->proof); i++) {
            struct verify_run *r = &v->runs[i];
            if (r->running && (!r->stopped || late))
                (void)kill(r->child.pid, late ? SIGKILL : SIGTERM);
            r->stopped = r->stopped || r->running;
        }
    }
    if (verifies_find(v, v->proof->ctl->conf.agent_login) == NULL)
        proof_not_run(v->proof, (const char *const[]){"revoked-agent", NULL},
                      "AgentLogin is no tunnel login");
    if (v->left_out == 0)
        return;
    for (size_t i = 0; ids[i] != NULL; i++)
        proof_add(v->proof, ids[i], "other logins", OUTCOME_NOT_RUN,
                  "%u more logins: 'leasectl verify --login LOGIN' tries one", v->left_out);
}
