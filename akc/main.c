/* SPDX-License-Identifier: ISC */
/*
 * akc: sshd's AuthorizedKeysCommand. Login and key in, the key's restricted line out.
 *
 *  - MUST NOT print anything unless all of it is known, and then in one write: sshd reads
 *    what was printed before a failure, and only the exit status makes it refuse that.
 *  - MUST end within a second, whatever the store does: sshd has no timeout of its own but
 *    LoginGraceTime, and each hanging login holds one of MaxStartups (docs/sshd-facts.md 12).
 *  - MUST NOT write, fork, wait for a daemon, or use the network: it runs twice a login, and for
 *    anybody who knows a tunnel login's name.
 */
#include "lib/base/buf.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/text.h"
#include "lib/conf/join_login.h"
#include "lib/conf/paths.h"
#include "lib/lease/keyline.h"
#include "lib/lease/lease.h"
#include "lib/session/registry_count.h"
#include "lib/store/arena.h"
#include "lib/store/login.h"
#include "lib/store/open_read.h"
#include "lib/store/version.h"

#include <bsd/string.h>
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

/* How long the store is tried. Less than DEADLINE_MS: so the log says why the store could not be
 * read, and not only that time ran out. Less still with --check: pam_tunnel has one second for all
 * of open_session. */
enum { LOGIN_MS = 700, CHECK_MS = 400 };
/* The alarm, in case SQLite or the kernel does not return. */
enum { DEADLINE_MS = 1000 };

/* EXIT_NO_LEASE only with --check: sshd takes an exit status other than 0 for a failure. */
enum { EXIT_ANSWERED = 0, EXIT_COULD_NOT = 1, EXIT_USAGE = 2, EXIT_NO_LEASE = 3 };

struct request {
    const char *conf_file; /* NULL: the default one */
    const char *login;
    const char *key_type; /* NULL: every key of the login */
    const char *key_base64;
    bool expiry_local;   /* for an sshd before 9.1: the end in local time */
    bool join;           /* for JoinLogin: is an invite open? */
    bool check;          /* for pam_tunnel: print which lease, not the key line */
    const char *address; /* with check: the client's address; NULL: not checked */
    int64_t until_ms;    /* of clock_monotonic_ms */
};

struct answer {
    struct buf text;
    bool expiry_local;
    bool refused;
    int64_t lease_id;
    char lease[LEASE_NAME_BYTES];
    unsigned max_sessions; /* 0: no limit */
};

static const char usage_text[] =
    "usage: akc [-c FILE] [--expiry-local[=ZONE]] LOGIN [KEYTYPE KEYBASE64]\n"
    "       akc [-c FILE] --check [--addr IP] LOGIN KEYTYPE KEYBASE64\n"
    "       akc [-c FILE] --join LOGIN KEYTYPE KEYBASE64\n"
    "       akc --store-version\n"
    "\n"
    "Prints the authorized_keys line of LOGIN's active lease with that key, or of\n"
    "all its active leases. Run by sshd as AuthorizedKeysCommand with %u %t %k;\n"
    "see akc(8).\n"
    "\n"
    "  -c FILE    configuration (default " CONF_DEFAULT_FILE ")\n"
    "  --expiry-local[=ZONE]\n"
    "             for an sshd before 9.1: the end of the lease in local time, or in\n"
    "             that of ZONE, as TZ has it\n"
    "  --check    for pam_tunnel: print which lease the key holds, and exit\n"
    "             with status 3 if none\n"
    "  --addr IP  with --check: refuse a client at an address that the lease does\n"
    "             not name\n"
    "  --join     for JoinLogin: print a line that redeems an invite and does nothing\n"
    "             else, for any key while an invite is open\n"
    "  --store-version\n"
    "             the newest version of the store that it reads\n"
    "  --help     this text\n"
    "  --version  the version\n";

static void out_of_time(int sig)
{
    (void)sig;
    log_error_async("refused: the store did not answer within 1 s");
    _exit(EXIT_COULD_NOT); /* nothing was written: the answer is written last, at once */
}

