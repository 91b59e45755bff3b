/* SPDX-License-Identifier: ISC */
/* What a restored backup takes over from the store that it replaces. */
#include "lib/store/backup/restore.h"

#include "lib/store/audit.h"
#include "lib/store/beats.h"
#include "lib/store/freezes.h"
#include "lib/store/invites.h"
#include "lib/store/leases.h"
#include "lib/store/tokens.h"

#include "tests/unit/store_helpers.h"

#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static void no_progress(void *ctx, unsigned percent)
{
    (void)ctx;
    (void)percent;
}

/* The names that a restore reports, a word each, such as `+alice -bob`. */
static char reported[1024];

static int note(void *ctx, enum restored what, int64_t id, const char *name, const char *login)
{
    static const char signs[] = {
        [RESTORED_BACK] = '+',     [RESTORED_GONE] = '-',  [RESTORED_KEPT_REVOKED] = '!',
        [RESTORED_NARROWED] = '<', [RESTORED_TERMS] = '=', [RESTORED_FROZEN] = '*'};
    size_t used = strlen(reported);
    (void)ctx;
    (void)id;
    (void)login;
    (void)snprintf(reported + used, sizeof(reported) - used, "%s%c%s", used > 0 ? " " : "",
                   signs[what], name);
    return 0;
}

static int backup(struct store *st)
{
    char err[STORE_ERROR_BYTES];
    struct store_contents contents;
    int fd = memfd_create("backup", MFD_CLOEXEC);
    assert_true(fd >= 0);
    if (store_copy(st, fd, no_progress, NULL, &contents, err) != STORE_OK)
        fail_msg("%s", err);
    return fd;
}

/* Restores the backup into the open store, and leaves a sound one. */
static struct restore_result restore(struct store *live, int fd, bool forget)
{
    char err[STORE_ERROR_BYTES];
    struct store_contents contents;
    struct store_restore *r = NULL;
    struct restore_result result;
    struct audit_report report;
    int work_fd = memfd_create("work", MFD_CLOEXEC);
    const struct restore_request req = {
        .forget_revocations = forget, .file = "a file", .by = actor_at(NOW_S + 60), .found = note};
    reported[0] = '\0';
    if (restore_open(fd, work_fd, no_progress, NULL, &r, &contents, err) != STORE_OK)
        fail_msg("%s", err);
    if (restore_attach(r, path) != STORE_OK)
        fail_msg("%s", restore_error(r));
    assert_int_equal(restore_lock(r, live), STORE_OK);
    if (restore_merge(r, &req, &result) != STORE_OK)
        fail_msg("%s", restore_error(r));
    if (restore_commit(r) != STORE_OK)
        fail_msg("%s", store_error(live));
    restore_close(r);
    (void)close(work_fd);
    (void)close(fd);
    assert_int_equal(audit_verify(live, &report), STORE_OK);
    assert_int_equal(report.broken_seq, 0);
    assert_int_equal(report.last_seq, result.seq);
    assert_memory_equal(report.head, result.head, AUDIT_HASH_BYTES);
    assert_int_equal(raw_number("SELECT count(*) FROM key WHERE live = 1 AND lease_id NOT IN "
                                "(SELECT id FROM lease WHERE live = 1)"),
                     0);
    return result;
}

static void change(struct store *st, enum store_rc (*fn)(struct store *st, const struct lease *l),
                   const char *name)
{
    struct lease l = {0};
    assert_int_equal(store_lease_by_name(st, name, &l), STORE_OK);
    assert_int_equal(store_begin(st), STORE_OK);
    if (fn(st, &l) != STORE_OK)
        fail_msg("%s: %s", name, store_error(st));
    assert_int_equal(store_commit(st), STORE_OK);
    lease_release(&l);
}

static enum store_rc end_lease(struct store *st, const struct lease *l)
{
    const struct store_actor by = actor_at(NOW_S + 10);
    return store_lease_revoke(st, l, false, &by);
}

static enum store_rc remove_lease(struct store *st, const struct lease *l)
{
    const struct store_actor by = actor_at(NOW_S + 20);
    return store_lease_delete(st, l, true, &by);
}

