/* SPDX-License-Identifier: ISC */
#include "leasectl/lease/terms.h"

#include "leasectl/child.h"
#include "leasectl/host/gateway.h"
#include "leasectl/host/sshd.h"
#include "leasectl/host/sshd_settings.h"
#include "lib/base/number.h"
#include "lib/base/text.h"
#include "lib/lease/duration.h"
#include "lib/store/conflict.h"
#include "lib/store/leases.h"

#include <bsd/stdlib.h>
#include <bsd/string.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { KEY_FILE_BYTES = 65536, KEYGEN_MS = 10000 };

int terms_for(struct ctl *ctl, const char *text, int64_t *expires_s)
{
    int64_t ttl_s;
    if (*expires_s != 0)
        return ctl_usage(ctl, "--for and --until: give one of them, once");
    if (duration_parse(text, &ttl_s) != 0)
        return ctl_error(ctl, EXIT_USAGE,
                         "--for '%s' is no duration like 90s, 15m, 12h, 7d or 1d12h",
                         text_clip(text).s);
    *expires_s = ctl->now_s + ttl_s;
    return EXIT_DONE;
}

int terms_until(struct ctl *ctl, const char *text, int64_t *expires_s)
{
    int64_t end_s;
    if (*expires_s != 0)
        return ctl_usage(ctl, "--for and --until: give one of them, once");
    if (time_parse(text, &end_s) != 0)
        return ctl_error(ctl, EXIT_USAGE,
                         "--until '%s' is no time like 2026-12-01, '2026-12-01 18:00' or "
                         "2026-12-01T18:00:00Z",
                         text_clip(text).s);
    if (end_s <= ctl->now_s)
        return ctl_error(ctl, EXIT_USAGE, "--until '%s' has passed", text_clip(text).s);
    *expires_s = end_s;
    return EXIT_DONE;
}

int terms_permit(struct ctl *ctl, const char *option, const char *text, enum permit_form form,
                 struct permit *ret)
{
    const char *problem = permit_parse(text, form, ret);
    if (problem != NULL)
        return ctl_error(ctl, EXIT_USAGE, "%s '%s': %s", option, text_clip(text).s, problem);
    return EXIT_DONE;
}

int terms_open_agent(struct ctl *ctl, const char *text, struct lease *l)
{
    const char *problem = lease_open_agent_add(l, text + sizeof(LEASE_AGENT_PREFIX) - 1);
    return problem == NULL
               ? EXIT_DONE
               : ctl_error(ctl, EXIT_USAGE, "--open '%s' %s", text_clip(text).s, problem);
}

int terms_check_agents(struct ctl *ctl, const struct lease *l)
{
    char text[PERMIT_TEXT_BYTES];
    for (size_t i = 0; i < l->open_agent_count; i++) {
        struct lease agent = {0};
        int code = EXIT_DONE;
        const char *name = l->open_agents[i];
        enum store_rc rc = store_lease_by_name(ctl->store, name, &agent);
        if (rc == STORE_NONE ||
            (rc == STORE_OK && (agent.revoked_s != 0 || agent.listen.count == 0)))
            code =
                ctl_error(ctl, EXIT_NO_SUCH, "there is no agent '%s': see 'leasectl agents'", name);
        else if (rc != STORE_OK)
            code = ctl_store_error(ctl, rc);
        for (size_t k = 0; code == EXIT_DONE && k < agent.listen.count; k++) {
            const char *problem =
                ceiling_open_problem(&ctl->conf.ceiling, l->login, &agent.listen.items[k]);
            permit_format(&agent.listen.items[k], text);
            if (problem != NULL)
                code = ctl_error(ctl, EXIT_CEILING, "--open agent:%s is %s on login '%s': %s", name,
                                 text, l->login, problem);
        }
        lease_release(&agent);
        if (code != EXIT_DONE)
            return code;
    }
    return EXIT_DONE;
}

int terms_from(struct ctl *ctl, const char *text, struct source_list *ret)
{
    const char *problem = source_list_parse(text, ret);
    if (problem != NULL)
        return ctl_error(ctl, EXIT_USAGE, "--from '%s': %s", text_clip(text).s, problem);
    return EXIT_DONE;
}

int terms_max_sessions(struct ctl *ctl, const char *arg, unsigned *ret)
{
    int64_t n;
    if (!number_parse(arg, strlen(arg), 1, LEASE_SESSIONS_LIMIT_MAX, &n))
        return ctl_error(ctl, EXIT_USAGE, "--max-sessions '%s' is no number from 1 to %d",
                         text_clip(arg).s, LEASE_SESSIONS_LIMIT_MAX);
    *ret = (unsigned)n;
    return EXIT_DONE;
}

