/* SPDX-License-Identifier: ISC */
/*
 * check_store DIRECTORY STORE KEYS NOW: opens the store in many images of a disk, as a machine does
 * that starts again, and says of each what it finds. Images: feed.h; they are laid out in
 * DIRECTORY, and STORE is the path of the store there. KEYS has a line `LOGIN TYPE BASE64` for each
 * key that is judged at NOW. Run as root. For each image it prints a line of words:
 *
 *   reader=ok|no     akc could read it: a user who may write nothing
 *   keys=AAR         what the login path says of each key: A admitted, R refused
 *   digest=HEX       of all rows of all tables, as that user sees them
 *   version=N rows=N head=HEX audit=ok|N      of the store; the chain of the audit, or the row
 * where it breaks writer=ok|no     whoever changes it could open it; keys2=, digest2=, audit2= and
 * integrity=ok|no is what is there then why=TEXT         until the end of the line: of the first
 * `no`
 */
#include "lib/base/clock.h"
#include "lib/lease/lease.h"
#include "lib/lease/pubkey.h"
#include "lib/store/audit_verify.h"
#include "lib/store/connection.h"
#include "lib/store/handle.h"
#include "lib/store/integrity.h"
#include "lib/store/login.h"
#include "lib/store/open_read.h"
#include "lib/store/open_write.h"
#include "lib/store/snapshot.h"
#include "tests/power/feed.h"

#include <err.h>
#include <grp.h>
#include <inttypes.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* akc's user, who is of no other group. */
enum { READER_UID = 64999, READER_GID = 64998, KEYS_MAX = 256, READ_MS = 2000 };

static struct {
    char login[LEASE_NAME_BYTES];
    struct pubkey key;
} keys[KEYS_MAX];
static size_t key_count;
static int64_t now_s;

static void read_keys(const char *path)
{
    char type[PUBKEY_TYPE_BYTES], base64[PUBKEY_BASE64_BYTES];
    char line[PUBKEY_BASE64_BYTES + 256];
    FILE *f = fopen(path, "re");
    if (f == NULL)
        err(2, "%s", path);
    while (fgets(line, sizeof(line), f) != NULL && key_count < KEYS_MAX) {
        if (sscanf(line, "%64s %47s %3000s", keys[key_count].login, type, base64) != 3 ||
            pubkey_parse(type, base64, &keys[key_count].key) != NULL)
            errx(2, "%s has a line that is none", path);
        key_count++;
    }
    (void)fclose(f);
}

/* What is found in one image. */
struct finding {
    char keys[KEYS_MAX + 1];
    uint64_t digest;
    int version;
    struct audit_report audit;
};

/* ---- all rows ---- */

static void add(uint64_t *hash, const void *bytes, size_t count)
{
    const unsigned char *at = bytes;
    for (size_t i = 0; i < count; i++)
        *hash = (*hash ^ at[i]) * UINT64_C(1099511628211); /* FNV-1a */
}

static int add_row(void *arg, int columns, char **values, char **names)
{
    uint64_t *hash = arg;
    (void)names;
    for (int i = 0; i < columns; i++)
        if (values[i] != NULL)
            add(hash, values[i], strlen(values[i]) + 1);
        else
            add(hash, "\1", 2);
    return 0;
}

struct tables {
    sqlite3 *db;
    uint64_t hash;
    bool failed;
};

static int add_table(void *arg, int columns, char **values, char **names)
{
    struct tables *t = arg;
    char sql[8192];
    size_t at = (size_t)snprintf(sql, sizeof(sql), "SELECT '%s'", values[0]);
    (void)columns;
    (void)names;
    /* hex: a BLOB's text ends at its first zero. */
    for (char *column = strtok(values[1], ","); column != NULL && at < sizeof(sql) / 2;
         column = strtok(NULL, ","))
        at += (size_t)snprintf(sql + at, sizeof(sql) - at,
                               ",CASE typeof(\"%s\") WHEN 'blob' THEN "
                               "hex(\"%s\") ELSE \"%s\" END",
                               column, column, column);
    (void)snprintf(sql + at, sizeof(sql) - at, " FROM \"%s\" ORDER BY 1,2,3,4", values[0]);
    if (at >= sizeof(sql) / 2 || sqlite3_exec(t->db, sql, add_row, &t->hash, NULL) != SQLITE_OK)
        t->failed = true;
    return t->failed;
}