static enum store_rc narrow(struct store *st, const struct lease *l)
{
    const struct store_actor by = actor_at(NOW_S + 10);
    struct store_conflict conflict;
    struct lease other = *l;
    other.open.count = 1;
    other.listen.count = 0;
    assert_null(source_list_parse("192.0.2.0/24", &other.from));
    other.max_sessions = 2;
    return store_lease_set(st, &other, QUARANTINE_S, &by, &conflict);
}

static enum store_rc end_now(struct store *st, const struct lease *l)
{
    const struct store_actor by = actor_at(NOW_S + 10);
    struct store_conflict conflict;
    return store_lease_renew(st, l, NOW_S + 11, true, QUARANTINE_S, &by, &conflict);
}

static void what_was_ended_stays_ended(void **state)
{
    struct store *st = open_store();
    (void)state;
    (void)grant(st, "revoked", "pfwd", 1, "127.0.0.1:8009", "");
    (void)grant(st, "deleted", "pfwd", 2, "127.0.0.1:8009", "");
    (void)grant(st, "lost", "pfwd", 3, "127.0.0.1:8009", "");
    (void)grant(st, "shortened", "pfwd", 4, "127.0.0.1:8009", "");
    (void)grant(st, "same", "pfwd", 5, "127.0.0.1:8009", "");
    int fd = backup(st), again = backup(st);
    change(st, end_lease, "revoked");
    change(st, end_lease, "deleted");
    change(st, remove_lease, "deleted");
    change(st, end_now, "shortened");
    raw_sql("DELETE FROM lease WHERE name = 'lost'; DELETE FROM key WHERE lease_id = 3");
    int64_t newer = grant(st, "newer", "gw-tunnel", 6, "", "127.0.0.1:20001");
    struct restore_result r = restore(st, fd, false);
    assert_string_equal(reported, "+lost -newer !revoked !deleted !shortened");
    assert_true(r.related);
    assert_int_equal(r.kept_first, 6);
    assert_int_equal(r.lost_last, 0);
    assert_int_equal(raw_number("SELECT seq FROM sqlite_sequence"), newer);
    assert_int_equal(raw_number("SELECT freed_s FROM port WHERE port = 20001"), NOW_S + 60);
    assert_int_equal(raw_number("SELECT revoked_s FROM lease WHERE name = 'revoked'"), NOW_S + 10);
    assert_int_equal(raw_number("SELECT count(*) FROM key WHERE lease_id = 1"), 1);
    (void)restore(st, again, true);
    assert_string_equal(reported, "+revoked +deleted +shortened");
    store_close(st);
}

static void a_lease_gets_no_more_than_it_has(void **state)
{
    struct store *st = open_store();
    struct lease l = {0};
    (void)state;
    (void)grant(st, "narrow", "gw-tunnel", 1, "127.0.0.1:1 127.0.0.1:2", "127.0.0.1:20001");
    int fd = backup(st);
    change(st, narrow, "narrow");
    (void)restore(st, fd, false);
    assert_string_equal(reported, "<narrow");
    assert_int_equal(store_lease_by_name(st, "narrow", &l), STORE_OK);
    assert_int_equal(l.open.count, 1);
    assert_int_equal(l.listen.count, 0);
    assert_int_equal(l.from.count, 1);
    assert_int_equal(l.max_sessions, 2);
    assert_true(raw_number("SELECT freed_s FROM port WHERE port = 20001") > 0);
    lease_release(&l);
    store_close(st);
}

/* The store was lost, and another one begun. */
static void another_store(void **state)
{
    struct store *st = open_store();
    (void)state;
    (void)grant(st, "first", "pfwd", 1, "127.0.0.1:8009", "");
    (void)grant(st, "alice", "pfwd", 2, "127.0.0.1:8009", "");
    (void)grant(st, "bob", "pfwd", 3, "127.0.0.1:8009", "");
    int fd = backup(st);
    store_close(st);
    (void)unlink(path);
    for (int i = 0; i < 2; i++) {
        char name[512];
        (void)snprintf(name, sizeof(name), "%s%s", path, i == 0 ? "-wal" : "-shm");
        (void)unlink(name);
    }
    st = open_store();
    (void)grant(st, "alice", "pfwd", 2, "127.0.0.1:8009", "");
    (void)grant(st, "carol", "pfwd", 4, "127.0.0.1:8009", "");
    change(st, end_lease, "alice");
    struct restore_result r = restore(st, fd, false);
    assert_string_equal(reported, "+first +bob -carol !alice"); /* the key of alice is revoked */
    assert_false(r.related);
    assert_int_equal(r.lost_first, 1);
    assert_int_equal(r.lost_last, 3);
    assert_int_equal(r.seq, 4); /* behind the three of the backup */
    store_close(st);
}