static void start_deadline(void)
{
    const struct itimerval deadline = {.it_value = {.tv_sec = DEADLINE_MS / 1000}};
    struct sigaction sa = {.sa_handler = out_of_time};
    sigset_t alarm_only;
    (void)sigaction(SIGALRM, &sa, NULL);
    /* What the parent blocked stays blocked across exec(3). */
    (void)sigemptyset(&alarm_only);
    (void)sigaddset(&alarm_only, SIGALRM);
    (void)sigprocmask(SIG_UNBLOCK, &alarm_only, NULL);
    (void)setitimer(ITIMER_REAL, &deadline, NULL);
}

static int add_line(void *ctx, const struct lease *l, const struct pubkey *key)
{
    struct answer *out = ctx;
    if (out->expiry_local)
        keyline_format_local(l, key, &out->text);
    else
        keyline_format(l, key, &out->text);
    return 0;
}

/* Blanks separate the words of the line, so the items of a list have commas between them. */
static void add_list(struct buf *out, const struct permit_list *list)
{
    char text[PERMIT_TEXT_BYTES];
    for (size_t i = 0; i < list->count; i++) {
        permit_format(&list->items[i], text);
        buf_addf(out, "%s%s", i > 0 ? "," : "", text);
    }
}

static void add_check(const struct lease *l, const struct pubkey *key, struct buf *out)
{
    buf_addf(out,
             "lease_id=%" PRId64 " name=%s listen=%d max_sessions=%u expires_s=%" PRId64
             " fp=%s open_permits=",
             l->id, l->name, l->listen.count > 0, l->max_sessions, l->expires_s, key->fingerprint);
    add_list(out, &l->open);
    buf_add(out, " listen_permits=");
    add_list(out, &l->listen);
    buf_add(out, "\n");
}

static const struct log_event event_login_refused = {"f079f4c7fc0a4e10b0e95da66a39ab67", LOG_INFO};
static const struct log_event event_not_judged = {"dbaba5e8b9da4f0db84eb4bb72b00aa3", LOG_ERR};

static void log_refusal(const struct request *req, const struct pubkey *key, const char *reason,
                        const char *lease)
{
    log_event(&event_login_refused,
              LOG_FIELDS({"LEASE_NAME", lease}, {"LOGIN", req->login}, {"REASON", reason},
                         {"KEY_FP", key->fingerprint}),
              "refused login=%s key=%s reason=%s lease=%s", req->login, key->fingerprint, reason,
              lease);
}

/* sshd takes the first key that it is offered and lets in whoever signs with it; leased judges the
 * code. So each key is good while there is anything to redeem. */
static enum store_rc answer_join(struct store *st, const struct request *req,
                                 const struct pubkey *key, int64_t now_s, struct answer *out)
{
    enum join_verdict verdict;
    enum store_rc rc = store_judge_join(st, req->login, key->fingerprint, now_s, &verdict);
    if (rc != STORE_OK)
        return rc;
    out->refused = verdict != JOIN_ADMITTED;
    if (out->refused)
        log_refusal(req, key, join_verdict_name(verdict), "");
    else
        buf_addf(&out->text, "restrict,command=\"" JOIN_PROGRAM "\" %s %s\n", key->type,
                 key->base64);
    return STORE_OK;
}

/*
 * Whether this program may answer for the login: with --join for JoinLogin alone, without for all
 * others. Where JoinLogin names a login of leases by mistake, leases win.
 */
static bool serves_login(const struct request *req, const struct pubkey *key,
                         const struct conf_logins *logins)
{
    bool is_join_login = strcmp(req->login, logins->join_login) == 0;
    bool is_for_leases = strcmp(req->login, logins->forward_login) == 0 ||
                         strcmp(req->login, logins->agent_login) == 0;
    const char *fingerprint = req->key_type != NULL ? key->fingerprint : "";
    const char *problem = !req->join       ? NULL
                          : !is_join_login ? "is not JoinLogin"
                                           : join_login_problem(logins, req->login);
    if (problem == NULL && (req->join || !is_join_login || is_for_leases))
        return true;
    if (problem == NULL)
        problem = "is JoinLogin, where keys hold no lease";
    log_event(&event_login_refused,
              LOG_FIELDS({"LOGIN", req->login}, {"REASON", "join_login"}, {"KEY_FP", fingerprint}),
              "refused login=%s key=%s reason=join_login lease= problem=\"the login %s\"",
              req->login, fingerprint, problem);
    return false;
}