int terms_check_limit(struct ctl *ctl, const struct lease *l)
{
    if (l->listen.count == 0 || l->max_sessions == 0)
        return EXIT_DONE;
    return ctl_error(ctl, EXIT_USAGE,
                     "'%s' listens, so it has one connection, and the newest wins: --max-sessions "
                     "is for leases that only open",
                     l->name);
}

int terms_text(struct ctl *ctl, const char *option, const char *text, const char *problem,
               char *out, size_t out_bytes)
{
    if (problem != NULL)
        return ctl_error(ctl, EXIT_USAGE, "%s '%s' %s", option, text_clip(text).s, problem);
    (void)strlcpy(out, text, out_bytes);
    return EXIT_DONE;
}

int terms_key_text(struct ctl *ctl, const char *from, const char *text, size_t len,
                   struct lease_key *ret)
{
    struct lease_key key = {.added_s = ctl->now_s};
    const char *problem = pubkey_parse_file(text, len, &key.pub);
    if (problem != NULL)
        return ctl_error(ctl, EXIT_USAGE, "%s: %s", text_clip(from).s, problem);
    *ret = key;
    return EXIT_DONE;
}

int terms_key_file(struct ctl *ctl, const char *file, struct lease_key *ret)
{
    static char text[KEY_FILE_BYTES + 1];
    bool stdin_key = strcmp(file, "-") == 0;
    const char *from = stdin_key ? "standard input" : file;
    size_t len = 0;
    ssize_t n;
    struct stat st;
    int code;

    /* O_NONBLOCK: a FIFO nobody writes to must not hang us. */
    int fd = stdin_key ? STDIN_FILENO : open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0)
        return ctl_error(ctl, EXIT_USAGE, "cannot read the key '%s': %s", text_clip(from).s,
                         strerror(errno));
    if (!stdin_key && (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))) {
        code = ctl_error(ctl, EXIT_USAGE, "the key '%s' is not a file", text_clip(from).s);
        goto out;
    }
    while ((n = read(fd, text + len, sizeof(text) - len)) > 0)
        len += (size_t)n;
    if (n < 0)
        code = ctl_error(ctl, EXIT_USAGE, "cannot read the key '%s': %s", text_clip(from).s,
                         strerror(errno));
    else if (len > KEY_FILE_BYTES)
        code =
            ctl_error(ctl, EXIT_USAGE, "%s: it is larger than any public key", text_clip(from).s);
    else
        code = terms_key_text(ctl, from, text, len, ret);
out:
    if (!stdin_key)
        (void)close(fd);
    return code;
}

/* The first line of what a program said. */
static struct text_clip first_line(const struct buf *said)
{
    struct text_clip line = text_clip(buf_text(said) != NULL ? buf_text(said) : "");
    line.s[strcspn(line.s, "\r\n")] = '\0';
    return line;
}

static bool has_word(const char *text, const char *word, const char *between)
{
    size_t len = strlen(word);
    for (const char *at = text; *at != '\0'; at += strspn(at, between)) {
        size_t n = strcspn(at, between);
        if (n == len && memcmp(at, word, len) == 0)
            return true;
        at += n;
    }
    return false;
}

/* An OpenSSH that knows a type may still be told not to take it, or not be told to. */
static void warn_if_not_accepted(struct ctl *ctl, const struct sshd *sshd, const char *type)
{
    char accepted[4096];
    struct buf effective = {0};
    if (geteuid() == 0 && sshd_effective(sshd, NULL, &effective) == 0) {
        sshd_setting(&effective, "pubkeyacceptedalgorithms", accepted, sizeof(accepted));
        if (accepted[0] != '\0' && !has_word(accepted, type, ","))
            ctl_warn(ctl, "sshd will refuse the key: its PubkeyAcceptedAlgorithms have no %s",
                     type);
    }
    buf_release(&effective);
}

