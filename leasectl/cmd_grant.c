/* SPDX-License-Identifier: ISC */
/* leasectl grant: a new lease, and the line to hand to its holder. */
#include "leasectl/account.h"
#include "leasectl/gateway.h"
#include "leasectl/lease_print.h"
#include "leasectl/leasectl.h"
#include "lib/base/buf.h"
#include "lib/lease/duration.h"
#include "lib/session/listeners.h"

#include <bsd/stdlib.h>
#include <bsd/string.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { KEY_FILE_BYTES = 65536 };

struct request {
    struct lease lease;
    const char *key_file; /* NULL: ask for it; "-": standard input */
    bool listen_auto;
    bool login_named;
};

/* ---- arguments ---- */

static int take_open(struct ctl *ctl, struct request *req, const char *text)
{
    struct permit p;
    if (strncmp(text, "agent:", 6) == 0)
        return ctl_error(ctl, EXIT_NO_SUCH, "there is no agent '%s' on this gateway", text + 6);
    const char *problem = permit_parse(text, PERMIT_RANGE, &p);
    if (problem != NULL)
        return ctl_error(ctl, EXIT_USAGE, "--open '%s': %s", text, problem);
    problem = permit_list_add(&req->lease.open, &p);
    if (problem != NULL)
        return ctl_error(ctl, EXIT_USAGE, "--open '%s' %s", text, problem);
    return EXIT_DONE;
}

static int take_listen(struct ctl *ctl, struct request *req, const char *text)
{
    struct permit p;
    if (strcmp(text, "auto") == 0) {
        if (req->listen_auto)
            return ctl_error(ctl, EXIT_USAGE, "--listen auto is given twice");
        req->listen_auto = true;
        return EXIT_DONE;
    }
    const char *problem = permit_parse(text, PERMIT_PORT, &p);
    if (problem != NULL)
        return ctl_error(ctl, EXIT_USAGE, "--listen '%s': %s", text, problem);
    for (size_t i = 0; i < req->lease.listen.count; i++)
        if (req->lease.listen.items[i].low == p.low)
            return ctl_error(ctl, EXIT_USAGE, "--listen '%s': the port is named twice", text);
    problem = permit_list_add(&req->lease.listen, &p);
    if (problem != NULL)
        return ctl_error(ctl, EXIT_USAGE, "--listen '%s' %s", text, problem);
    return EXIT_DONE;
}

static int take_for(struct ctl *ctl, struct request *req, const char *text)
{
    int64_t ttl_s;
    if (req->lease.expires_s != 0)
        return ctl_usage(ctl, "--for and --until: give one of them, once");
    if (duration_parse(text, &ttl_s) != 0)
        return ctl_error(ctl, EXIT_USAGE,
                         "--for '%s' is no duration like 90s, 15m, 12h, 7d or 1d12h", text);
    req->lease.expires_s = ctl->now_s + ttl_s;
    return EXIT_DONE;
}

static int take_until(struct ctl *ctl, struct request *req, const char *text)
{
    int64_t end_s;
    if (req->lease.expires_s != 0)
        return ctl_usage(ctl, "--for and --until: give one of them, once");
    if (time_parse(text, &end_s) != 0)
        return ctl_error(ctl, EXIT_USAGE,
                         "--until '%s' is no time like 2026-12-01, '2026-12-01 18:00' or "
                         "2026-12-01T18:00:00Z",
                         text);
    if (end_s <= ctl->now_s)
        return ctl_error(ctl, EXIT_USAGE, "--until '%s' has passed", text);
    req->lease.expires_s = end_s;
    req->lease.fixed_end = true;
    return EXIT_DONE;
}

static int take_text(struct ctl *ctl, const char *option, const char *text, const char *problem,
                     char *out, size_t out_bytes)
{
    if (problem != NULL)
        return ctl_error(ctl, EXIT_USAGE, "%s '%.80s' %s", option, text, problem);
    (void)strlcpy(out, text, out_bytes);
    return EXIT_DONE;
}