static enum store_rc answer_key(struct store *st, const struct request *req,
                                const struct pubkey *key, int64_t now_s, struct answer *out)
{
    struct lease l = {0};
    struct key_judgement j;
    enum store_rc rc = store_judge_key(st, req->login, key->fingerprint, now_s, &j, &l);
    if (rc != STORE_OK)
        return rc;
    out->refused = true;
    if (j.verdict != KEY_ADMITTED) {
        log_refusal(req, key, key_verdict_name(j.verdict), j.history.lease);
    } else if (req->address != NULL && !source_list_matches(&l.from, req->address)) {
        log_refusal(req, key, "from", l.name);
    } else {
        out->refused = false;
        out->lease_id = l.id;
        out->max_sessions = l.max_sessions;
        (void)strlcpy(out->lease, l.name, sizeof(out->lease));
        if (req->check)
            add_check(&l, key, &out->text);
        else
            (void)add_line(out, &l, key);
    }
    lease_release(&l);
    return STORE_OK;
}

/*
 * Refuses a login for which the lease has no session left. Here the refusal is clean: sshd refuses
 * the key. Two logins at the same moment may both pass; pam_tunnel counts again, under a
 * lock. /proc may hide sessions from us but not from pam_tunnel: a hidden session counts here.
 */
static int judge_sessions(const struct request *req, const struct pubkey *key, const char *run_dir,
                          struct answer *a)
{
    struct registry r;
    struct session_list others = {.items = NULL};
    enum sight has_room = SIGHT_CANNOT_TELL;
    if (req->check || a->max_sessions == 0)
        return 0;
    if (registry_open(run_dir, false, &r) == 0) {
        has_room = registry_has_room(&r, a->lease_id, a->max_sessions, INT64_MAX, &others);
        int saved = errno;
        registry_close(&r);
        session_list_release(&others);
        errno = saved;
    }
    switch (has_room) {
    case SIGHT_IS:
        break;
    case SIGHT_IS_NOT:
        log_refusal(req, key, "sessions", a->lease);
        a->refused = true;
        buf_clear(&a->text);
        break;
    case SIGHT_CANNOT_TELL:
        log_event(&event_not_judged, LOG_FIELDS({"LEASE_NAME", a->lease}),
                  "refused: cannot count the sessions of lease %s in '%s/sessions': %s", a->lease,
                  run_dir, strerror(errno));
        return -1;
    }
    return 0;
}

struct key_query {
    const struct request *req;
    const struct pubkey *key;
    int64_t now_s;
    struct answer *answer;
};

/* May be called again after it failed, so it drops what the call before has added. */
static enum store_rc query_store(void *ctx, struct store *st)
{
    const struct key_query *q = ctx;
    buf_clear(&q->answer->text);
    if (q->req->join)
        return answer_join(st, q->req, q->key, q->now_s, q->answer);
    return q->req->key_type != NULL
               ? answer_key(st, q->req, q->key, q->now_s, q->answer)
               : store_login_keys(st, q->req->login, q->now_s, add_line, q->answer);
}

static int write_all(const struct buf *out)
{
    const char *text = buf_text(out);
    if (text == NULL) {
        log_error("refused: out of memory");
        return EXIT_COULD_NOT;
    }
    for (size_t at = 0; at < out->len;) {
        ssize_t n = write(STDOUT_FILENO, text + at, out->len - at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            log_error("cannot write the answer: %s", strerror(errno));
            return EXIT_COULD_NOT;
        }
        at += (size_t)n;
    }
    return EXIT_ANSWERED;
}