static void rows_that_do_not_match_are_lost(void **state)
{
    struct store *st = open_store();
    (void)state;
    (void)grant(st, "alice", "pfwd", 1, "127.0.0.1:8009", "");
    int fd = backup(st);
    (void)grant(st, "bob", "pfwd", 2, "127.0.0.1:8009", "");
    (void)grant(st, "carol", "pfwd", 3, "127.0.0.1:8009", "");
    raw_sql("DROP TRIGGER audit_update; UPDATE audit SET actor = 'nobody' WHERE seq = 2;"
            "CREATE TRIGGER audit_update BEFORE UPDATE ON audit BEGIN "
            "SELECT RAISE(ABORT, 'audit rows never change'); END");
    struct restore_result r = restore(st, fd, false);
    assert_int_equal(r.kept_last, 0);
    assert_int_equal(r.lost_first, 2);
    assert_int_equal(r.lost_last, 3);
    assert_int_equal(r.seq, 2);
    store_close(st);
}

static void the_old_audit_was_pruned(void **state)
{
    struct store *st = open_store();
    const struct store_actor by = actor_at(NOW_S + 30);
    int64_t pruned = 0;
    (void)state;
    (void)grant(st, "alice", "pfwd", 1, "127.0.0.1:8009", "");
    int fd = backup(st);
    (void)grant(st, "bob", "pfwd", 2, "127.0.0.1:8009", "");
    change(st, end_lease, "alice");
    change(st, remove_lease, "alice");
    assert_int_equal(store_begin(st), STORE_OK);
    assert_int_equal(audit_prune(st, &by, NOW_S + 25, 100, &pruned), STORE_OK);
    assert_int_equal(store_commit(st), STORE_OK);
    assert_int_equal(pruned, 4);
    struct restore_result r = restore(st, fd, false);
    assert_true(r.related);
    assert_int_equal(r.kept_last, 5);
    assert_string_equal(reported, "-bob !alice"); /* nothing tells any more who ended alice */
    store_close(st);
}

static int64_t add_token(struct store *st, unsigned char n)
{
    const struct store_actor by = actor_at(NOW_S);
    const struct token t = {.uses_left = 5, .expires_s = NOW_S + 1000};
    uint8_t hash[SECRET_HASH_BYTES];
    int64_t id = 0;
    memset(hash, n, sizeof(hash));
    assert_int_equal(store_begin(st), STORE_OK);
    assert_int_equal(store_token_add(st, &t, hash, &by, &id), STORE_OK);
    assert_int_equal(store_commit(st), STORE_OK);
    return id;
}

static void tokens_and_freezes(void **state)
{
    struct store *st = open_store();
    const struct store_actor by = actor_at(NOW_S);
    (void)state;
    int64_t spent = add_token(st, 1), revoked = add_token(st, 2);
    int fd = backup(st), again = backup(st);
    assert_int_equal(store_begin(st), STORE_OK);
    assert_int_equal(store_token_use(st, spent), STORE_OK);
    assert_int_equal(store_token_revoke(st, revoked, &by), STORE_OK);
    assert_int_equal(store_freeze(st, "pfwd", &by), STORE_OK);
    assert_int_equal(store_commit(st), STORE_OK);
    (void)restore(st, fd, false);
    assert_string_equal(reported, "*!pfwd");
    assert_int_equal(raw_number("SELECT sum(uses_left) FROM token"), 4);
    assert_int_equal(raw_number("SELECT count(*) FROM key WHERE fingerprint = '!' AND live = 1"),
                     1);
    (void)restore(st, again, true);
    assert_string_equal(reported, "");
    assert_int_equal(raw_number("SELECT sum(uses_left) FROM token"), 9); /* 4 and 5 */
    store_close(st);
}

