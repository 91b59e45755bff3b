/* SPDX-License-Identifier: ISC */
#include "leasectl/lease/grant_request.h"

#include "leasectl/host/account.h"
#include "leasectl/lease/key.h"
#include "leasectl/lease/listen_port.h"
#include "leasectl/lease/terms.h"
#include "lib/handout/connect_line.h"
#include "lib/base/text.h"
#include "lib/session/listeners.h"
#include "lib/store/changes.h"
#include "lib/store/prolong.h"
#include "lib/store/transaction.h"

#include <bsd/string.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

enum { KEY_FILE_BYTES = 65536 };

/* ---- arguments ---- */

static int parse_open(struct ctl *ctl, struct grant_request *req, const char *text)
{
    struct permit p;
    if (strncmp(text, LEASE_AGENT_PREFIX, sizeof(LEASE_AGENT_PREFIX) - 1) == 0)
        return terms_add_open_agent(ctl, text, &req->lease);
    int code = terms_parse_permit(ctl, "--open ", text, PERMIT_RANGE, &p);
    if (code != EXIT_DONE)
        return code;
    const char *problem = permit_list_add(&req->lease.open, &p);
    if (problem != NULL)
        return ctl_error(ctl, EXIT_USAGE, "--open '%s' %s", text_clip(text).s, problem);
    return EXIT_DONE;
}

static int parse_listen(struct ctl *ctl, struct grant_request *req, const char *text)
{
    struct permit p;
    if (strcmp(text, "auto") == 0) {
        if (req->listen_auto)
            return ctl_error(ctl, EXIT_USAGE, "--listen auto is given twice");
        req->listen_auto = true;
        return EXIT_DONE;
    }
    int code = terms_parse_permit(ctl, "--listen ", text, PERMIT_PORT, &p);
    if (code != EXIT_DONE)
        return code;
    for (size_t i = 0; i < req->lease.listen.count; i++)
        if (req->lease.listen.items[i].low == p.low)
            return ctl_error(ctl, EXIT_USAGE, "--listen '%s': the port is named twice",
                             text_clip(text).s);
    const char *problem = permit_list_add(&req->lease.listen, &p);
    if (problem != NULL)
        return ctl_error(ctl, EXIT_USAGE, "--listen '%s' %s", text_clip(text).s, problem);
    return EXIT_DONE;
}

int grant_request_parse_option(struct ctl *ctl, struct grant_request *req, int opt, const char *arg)
{
    struct lease *l = &req->lease;
    switch (opt) {
    case 'k':
        req->key_file = arg;
        return EXIT_DONE;
    case 'o':
        return parse_open(ctl, req, arg);
    case 'r':
        return parse_listen(ctl, req, arg);
    case 'l':
        req->login_named = true;
        return terms_set_text(ctl, "--login", arg, login_name_problem(arg), l->login,
                              sizeof(l->login));
    case 'f':
        return terms_parse_for(ctl, arg, &l->expires_s);
    case 'u':
        l->fixed_end = true;
        return terms_parse_until(ctl, arg, &l->expires_s);
    case 's':
        return terms_parse_from(ctl, arg, &l->from);
    case 'm':
        return terms_parse_max_sessions(ctl, arg, &l->max_sessions);
    case 'n':
        return terms_set_text(ctl, "--note", arg, free_text_problem(arg), l->note, sizeof(l->note));
    default:
        return EXIT_USAGE;
    }
}

/* ---- the key ---- */

/* The comment shows later that the holder was told which file to make (connect_key_is_told). A key
 * with another comment was not made with the command that the holder was sent. */
static void note_told_file(const struct lease *l, struct pubkey *key)
{
    if (key->comment[0] == '\0' || strcmp(key->comment, l->name) == 0)
        (void)snprintf(key->comment, sizeof(key->comment), CONNECT_KEY_COMMENT_FORMAT, l->name);
}

static int ask_for_key(struct ctl *ctl, const struct grant_request *req, struct lease_key *ret)
{
    static char line[KEY_FILE_BYTES];
    if (isatty(STDIN_FILENO) != 1)
        return ctl_usage(ctl, "--key is missing");
    (void)fprintf(stderr,
                  "Have %s run this, and send you the file that ends in .pub:\n\n"
                  "  ssh-keygen -t ed25519 -f " CONNECT_KEY_FILE_FORMAT
                  " -C " CONNECT_KEY_COMMENT_FORMAT "\n\n"
                  "Paste that one line here: ",
                  req->lease.name, req->lease.name, req->lease.name);
    if (fgets(line, sizeof(line), stdin) == NULL)
        return ctl_error(ctl, EXIT_USAGE, "no key was given");
    int code = key_parse(ctl, "the pasted line", line, strlen(line), ret);
    explicit_bzero(line, sizeof(line)); /* it may be a private key, which is not kept anywhere */
    if (code != EXIT_DONE)
        (void)tcflush(STDIN_FILENO, TCIFLUSH); /* or the shell would run the lines that follow */
    else
        note_told_file(&req->lease, &ret->pub);
    return code;
}