static int answer(const struct request *req)
{
    char err[STORE_ERROR_BYTES];
    struct conf_paths paths;
    struct conf_logins logins;
    struct pubkey key;
    struct answer out = {.expiry_local = req->expiry_local};
    int64_t now_s = clock_now_s();
    int status = EXIT_COULD_NOT;

    const char *problem = login_name_problem(req->login);
    if (problem == NULL && req->key_type != NULL)
        problem = pubkey_parse(req->key_type, req->key_base64, &key);
    if (problem != NULL) { /* nobody holds a lease with such a login or key */
        log_event(&event_login_refused,
                  LOG_FIELDS({"LOGIN", text_word(req->login).s}, {"REASON", "no_lease"}),
                  "refused login=%s key= reason=no_lease lease= problem=\"%s\"",
                  text_word(req->login).s, problem);
        return req->check ? EXIT_NO_LEASE : EXIT_ANSWERED;
    }
    problem = conf_paths_load_logins(req->conf_file, &paths, &logins);
    if (problem != NULL) {
        log_event(&event_not_judged, NULL, "refused: configuration '%s' %s",
                  req->conf_file != NULL ? req->conf_file : CONF_DEFAULT_FILE, problem);
        goto out;
    }
    if (!serves_login(req, &key, &logins)) {
        status = req->check ? EXIT_NO_LEASE : EXIT_ANSWERED;
        goto out;
    }
    /* store_query ends its read before we write. A reader that waits for a slow pipe would keep
     * SQLite from emptying the -wal (docs/sqlite-facts.md 1.7). */
    struct key_query query = {.req = req, .key = &key, .now_s = now_s, .answer = &out};
    if (store_query(paths.database, req->until_ms, query_store, &query, err) != STORE_OK) {
        log_event(&event_not_judged, NULL, "refused: %s", err);
        goto out;
    }
    if (judge_sessions(req, &key, paths.run_dir, &out) == 0)
        status = out.refused && req->check ? EXIT_NO_LEASE : write_all(&out.text);
out:
    buf_release(&out.text);
    return status;
}

/* sshd sets no TZ for us, so its time zone is part of the command. Returns 0, or -1: no memory. */
static int use_local_expiry(struct request *req, const char *zone)
{
    req->expiry_local = true;
    return zone == NULL ? 0 : setenv("TZ", zone, 1);
}

static int usage(FILE *to, int status)
{
    (void)fputs(usage_text, to);
    return status;
}

int main(int argc, char **argv)
{
    struct request req = {.until_ms = clock_monotonic_ms()};
    int i = 1;

    start_deadline();
    log_init("akc", false);
    store_use_arena();
    for (; i < argc && argv[i][0] == '-'; i++) {
        if (strcmp(argv[i], "-c") == 0 && i + 1 < argc) {
            req.conf_file = argv[++i];
        } else if (strcmp(argv[i], "--expiry-local") == 0) {
            (void)use_local_expiry(&req, NULL);
        } else if (strncmp(argv[i], "--expiry-local=", 15) == 0) {
            if (use_local_expiry(&req, argv[i] + 15) != 0)
                return EXIT_COULD_NOT;
        } else if (strcmp(argv[i], "--check") == 0) {
            req.check = true;
        } else if (strcmp(argv[i], "--join") == 0) {
            req.join = true;
        } else if (strcmp(argv[i], "--addr") == 0 && i + 1 < argc) {
            req.address = argv[++i];
        } else if (strcmp(argv[i], "--help") == 0) {
            return usage(stdout, EXIT_ANSWERED);
        } else if (strcmp(argv[i], "--store-version") == 0) {
            return printf("%d\n", STORE_VERSION) < 0 ? EXIT_COULD_NOT : EXIT_ANSWERED;
        } else if (strcmp(argv[i], "--version") == 0) {
            return puts("akc (tunlease) " TUNLEASE_VERSION) < 0 ? EXIT_COULD_NOT : EXIT_ANSWERED;
        } else {
            return usage(stderr, EXIT_USAGE);
        }
    }
    if ((argc - i != 1 && argc - i != 3) || ((req.check || req.join) && argc - i != 3) ||
        (req.address != NULL && !req.check) || (req.join && req.check))
        return usage(stderr, EXIT_USAGE);
    req.until_ms += req.check ? CHECK_MS : LOGIN_MS;
    req.login = argv[i];
    if (argc - i == 3) {
        req.key_type = argv[i + 1];
        req.key_base64 = argv[i + 2];
    }
    return answer(&req);
}