static int64_t add_invite(struct store *st, const char *name)
{
    const struct store_actor by = actor_at(NOW_S);
    struct invite i = {.ttl_s = 100, .expires_s = NOW_S + 1000};
    struct store_conflict conflict;
    uint8_t hash[SECRET_HASH_BYTES];
    int64_t id = 0;
    secret_hash(name, hash);
    (void)snprintf(i.terms.name, sizeof(i.terms.name), "%s", name);
    (void)snprintf(i.terms.login, sizeof(i.terms.login), "pfwd");
    assert_int_equal(store_begin(st), STORE_OK);
    assert_int_equal(store_invite_add(st, &i, hash, &by, &id, &conflict), STORE_OK);
    assert_int_equal(store_commit(st), STORE_OK);
    return id;
}

/* One that was spent or revoked since the backup does not come back; with what it was spent for. */
static void invites(void **state)
{
    struct store *st = open_store();
    const struct store_actor by = actor_at(NOW_S + 5);
    struct invite got = {.id = 0};
    uint8_t hash[SECRET_HASH_BYTES];
    int64_t found;
    (void)state;
    int64_t spent = add_invite(st, "spent"), revoked = add_invite(st, "revoked");
    (void)add_invite(st, "open");
    int fd = backup(st);
    assert_int_equal(store_begin(st), STORE_OK);
    assert_int_equal(store_invite_use(st, spent, &by), STORE_OK);
    assert_int_equal(store_invite_spend(st, spent, 7, "SHA256:x", &by), STORE_OK);
    assert_int_equal(store_invite_revoke(st, revoked, &by), STORE_OK);
    assert_int_equal(store_commit(st), STORE_OK);
    (void)restore(st, fd, false);
    assert_int_equal(store_invite_of_name(st, "open", NOW_S, &found), STORE_OK);
    assert_int_equal(store_invite_of_name(st, "revoked", NOW_S, &found), STORE_NONE);
    assert_int_equal(store_invite_of_name(st, "spent", NOW_S, &found), STORE_NONE);
    secret_hash("revoked", hash);
    assert_int_equal(store_invite_find(st, hash, &got), STORE_NONE);
    secret_hash("spent", hash);
    assert_int_equal(store_invite_find(st, hash, &got), STORE_OK);
    assert_false(got.is_open);
    assert_int_equal(got.spent_s, NOW_S + 5);
    assert_int_equal(got.lease_id, 7);
    assert_string_equal(got.fingerprint, "SHA256:x");
    invite_release(&got);
    store_close(st);
}

static void agents_go_on(void **state)
{
    struct store *st = open_store();
    struct store_conflict conflict;
    const struct store_actor by = actor_at(NOW_S);
    struct lease a = make_lease("agent", "gw-tunnel", 1, "", "127.0.0.1:20001"),
                 b = make_lease("other", "gw-tunnel", 2, "", "127.0.0.1:20002");
    int64_t id = 0, other = 0;
    (void)state;
    assert_int_equal(store_begin(st), STORE_OK);
    assert_int_equal(store_agent_add(st, &a, 0, "", QUARANTINE_S, &by, &id, &conflict), STORE_OK);
    assert_int_equal(store_commit(st), STORE_OK);
    int fd = backup(st);
    uint8_t hash[SECRET_HASH_BYTES] = {7};
    const struct agent_update u = {.secret_hash = hash, .secret_used = true, .facts = "user li\n"};
    assert_int_equal(store_begin(st), STORE_OK);
    assert_int_equal(store_agent_update(st, id, &u), STORE_OK);
    assert_int_equal(
        store_agent_beat(
            st, &(struct beat){.lease_id = id, .heartbeat_ms = 1000, .expires_s = NOW_S + 9000}),
        STORE_OK);
    assert_int_equal(store_agent_add(st, &b, 0, "", QUARANTINE_S, &by, &other, &conflict),
                     STORE_OK);
    assert_int_equal(store_commit(st), STORE_OK);
    change(st, end_lease, "other");
    (void)restore(st, fd, false);
    assert_string_equal(reported, "");
    assert_int_equal(raw_number("SELECT expires_s FROM lease WHERE name = 'agent'"), NOW_S + 9000);
    assert_int_equal(raw_number("SELECT secret_used FROM lease WHERE name = 'agent'"), 1);
    assert_int_equal(raw_number("SELECT lease_id FROM port WHERE port = 20001 AND freed_s = 0"),
                     id);
    /* It registered and was revoked after the backup. */
    assert_int_equal(store_agent_key_is_revoked(st, "gw-tunnel", b.keys[0].pub.fingerprint),
                     STORE_OK);
    assert_true(raw_number("SELECT freed_s FROM port WHERE port = 20002") > 0);
    lease_release(&a);
    lease_release(&b);
    store_close(st);
}