static int take_argument(struct ctl *ctl, struct request *req, int opt, const char *arg)
{
    struct lease *l = &req->lease;
    const char *problem;
    switch (opt) {
    case 'k':
        req->key_file = arg;
        return EXIT_DONE;
    case 'o':
        return take_open(ctl, req, arg);
    case 'r':
        return take_listen(ctl, req, arg);
    case 'l':
        req->login_named = true;
        return take_text(ctl, "--login", arg, login_name_problem(arg), l->login, sizeof(l->login));
    case 'f':
        return take_for(ctl, req, arg);
    case 'u':
        return take_until(ctl, req, arg);
    case 's':
        problem = source_list_parse(arg, &l->from);
        return problem == NULL ? EXIT_DONE
                               : ctl_error(ctl, EXIT_USAGE, "--from '%.100s': %s", arg, problem);
    case 'm':
        return ctl_error(ctl, EXIT_USAGE,
                         "--max-sessions needs the session registry of pam_tunnel, which this "
                         "version does not have: it would promise what nothing enforces");
    case 'n':
        return take_text(ctl, "--note", arg, free_text_problem(arg), l->note, sizeof(l->note));
    default:
        return EXIT_USAGE;
    }
}

/* ---- the key ---- */

static int parse_key(struct ctl *ctl, struct request *req, const char *from, const char *text,
                     size_t len)
{
    struct lease_key key = {.added_s = ctl->now_s};
    const char *problem = pubkey_parse_file(text, len, &key.pub);
    if (problem != NULL)
        return ctl_error(ctl, EXIT_USAGE, "%s: %s", from, problem);
    if (lease_add_key(&req->lease, &key) != 0)
        return ctl_error(ctl, EXIT_FAILED, "out of memory");
    return EXIT_DONE;
}

static int read_key(struct ctl *ctl, struct request *req)
{
    static char text[KEY_FILE_BYTES + 1];
    bool stdin_key = strcmp(req->key_file, "-") == 0;
    const char *from = stdin_key ? "standard input" : req->key_file;
    size_t len = 0;
    ssize_t n;
    struct stat st;
    int code;

    /* O_NONBLOCK: a FIFO nobody writes to must not hang us. */
    int fd = stdin_key ? STDIN_FILENO
                       : open(req->key_file, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0)
        return ctl_error(ctl, EXIT_USAGE, "cannot read the key '%s': %s", from, strerror(errno));
    if (!stdin_key && (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))) {
        code = ctl_error(ctl, EXIT_USAGE, "the key '%s' is not a file", from);
        goto out;
    }
    while ((n = read(fd, text + len, sizeof(text) - len)) > 0)
        len += (size_t)n;
    if (n < 0)
        code = ctl_error(ctl, EXIT_USAGE, "cannot read the key '%s': %s", from, strerror(errno));
    else if (len > KEY_FILE_BYTES)
        code = ctl_error(ctl, EXIT_USAGE, "%s: it is larger than any public key", from);
    else
        code = parse_key(ctl, req, from, text, len);
out:
    if (!stdin_key)
        (void)close(fd);
    return code;
}

static int ask_for_key(struct ctl *ctl, struct request *req)
{
    static char line[KEY_FILE_BYTES];
    if (isatty(STDIN_FILENO) != 1)
        return ctl_usage(ctl, "--key is missing");
    (void)fprintf(stderr,
                  "Have %s run this, and send you the file that ends in .pub:\n\n"
                  "  ssh-keygen -t ed25519 -f ~/.ssh/%s_key -C %s\n\n"
                  "Paste that one line here: ",
                  req->lease.name, req->lease.name, req->lease.name);
    if (fgets(line, sizeof(line), stdin) == NULL)
        return ctl_error(ctl, EXIT_USAGE, "no key was given");
    return parse_key(ctl, req, "the pasted line", line, strlen(line));
}

/* ---- what may be granted ---- */

static int check_ceiling(struct ctl *ctl, const struct lease *l)
{
    char text[PERMIT_TEXT_BYTES];
    for (size_t i = 0; i < l->open.count; i++) {
        const char *problem = ceiling_open_problem(&ctl->conf.ceiling, l->login, &l->open.items[i]);
        permit_format(&l->open.items[i], text);
        if (problem != NULL)
            return ctl_error(ctl, EXIT_CEILING, "--open %s on login '%s': %s", text, l->login,
                             problem);
    }
    for (size_t i = 0; i < l->listen.count; i++) {
        const char *problem =
            ceiling_listen_problem(&ctl->conf.ceiling, l->login, &l->listen.items[i]);
        permit_format(&l->listen.items[i], text);
        if (problem != NULL)
            return ctl_error(ctl, EXIT_CEILING, "--listen %s on login '%s': %s", text, l->login,
                             problem);
    }
    if (ctl->conf.max_ttl_s != 0 && l->expires_s > ctl->now_s + ctl->conf.max_ttl_s) {
        duration_format(ctl->conf.max_ttl_s, text);
        return ctl_error(ctl, EXIT_CEILING, "the lease would be longer than MaxTTL (%s)", text);
    }
    return EXIT_DONE;
}

