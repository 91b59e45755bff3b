/* SPDX-License-Identifier: ISC */
#include "leasectl/prove/audit_trials.h"

#include "leasectl/audit/checkpoint.h"
#include "leasectl/audit/fault.h"
#include "leasectl/child.h"
#include "leasectl/ctl_store.h"
#include "lib/store/audit.h"
#include "lib/store/audit_guard.h"
#include "lib/store/connection.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { ROWS_IN_MS = 100 };

static const char what[] = "the audit";

static void try_guard(struct proof *p)
{
    struct audit_guard guard;
    char bad[128];
    enum store_rc rc = STORE_FAIL;
    if (ctl_open_write(p->ctl) == EXIT_DONE)
        rc = audit_guard_try(p->ctl->store, &guard);
    ctl_close(p->ctl);
    if (rc != STORE_OK) {
        proof_add(p, "audit-guard", what, OUTCOME_NOT_RUN, "%s",
                  rc == STORE_NONE ? "it has no row" : "the store cannot be written");
        return;
    }
    (void)snprintf(bad, sizeof(bad), "its newest row can be%s%s%s", guard.change ? "" : " changed",
                   guard.removal ? "" : " deleted", guard.replacement ? "" : " replaced");
    proof_judge(p, "audit-guard", what,
                guard.change && guard.removal && guard.replacement ? NULL : bad,
                "all three were refused");
}

/* Sets the head. */
static bool read_head(const struct ctl *ctl, struct audit_proof *ret)
{
    struct audit_head head;
    if (audit_head(ctl->store, &head) != STORE_OK || head.seq == 0)
        return false;
    ret->report = (struct audit_report){.last_seq = head.seq, .head_time_s = head.time_s};
    memcpy(ret->report.head, head.hash, sizeof(head.hash));
    return true;
}

/* A row takes a few microseconds, and a very long audit more time than is left. */
static bool has_time_for(const struct proof *p, int64_t rows)
{
    return rows / ROWS_IN_MS < PROOF_MS - proof_elapsed_ms(p);
}

static void try_chain(struct proof *p, struct audit_proof *ret)
{
    struct buf fault = {0};
    bool late = false;
    if (ctl_open_read(p->ctl) == EXIT_DONE) {
        ret->known = read_head(p->ctl, ret);
        late = ret->known && !has_time_for(p, ret->report.last_seq);
        ret->verified = !late && audit_verify(p->ctl->store, &ret->report) == STORE_OK;
        ret->known = ret->known || ret->verified;
    }
    ctl_close(p->ctl);
    if (!ret->verified) {
        proof_add(p, "audit-chain", what, OUTCOME_NOT_RUN, "%s",
                  late ? "out of time: 'leasectl audit verify' takes longer" : "it cannot be read");
    } else if (ret->report.broken_seq != 0) {
        audit_fault_describe(&ret->report, &fault);
        proof_add(p, "audit-chain", what, OUTCOME_FAIL, "%s", child_text(&fault));
    } else {
        proof_add(p, "audit-chain", what, OUTCOME_PASS, "the chain of %" PRId64 " rows is whole",
                  ret->report.rows);
    }
    buf_release(&fault);
}

static void try_rows(struct proof *p, int64_t lease_id)
{
    static const char *const actions[] = {"grant", "key_remove", "set", "revoke", "delete"};
    enum { ACTIONS = sizeof(actions) / sizeof(actions[0]) };
    char actor[192], bad[128];
    const bool removed = proof_outcome(p, "removed-key-session") == OUTCOME_PASS;
    const bool narrowed = proof_outcome(p, "narrowed-session") == OUTCOME_PASS;
    const bool expected[ACTIONS] = {true, removed, narrowed, true, true};
    unsigned found = 0;
    bad[0] = '\0';
    if (lease_id == 0 || ctl_open_read(p->ctl) != EXIT_DONE) {
        proof_add(p, "audit-rows", what, OUTCOME_NOT_RUN, "prove had no lease of its own");
        return;
    }
    for (size_t i = 0; i < ACTIONS; i++) {
        int64_t time_s;
        if (!expected[i])
            continue;
        const enum store_rc rc =
            audit_last_of(p->ctl->store, lease_id, actions[i], &time_s, actor, sizeof(actor));
        found += rc == STORE_OK;
        if (rc != STORE_OK)
            (void)snprintf(bad, sizeof(bad), "it has no row '%s' of the lease that prove made",
                           actions[i]);
    }
    ctl_close(p->ctl);
    if (bad[0] != '\0')
        proof_add(p, "audit-rows", what, OUTCOME_FAIL, "%s", bad);
    else
        proof_add(p, "audit-rows", what, OUTCOME_PASS, "it has %u rows of the lease, by '%s'",
                  found, actor);
}

static void log_head(const struct audit_report *a)
{
    struct audit_head head = {.seq = a->last_seq, .time_s = a->head_time_s};
    memcpy(head.hash, a->head, sizeof(head.hash));
    checkpoint_log(&head);
}

void try_audit(struct proof *p, int64_t own_lease_id, struct audit_proof *ret)
{
    *ret = (struct audit_proof){.known = false};
    proof_show_progress(p, "audit");
    try_guard(p);
    try_rows(p, own_lease_id);
    try_chain(p, ret);
    if (ret->verified && ret->report.broken_seq == 0)
        log_head(&ret->report);
}
