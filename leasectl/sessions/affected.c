/* SPDX-License-Identifier: ISC */
#include "leasectl/sessions/affected.h"

#include "leasectl/ctl_store.h"
#include "lib/base/clock.h"
#include "lib/lease/lease.h"
#include "lib/session/process.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* How long pam_tunnel judges a login, in whole seconds. */
enum { OPENING_S = 2 };

uint64_t affected_now_ticks(void)
{
    struct process self;
    uint64_t ticks = (uint64_t)clock_boot_ms() * (uint64_t)sysconf(_SC_CLK_TCK) / 1000;
    /* In a time namespace (time_namespaces(7)) /proc counts from another boot time. */
    if (process_read(getpid(), &self) == SIGHT_IS && self.start_ticks > ticks)
        ticks = self.start_ticks;
    return ticks;
}

size_t affected_lease_count(const struct enforce_scope *scope)
{
    if (scope->lease == NULL)
        return 0;
    return scope->lease_count > 0 ? scope->lease_count : 1;
}

static bool listens(const struct enforce_scope *scope)
{
    for (size_t i = 0; i < affected_lease_count(scope); i++)
        if (scope->lease[i].listen.count > 0)
            return true;
    return false;
}

int64_t affected_lease_id(const struct enforce_scope *scope)
{
    return affected_lease_count(scope) != 1 || listens(scope) ? 0 : scope->lease->id;
}

static bool is_of(const struct lease *l, const struct session *s)
{
    if (s->open)
        return s->lease_id == l->id;
    return strcmp(l->login, s->login) == 0 && lease_has_key(l, s->fingerprint);
}

static bool is_of_lease(const struct enforce_scope *scope, const struct session *s)
{
    const size_t count = affected_lease_count(scope);
    for (size_t i = 0; i < count; i++)
        if (is_of(&scope->lease[i], s))
            return true;
    return count == 0;
}

static bool in_scope(void *arg, const struct session *s)
{
    const struct enforce_scope *scope = arg;
    if (scope->login != NULL && strcmp(scope->login, s->login) != 0)
        return false;
    return (s->open && listens(scope)) || is_of_lease(scope, s);
}

void affected_filter(const struct enforce_scope *scope, struct session_list *list)
{
    session_list_filter(list, in_scope, (void *)(uintptr_t)scope);
}

static bool is_narrowed(const struct enforce_scope *scope, int64_t lease_id)
{
    if (!scope->narrowed || scope->lease != NULL)
        return scope->narrowed;
    for (size_t i = 0; i < scope->narrowed_id_count; i++)
        if (scope->narrowed_ids[i] == lease_id)
            return true;
    return false;
}

/*
 * True when sshd may still apply the old permits to a session. sshd gets the permits from akc
 * before the session is registered. So a login that was under way when they were narrowed may have
 * the old ones, though its entry has the new ones. A login that had no entry yet is refused by
 * pam_tunnel, which reads what was recorded (lib/session/narrowed.h).
 */
static bool may_hold_old_permits(const struct enforce_scope *scope, uint64_t changed_ticks,
                                 const struct session *s)
{
    return is_narrowed(scope, s->lease_id) && s->open && s->start_ticks <= changed_ticks &&
           (s->since_s + OPENING_S >= scope->begun_s || s->opens == NULL);
}

/* Why the session may not stay; SESSION_ALLOWED: it may. */
static enum session_verdict final_verdict(const struct enforce_scope *scope, uint64_t changed_ticks,
                                          const struct session *s, enum session_verdict verdict)
{
    if (!is_of_lease(scope, s)) /* of another lease, which the change can only narrow */
        return verdict == SESSION_NARROWED ? verdict : SESSION_ALLOWED;
    if (verdict == SESSION_ALLOWED && may_hold_old_permits(scope, changed_ticks, s))
        return SESSION_NARROWED;
    return verdict;
}

/* Keeps in the list those that may not stay. */
static void keep_ending(const struct enforce_scope *scope, uint64_t changed_ticks,
                        struct affected *a)
{
    size_t kept = 0;
    for (size_t i = 0; i < a->ending.count; i++) {
        struct session *s = &a->ending.items[i];
        const enum session_verdict verdict = final_verdict(scope, changed_ticks, s, a->verdicts[i]);
        a->has_opening = a->has_opening || (verdict == SESSION_ALLOWED && !s->open);
        if (verdict == SESSION_ALLOWED) {
            session_release(s);
            continue;
        }
        a->verdicts[kept] = verdict;
        a->ending.items[kept++] = *s;
    }
    a->ending.count = kept;
}

int affected_judge(struct ctl *ctl, const struct enforce_scope *scope, uint64_t changed_ticks,
                   struct session_list *list, struct affected *ret)
{
    struct affected a = {.ending = *list};
    int code = EXIT_DONE;
    *list = (struct session_list){.items = NULL};
    a.verdicts = calloc(a.ending.count + 1, sizeof(*a.verdicts));
    if (a.verdicts == NULL) {
        code = ctl_error(ctl, EXIT_FAILED, "out of memory");
        goto out;
    }
    enum store_rc rc = store_judge_sessions(ctl->store, &a.ending, clock_now_s(), a.verdicts, NULL);
    if (rc != STORE_OK) {
        code = ctl_store_error(ctl, rc);
        goto out;
    }
    keep_ending(scope, changed_ticks, &a);
    *ret = a;
    a = (struct affected){.verdicts = NULL};
out:
    affected_release(&a);
    return code;
}

void affected_release(struct affected *a)
{
    session_list_release(&a->ending);
    free(a->verdicts);
    *a = (struct affected){.verdicts = NULL};
}