/* Its first register was never used, and is gone. */
static void the_id_of_a_revoked_agent_stays_refused(void **state)
{
    struct store *st = open_store();
    (void)state;
    (void)add_agent(st, "agent", 1, "", NOW_S);
    int fd = backup(st), again = backup(st);
    raw_sql("DELETE FROM lease; DELETE FROM key; DELETE FROM port");
    (void)add_agent(st, "agent", 2, "", NOW_S);
    change(st, end_lease, "agent");
    (void)restore(st, fd, false);
    assert_string_equal(reported, "!agent");
    assert_int_equal(raw_number("SELECT count(*) FROM lease WHERE live = 1"), 0);
    assert_int_equal(raw_number("SELECT count(*) FROM key WHERE live = 1"), 0);
    (void)restore(st, again, true);
    assert_string_equal(reported, "+agent");
    store_close(st);
}

/* A writer that comes while a restore is under way waits, and finds the restored store. */
static void nobody_writes_meanwhile(void **state)
{
    struct store *st = open_store(), *writer = open_store();
    char err[STORE_ERROR_BYTES];
    struct store_contents contents;
    struct store_restore *r = NULL;
    struct restore_result result;
    const struct restore_request req = {.file = "", .by = actor_at(NOW_S + 60), .found = note};
    int work_fd = memfd_create("work", MFD_CLOEXEC);
    (void)state;
    (void)grant(st, "alice", "pfwd", 1, "127.0.0.1:8009", "");
    int fd = backup(st);
    store_set_timeout(writer, 0);
    assert_int_equal(restore_open(fd, work_fd, no_progress, NULL, &r, &contents, err), STORE_OK);
    assert_int_equal(restore_attach(r, path), STORE_OK);
    assert_int_equal(restore_lock(r, st), STORE_OK);
    assert_int_equal(store_begin(writer), STORE_BUSY);
    assert_int_equal(restore_merge(r, &req, &result), STORE_OK);
    restore_close(r); /* given up: nothing has changed */
    assert_int_equal(store_begin(writer), STORE_OK);
    store_rollback(writer);
    assert_int_equal(raw_number("SELECT count(*) FROM audit WHERE action = 'restored'"), 0);
    (void)close(work_fd);
    (void)close(fd);
    store_close(writer);
    store_close(st);
}

/* The owner of the directory can put one in the store's place after it was opened. */
static void a_pipe_in_its_place_is_not_waited_for(void **state)
{
    char err[STORE_ERROR_BYTES];
    struct store_contents contents;
    struct store_restore *r = NULL;
    struct store *st = open_store();
    char *pipe_path = path_in(dir, "pipe");
    int fd = backup(st), work_fd = memfd_create("work", MFD_CLOEXEC);
    (void)state;
    assert_int_equal(mkfifo(pipe_path, 0600), 0);
    assert_int_equal(restore_open(fd, work_fd, no_progress, NULL, &r, &contents, err), STORE_OK);
    (void)alarm(20); /* it ends the test program */
    assert_int_equal(restore_attach(r, pipe_path), STORE_NONE);
    (void)alarm(0);
    assert_int_equal(restore_attach(r, path), STORE_OK);
    restore_close(r);
    (void)close(work_fd);
    (void)close(fd);
    free(pipe_path);
    store_close(st);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_was_ended_stays_ended, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_lease_gets_no_more_than_it_has, set_up, tear_down),
        cmocka_unit_test_setup_teardown(another_store, set_up, tear_down),
        cmocka_unit_test_setup_teardown(rows_that_do_not_match_are_lost, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_old_audit_was_pruned, set_up, tear_down),
        cmocka_unit_test_setup_teardown(tokens_and_freezes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(invites, set_up, tear_down),
        cmocka_unit_test_setup_teardown(agents_go_on, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_id_of_a_revoked_agent_stays_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(nobody_writes_meanwhile, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_pipe_in_its_place_is_not_waited_for, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