static enum store_rc read_digest(struct store *st, uint64_t *ret)
{
    struct tables t = {.db = st->db, .hash = UINT64_C(14695981039346656037)};
    int rc = sqlite3_exec(st->db,
                          "SELECT name, (SELECT group_concat(name) FROM pragma_table_info(s.name)) "
                          "FROM sqlite_schema s WHERE type = 'table' AND name NOT LIKE 'sqlite_%' "
                          "ORDER BY name",
                          add_table, &t, NULL);
    if (rc != SQLITE_OK || t.failed) {
        (void)snprintf(st->error, sizeof(st->error), "all rows: %s", sqlite3_errmsg(st->db));
        return STORE_FAIL;
    }
    *ret = t.hash;
    return STORE_OK;
}

/* ---- one image ---- */

static enum store_rc judge_keys(struct store *st, char *ret)
{
    enum store_rc rc = STORE_OK;
    for (size_t i = 0; i < key_count && rc == STORE_OK; i++) {
        struct lease l = {0};
        struct key_judgement j;
        rc = store_judge_key(st, keys[i].login, keys[i].key.fingerprint, now_s, &j, &l);
        ret[i] = j.verdict == KEY_ADMITTED ? 'A' : 'R';
        lease_release(&l);
    }
    ret[rc == STORE_OK ? key_count : 0] = '\0';
    return rc;
}

static enum store_rc look(void *ctx, struct store *st)
{
    struct finding *f = ctx;
    enum store_rc rc = snapshot_begin(st); /* one lock for all statements: it takes half as long */
    if (rc != STORE_OK)
        return rc;
    rc = judge_keys(st, f->keys);
    if (rc == STORE_OK)
        rc = store_version_read(st, &f->version);
    if (rc == STORE_OK)
        rc = read_digest(st, &f->digest);
    if (rc == STORE_OK)
        rc = audit_verify(st, &f->audit);
    snapshot_end(st);
    return rc;
}

static void become(uid_t uid, gid_t gid)
{
    /* Back to root first, who alone may change the group. */
    if (seteuid(0) != 0 || setegid(gid) != 0 || setgroups(1, &gid) != 0 || seteuid(uid) != 0)
        err(2, "cannot become user %d", (int)uid);
}

static bool read_as_akc(const char *path, char why[static STORE_ERROR_BYTES])
{
    struct finding f = {.keys = ""};
    become(READER_UID, READER_GID);
    enum store_rc rc = store_query(path, clock_monotonic_ms() + READ_MS, look, &f, why);
    become(0, 0);
    if (rc != STORE_OK) {
        (void)printf("reader=no ");
        return false;
    }
    (void)printf("reader=ok keys=%s digest=%016" PRIx64 " version=%d rows=%" PRId64 " head=",
                 f.keys, f.digest, f.version, f.audit.last_seq);
    for (size_t i = 0; i < 8; i++)
        (void)printf("%02x", f.audit.head[i]);
    if (f.audit.broken_seq == 0)
        (void)printf(" audit=ok ");
    else
        (void)printf(" audit=%" PRId64 " ", f.audit.broken_seq);
    return true;
}

static bool open_as_admin(const char *path, char why[static STORE_ERROR_BYTES])
{
    char directory[PATH_MAX];
    char problem[STORE_ERROR_BYTES] = "";
    struct finding f = {.keys = ""};
    struct store *st = NULL;
    (void)snprintf(directory, sizeof(directory), "%s", path);
    (void)mkdir(dirname(directory), 0750); /* as leasectl does, where it is missing */
    if (store_open_write(path, &st, why) != STORE_OK) {
        (void)printf("writer=no ");
        return false;
    }
    enum store_rc rc = look(&f, st);
    enum store_rc sound = rc == STORE_OK ? store_integrity_check(st, problem) : rc;
    if (sound != STORE_OK)
        (void)snprintf(why, STORE_ERROR_BYTES, "%s",
                       problem[0] != '\0' ? problem : store_error(st));
    store_close(st);
    if (rc == STORE_OK)
        (void)printf("writer=ok keys2=%s digest2=%016" PRIx64
                     " version2=%d audit2=%s integrity=%s ",
                     f.keys, f.digest, f.version, f.audit.broken_seq == 0 ? "ok" : "broken",
                     sound == STORE_OK ? "ok" : "no");
    else
        (void)printf("writer=no ");
    return sound == STORE_OK;
}

int main(int argc, char **argv)
{
    if (argc != 5)
        errx(2, "usage: check_store DIRECTORY STORE KEYS NOW");
    read_keys(argv[3]);
    now_s = strtoll(argv[4], NULL, 10);
    while (feed_next(argv[1], READER_GID)) {
        char why[STORE_ERROR_BYTES] = "", later[STORE_ERROR_BYTES] = "";
        bool could_read = read_as_akc(argv[2], why);
        bool could_write = open_as_admin(argv[2], later);
        const char *text = !could_write ? later : !could_read ? why : "";
        (void)printf("why=%.*s\n", (int)strcspn(text, "\n"), text);
        (void)fflush(stdout);
    }
    return 0;
}