/* Types that OpenSSH made for itself are not in every version, nor in every build. */
static int check_type(struct ctl *ctl, const struct sshd *sshd, const char *type)
{
    char ssh[SSHD_PATH_BYTES];
    struct child c;
    sshd_tool(sshd, "ssh", ssh);
    const char *const argv[] = {ssh, "-Q", "key", NULL};
    int code = EXIT_DONE, status = child_run(&c, argv, NULL, NULL, KEYGEN_MS);
    const char *known = c.out_text.len > 0 ? buf_text(&c.out_text) : NULL;
    if (status != 0 || known == NULL)
        code =
            ctl_error(ctl, EXIT_FAILED, "cannot check the key: '%s -Q key' exits %d", ssh, status);
    else if (!has_word(known, type, "\r\n"))
        code = ctl_error(ctl, EXIT_USAGE,
                         "OpenSSH %u.%u on this host does not know keys of the type %s ('%s -Q "
                         "key'): ask for one made with 'ssh-keygen -t ed25519'",
                         sshd->program.major, sshd->program.minor, type, ssh);
    child_release(&c);
    if (code == EXIT_DONE)
        warn_if_not_accepted(ctl, sshd, type);
    return code;
}

int terms_check_key(struct ctl *ctl, const struct pubkey *key)
{
    char keygen[SSHD_PATH_BYTES] = "ssh-keygen";
    const char *const argv[] = {keygen, "-l", "-f", "-", NULL};
    struct sshd sshd;
    struct child c = {.pid = -1, .in = -1, .out = -1, .err = -1};
    struct buf line = {0};
    int code = EXIT_DONE;

    if (strchr(key->type, '@') != NULL) {
        code = sshd_find(&ctl->conf, &sshd, &line) == 0
                   ? check_type(ctl, &sshd, key->type)
                   : ctl_error(ctl, EXIT_FAILED, "cannot check the key: %s",
                               buf_text(&line) != NULL ? buf_text(&line) : "out of memory");
        if (code != EXIT_DONE)
            goto out;
        sshd_tool(&sshd, "ssh-keygen", keygen);
    }
    buf_addf(&line, "%s %s\n", key->type, key->base64);
    if (buf_text(&line) == NULL) {
        code = ctl_error(ctl, EXIT_FAILED, "out of memory");
        goto out;
    }
    int status = child_run(&c, argv, NULL, buf_text(&line), KEYGEN_MS);
    if (status == CHILD_NOT_STARTED || status == CHILD_OUT_OF_TIME)
        code = ctl_error(ctl, EXIT_FAILED, "cannot check the key: ssh-keygen %s",
                         status == CHILD_OUT_OF_TIME ? "did not end within 10 s"
                                                     : "cannot be started: install openssh-client");
    else if (status != 0 && c.err_text.len + c.out_text.len == 0) /* it says why it refuses one */
        code =
            ctl_error(ctl, EXIT_FAILED, "cannot check the key: ssh-keygen failed, without a word");
    else if (status != 0)
        code = ctl_error(ctl, EXIT_USAGE,
                         "the key %s is damaged, no ssh can use it: 'ssh-keygen -l' says '%s'; ask "
                         "for one made with 'ssh-keygen -t ed25519'",
                         key->fingerprint,
                         first_line(c.err_text.len > 0 ? &c.err_text : &c.out_text).s);
out:
    child_release(&c);
    buf_release(&line);
    return code;
}

int terms_host_key(struct ctl *ctl, struct pubkey *ret)
{
    struct buf why = {0};
    int code = EXIT_DONE;
    if (gateway_host_key(&ctl->conf, ret, &why) != 0)
        code = ctl_error(ctl, EXIT_FAILED,
                         "nothing was changed, since what is handed on must name this host's key: "
                         "%s",
                         buf_text(&why) != NULL ? buf_text(&why) : "out of memory");
    buf_release(&why);
    return code;
}

int terms_check_permits(struct ctl *ctl, const struct lease *l)
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
    return EXIT_DONE;
}

int terms_check_end(struct ctl *ctl, int64_t expires_s)
{
    char text[TIME_TEXT_BYTES];
    if (ctl->conf.max_ttl_s == 0 || expires_s <= ctl->now_s + ctl->conf.max_ttl_s)
        return EXIT_DONE;
    duration_format(ctl->conf.max_ttl_s, text);
    return ctl_error(ctl, EXIT_CEILING, "the lease would be longer than MaxTTL (%s)", text);
}

int terms_conflict(struct ctl *ctl, const struct lease *l, const struct store_conflict *c)
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
                         c->expired ? "port %u is kept for its former holder '%s' (#%" PRId64
                                      ")%s: choose another, or --listen auto"
                                    : "port %u is held by the lease '%s' (#%" PRId64 ")%s: choose "
                                      "another, or --listen auto",
                         c->port, c->lease, c->lease_id, c->expired ? ctl_quarantine_why(ctl) : "");
    }
    return EXIT_CONFLICT;
}