static int fill_in(struct ctl *ctl, struct request *req)
{
    struct lease *l = &req->lease;
    if (!req->login_named)
        (void)strlcpy(l->login, ctl->conf.forward_login, sizeof(l->login));
    const char *problem = account_lease_problem(l->login, ctl->conf.tunnel_group);
    if (problem != NULL)
        return ctl_error(ctl, EXIT_USAGE, "login '%s' %s", l->login, problem);
    if (l->open.count == 0 && l->listen.count == 0 && !req->listen_auto) {
        if (ctl->conf.default_open.low == 0)
            return ctl_usage(ctl, "name what to permit: --open PORT or --listen auto "
                                  "(or set DefaultOpen)");
        if (permit_list_add(&l->open, &ctl->conf.default_open) != NULL)
            return ctl_error(ctl, EXIT_FAILED, "out of memory");
    }
    if (l->expires_s == 0)
        l->expires_s = ctl->now_s + ctl->conf.default_ttl_s;
    if (req->listen_auto &&
        strcmp(l->login, ctl->conf.forward_login) == 0) /* the same answer as for a named port */
        return ctl_error(ctl, EXIT_CEILING,
                         "--listen auto on login '%s': "
                         "on ForwardLogin nothing may listen",
                         l->login);
    return EXIT_DONE;
}

static bool is_unused(void *ctx, uint16_t port)
{
    return !listeners_has(ctx, port);
}

/* In the ceiling's first range for the login that has one left. */
static int pick_listen(struct ctl *ctl, struct lease *l)
{
    struct listeners used;
    const struct ceiling_rules *rules = &ctl->conf.ceiling.listen;
    if (listeners_read(&used) != 0)
        return ctl_error(ctl, EXIT_FAILED, "cannot read which ports are in use: %s",
                         strerror(errno));
    for (size_t i = 0; i < rules->count; i++) {
        struct permit p = rules->items[i].permit;
        uint16_t port;
        if (!ceiling_rule_holds(rules, i, l->login))
            continue;
        enum store_rc rc = store_port_pick(ctl->store, p.low, p.high, ctl->conf.quarantine_ttl_s,
                                           ctl->now_s, is_unused, &used, &port);
        if (rc == STORE_NONE)
            continue;
        if (rc != STORE_OK)
            return ctl_store_error(ctl, rc);
        p.low = p.high = port;
        return permit_list_add(&l->listen, &p) == NULL
                   ? EXIT_DONE
                   : ctl_error(ctl, EXIT_FAILED, "out of memory");
    }
    return ctl_error(ctl, EXIT_CONFLICT, "no port is left within AllowListen for login '%s'",
                     l->login);
}

static int conflict_error(struct ctl *ctl, const struct lease *l, const struct store_conflict *c)
{
    const char *state = c->expired ? "expired " : "";
    switch (c->what) {
    case CONFLICT_NAME:
        return ctl_error(ctl, EXIT_CONFLICT,
                         "the name is taken by the %slease '%s' (#%" PRId64 "): "
                         "'leasectl revoke %s' frees it",
                         state, c->lease, c->lease_id, c->lease);
    case CONFLICT_KEY:
        return ctl_error(ctl, EXIT_CONFLICT,
                         "the key holds the %slease '%s' (#%" PRId64 ") on login '%s' already: one "
                         "key holds one lease per login",
                         state, c->lease, c->lease_id, l->login);
    case CONFLICT_PORT:
        return ctl_error(ctl, EXIT_CONFLICT,
                         c->expired ? "port %u is kept for its former holder '%s' (#%" PRId64 "): "
                                      "choose another, or --listen auto"
                                    : "port %u is held by the lease '%s' (#%" PRId64 "): choose "
                                      "another, or --listen auto",
                         c->port, c->lease, c->lease_id);
    }
    return EXIT_CONFLICT;
}

static int store_grant(struct ctl *ctl, struct request *req, int64_t *ret_id)
{
    const struct store_actor by = ctl_actor(ctl);
    struct store_conflict conflict;
    int code = EXIT_DONE;
    enum store_rc rc = store_begin(ctl->store);
    if (rc != STORE_OK)
        return ctl_store_error(ctl, rc);
    if (req->listen_auto)
        code = pick_listen(ctl, &req->lease);
    if (code == EXIT_DONE)
        rc = store_lease_add(ctl->store, &req->lease, ctl->conf.quarantine_ttl_s, &by, ret_id,
                             &conflict);
    if (code == EXIT_DONE && rc == STORE_OK)
        rc = store_commit(ctl->store);
    store_rollback(ctl->store);
    if (code != EXIT_DONE)
        return code;
    if (rc == STORE_CONFLICT)
        return conflict_error(ctl, &req->lease, &conflict);
    return rc == STORE_OK ? EXIT_DONE : ctl_store_error(ctl, rc);
}