int grant_request_add_key(struct ctl *ctl, struct grant_request *req)
{
    struct lease_key key;
    int code = req->key_file != NULL ? key_read_file(ctl, req->key_file, &key)
                                     : ask_for_key(ctl, req, &key);
    if (code == EXIT_DONE)
        code = key_check(ctl, &key.pub);
    if (code == EXIT_DONE && lease_add_key(&req->lease, &key) != 0)
        code = ctl_error(ctl, EXIT_FAILED, "out of memory");
    return code;
}

/* ---- what may be granted ---- */

int grant_request_complete(struct ctl *ctl, struct grant_request *req)
{
    struct lease *l = &req->lease;
    if (!req->login_named)
        (void)strlcpy(l->login, ctl->conf.forward_login, sizeof(l->login));
    const char *problem = account_lease_problem(l->login, ctl->conf.tunnel_group);
    if (problem != NULL)
        return ctl_error(ctl, EXIT_USAGE, "login '%s' %s", l->login, problem);
    if (l->open.count == 0 && l->open_agent_count == 0 && l->listen.count == 0 &&
        !req->listen_auto) {
        if (ctl->conf.default_open.low == 0)
            return ctl_usage(ctl, "name what to permit: --open PORT or --listen auto "
                                  "(or set DefaultOpen)");
        if (permit_list_add(&l->open, &ctl->conf.default_open) != NULL)
            return ctl_error(ctl, EXIT_FAILED, "out of memory");
    }
    if (l->expires_s == 0)
        l->expires_s = ctl->now_s + ctl->conf.default_ttl_s;
    if (req->listen_auto && l->max_sessions != 0)
        return ctl_usage(ctl, "--max-sessions is for leases that only open: one that listens has "
                              "one connection, and the newest wins");
    int code = terms_check_max_sessions(ctl, l);
    if (code != EXIT_DONE)
        return code;
    if (req->listen_auto &&
        strcmp(l->login, ctl->conf.forward_login) == 0) /* as for a port that is named */
        return ctl_error(ctl, EXIT_CEILING,
                         "--listen auto on login '%s': "
                         "on ForwardLogin nothing may listen",
                         l->login);
    return EXIT_DONE;
}

int grant_request_add_listen_port(struct ctl *ctl, struct lease *l)
{
    struct listeners used;
    struct permit p;
    if (listeners_read(&used) != 0)
        return ctl_error(ctl, EXIT_FAILED, "cannot read which ports are in use: %s",
                         strerror(errno));
    enum store_rc rc = listen_port_pick(ctl, l->login, NULL, &used, &p);
    if (rc == STORE_NONE)
        return ctl_error(ctl, EXIT_CONFLICT, "no port is left within AllowListen for login '%s'%s",
                         l->login, ctl_quarantine_note(ctl));
    if (rc != STORE_OK)
        return ctl_store_error(ctl, rc);
    return permit_list_add(&l->listen, &p) == NULL ? EXIT_DONE
                                                   : ctl_error(ctl, EXIT_FAILED, "out of memory");
}

static enum store_rc add_in_transaction(struct ctl *ctl, struct grant_request *req, int64_t *ret_id,
                                        struct store_conflict *ret_conflict)
{
    const struct store_actor by = ctl_actor(ctl);
    int64_t quarantine_s = ctl_quarantine_s(ctl);
    return req->command != NULL
               ? store_lease_run(ctl->store, &req->lease, req->command, quarantine_s, &by, ret_id,
                                 &req->left, ret_conflict)
               : store_lease_add(ctl->store, &req->lease, quarantine_s, &by, ret_id, ret_conflict);
}

int grant_request_store(struct ctl *ctl, struct grant_request *req, int64_t *ret_id)
{
    struct store_conflict conflict;
    int code = EXIT_DONE;
    enum store_rc rc = store_begin(ctl->store);
    if (rc != STORE_OK)
        return ctl_store_error(ctl, rc);
    if (req->listen_auto)
        code = grant_request_add_listen_port(ctl, &req->lease);
    if (code == EXIT_DONE)
        rc = add_in_transaction(ctl, req, ret_id, &conflict);
    if (code == EXIT_DONE && rc == STORE_OK)
        rc = store_commit(ctl->store);
    store_rollback(ctl->store);
    if (code != EXIT_DONE)
        return code;
    if (rc == STORE_CONFLICT)
        return terms_report_conflict(ctl, &req->lease, &conflict);
    return rc == STORE_OK ? EXIT_DONE : ctl_store_error(ctl, rc);
}