/* ---- what the admin hands on ---- */

static void print_handout(const struct ctl *ctl, const struct lease *l)
{
    char until[TIME_TEXT_BYTES], left[TIME_TEXT_BYTES];
    struct buf line = {0};
    struct pubkey host_key;

    time_format_local(l->expires_s, until);
    duration_format(l->expires_s - ctl->now_s, left);
    gateway_connect_line(&ctl->conf, l, &line);
    (void)printf("granted '%s' (#%" PRId64 ") on login '%s' until %s (%s)\n\n"
                 "Send %s this line; it works in any shell, PowerShell too:\n\n  %s\n\n",
                 l->name, l->id, l->login, until, left, l->name,
                 buf_text(&line) != NULL ? buf_text(&line) : "?");
    for (size_t i = 0; i < l->open.count; i++) {
        const struct permit *p = &l->open.items[i];
        (void)printf("then use   http://127.0.0.1:%u/", gateway_local_port(p->low));
        if (p->high != p->low)
            (void)printf(" to :%u/", gateway_local_port(p->high));
        (void)putchar('\n');
    }
    for (size_t i = 0; i < l->listen.count; i++)
        (void)printf("listens on %s%s:%u of this host; put what it leads to in place of "
                     "127.0.0.1:22\n",
                     "", l->listen.items[i].host, l->listen.items[i].low);
    if (l->listen.count > 0)
        (void)puts(
            "sessions   one at a time: a lease that listens has one connection, the newest wins");
    (void)printf("until      %s\n", until);
    if (gateway_host_key(&host_key))
        (void)printf("host key   %s %s\n", host_key.type, host_key.fingerprint);
    (void)printf("prove it   leasectl verify %s\n", l->name);
    buf_release(&line);
}

int cmd_grant(struct ctl *ctl, int argc, char **argv)
{
    static const struct option options[] = {
        {"key", required_argument, NULL, 'k'},    {"open", required_argument, NULL, 'o'},
        {"listen", required_argument, NULL, 'r'}, {"login", required_argument, NULL, 'l'},
        {"for", required_argument, NULL, 'f'},    {"until", required_argument, NULL, 'u'},
        {"from", required_argument, NULL, 's'},   {"max-sessions", required_argument, NULL, 'm'},
        {"note", required_argument, NULL, 'n'},   {NULL, 0, NULL, 0}};
    struct request req = {.key_file = NULL};
    struct lease granted = {0};
    int64_t id = 0;
    int opt, code = EXIT_DONE;

    while (code == EXIT_DONE && (opt = ctl_option(ctl, argc, argv, options)) != -1)
        code = take_argument(ctl, &req, opt, optarg);
    if (code != EXIT_DONE)
        goto out;
    if (argc - optind != 1) {
        code = ctl_usage(ctl, "grant takes one NAME");
        goto out;
    }
    code = take_text(ctl, "the name", argv[optind], lease_name_problem(argv[optind]),
                     req.lease.name, sizeof(req.lease.name));
    if (code == EXIT_DONE)
        code = fill_in(ctl, &req);
    if (code == EXIT_DONE)
        code = check_ceiling(ctl, &req.lease);
    if (code == EXIT_DONE)
        code = req.key_file != NULL ? read_key(ctl, &req) : ask_for_key(ctl, &req);
    if (code == EXIT_DONE)
        code = ctl_open_write(ctl);
    if (code == EXIT_DONE)
        code = store_grant(ctl, &req, &id);
    if (code != EXIT_DONE)
        goto out;
    enum store_rc rc = store_lease_by_id(ctl->store, id, &granted);
    if (rc != STORE_OK) {
        code = ctl_store_error(ctl, rc);
        goto out;
    }
    ctl_close(ctl); /* the host key is root's to look up */
    if (strchr(ctl->conf.public_host, '.') == NULL && strchr(ctl->conf.public_host, ':') == NULL)
        ctl_warn(ctl,
                 "the host name '%s' has no dot, so only this network knows it: set PublicHost",
                 ctl->conf.public_host);
    if (ctl->json)
        code = lease_print(ctl, &granted);
    else
        print_handout(ctl, &granted);
out:
    lease_release(&granted);
    lease_release(&req.lease);
    return code;
}
