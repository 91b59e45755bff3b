/* SPDX-License-Identifier: ISC */
#include "leasectl/matchblock.h"

#include "leasectl/account.h"
#include "lib/conf/conf.h"
#include "lib/lease/keyline.h"

#include <sha2.h>
#include <stdio.h>
#include <string.h>

#define HASH_LABEL "# sha256 of what follows: "

static const char akc_path[] = TUNLEASE_LIBEXECDIR "/tunlease/akc";

/* One `keyword value` of a block; emit knows how the block is written. */
typedef void (*emit_fn)(struct buf *out, const char *keyword, const char *value);

static void emit_config(struct buf *out, const char *keyword, const char *value)
{
    buf_addf(out, "    %s %s\n", keyword, value);
}

/* As sshd -T prints it. */
static void emit_effective(struct buf *out, const char *keyword, const char *value)
{
    for (const char *p = keyword; *p != '\0'; p++) {
        char lower = (char)(*p >= 'A' && *p <= 'Z' ? *p + ('a' - 'A') : *p);
        buf_add_mem(out, &lower, 1);
    }
    buf_addf(out, " %s\n", value);
}

/* ---- what a login may forward ---- */

static void add_word(struct buf *out, const char *word)
{
    if (out->len > 0)
        buf_add(out, " ");
    buf_add(out, word);
}

/* sshd has no ranges: one becomes HOST:*, and the key line holds to the range. */
static void add_permit_words(struct buf *out, const struct permit *p)
{
    char word[PERMIT_TEXT_BYTES];
    struct permit shown = *p;
    if (p->low != p->high) {
        shown.low = 1;
        shown.high = UINT16_MAX;
    }
    permit_format(&shown, word);
    add_word(out, word);
    if (permit_is_loopback4(p)) {
        (void)snprintf(word, sizeof(word), p->low == p->high ? "localhost:%u" : "localhost:*",
                       p->low);
        add_word(out, word);
    }
}

/* Two rules can become the same word, and sshd -T would print it once for each. */
static bool already_shown(const struct ceiling_rules *rules, size_t i, const char *login)
{
    const struct permit *p = &rules->items[i].permit;
    for (size_t k = 0; k < i; k++) {
        const struct permit *q = &rules->items[k].permit;
        bool both_wide = p->low != p->high && q->low != q->high;
        if (ceiling_rule_holds(rules, k, login) && strcmp(p->host, q->host) == 0 &&
            (both_wide || permit_equal(p, q)))
            return true;
    }
    return false;
}

static void permit_words(const struct ceiling_rules *rules, const char *login, struct buf *out)
{
    for (size_t i = 0; i < rules->count; i++)
        if (ceiling_rule_holds(rules, i, login) && !already_shown(rules, i, login))
            add_permit_words(out, &rules->items[i].permit);
    if (out->len == 0)
        buf_add(out, "none");
}

static bool all_loopback(const struct ceiling_rules *rules, const char *login)
{
    for (size_t i = 0; i < rules->count; i++)
        if (ceiling_rule_holds(rules, i, login) &&
            strncmp(rules->items[i].permit.host, "127.", 4) != 0 &&
            strcmp(rules->items[i].permit.host, "::1") != 0)
            return false;
    return true;
}

static void login_settings(const struct conf *conf, const char *login, emit_fn emit,
                           struct buf *out)
{
    struct buf open = {0}, listen = {0};
    bool forwards = strcmp(login, conf->forward_login) == 0;
    bool agents = strcmp(login, conf->agent_login) == 0;

    if (!agents)
        permit_words(&conf->ceiling.open, login, &open);
    else if (conf->ceiling.control.low != 0)
        add_permit_words(&open, &conf->ceiling.control);
    else
        buf_add(&open, "none");
    if (forwards)
        buf_add(&listen, "none");
    else
        permit_words(&conf->ceiling.listen, login, &listen);

    emit(out, "AllowTcpForwarding", forwards ? "local" : "yes");
    emit(out, "PermitOpen", buf_text(&open) != NULL ? buf_text(&open) : "none");
    emit(out, "PermitListen", buf_text(&listen) != NULL ? buf_text(&listen) : "none");
    /* `no` binds to loopback whatever was asked, `yes` to all addresses whatever was permitted
     * (facts/openssh.md 7): never left to what the global settings say. */
    emit(out, "GatewayPorts",
         forwards || all_loopback(&conf->ceiling.listen, login) ? "no" : "clientspecified");
    buf_release(&open);
    buf_release(&listen);
}

/* ---- what holds for all of them ---- */

static void common_settings(const struct conf *conf, const char *conf_file,
                            const struct sshd_version *v, emit_fn emit, struct buf *out)
{
    struct buf command = {0};
    bool silent = conf->session_refusal == SESSION_REFUSAL_SILENT;

    buf_add(&command, akc_path);
    if (conf_file != NULL)
        buf_addf(&command, " -c %s", conf_file);
    buf_add(&command,
            " %u %t %k"); /* no %C: it kills every login where it is not known (facts 5) */
    emit(out, "AuthenticationMethods", "publickey");
    emit(out, "PubkeyAuthentication", "yes");
    emit(out, "PasswordAuthentication", "no");
    emit(out, "KbdInteractiveAuthentication", "no");
    emit(out, "HostbasedAuthentication", "no");
    /* Both are asked before akc, and what they accept has no restriction (facts 5). */
    emit(out, "AuthorizedKeysFile", "none");
    emit(out, "TrustedUserCAKeys", "none");
    /* Before AuthorizedKeysCommand: the other order is broken before 9.4 (facts/ecosystem.md 2). */
    emit(out, "AuthorizedPrincipalsCommand", "none");
    emit(out, "AuthorizedPrincipalsFile", "none");
    emit(out, "AuthorizedKeysCommand", buf_text(&command) != NULL ? buf_text(&command) : "none");
    emit(out, "AuthorizedKeysCommandUser", "_tunlease-akc");
    emit(out, "ForceCommand", KEYLINE_COMMAND);
    emit(out, "MaxSessions", silent ? "0" : "1");
    emit(out, "PermitTTY", "no");
    emit(out, "PermitUserRC", "no");
    emit(out, "X11Forwarding", "no");
    emit(out, "AllowAgentForwarding", "no");
    /* No key option closes these two (facts 6). */
    emit(out, "AllowStreamLocalForwarding", "no");
    emit(out, "PermitTunnel", "no");
    emit(out, "DisableForwarding", "no");
    emit(out, "ChrootDirectory", "none");
    emit(out, "ClientAliveInterval", "15");
    emit(out, "ClientAliveCountMax", "3");
    /* A global one would cut tunnels that are up and idle (facts 10). */
    if (sshd_at_least(v, 9, 2))
        emit(out, "UnusedConnectionTimeout", "none");
    emit(out, "Banner", conf->contact[0] != '\0' ? MATCHBLOCK_BANNER : "none");
    buf_release(&command);
}

static void no_forwarding(emit_fn emit, struct buf *out)
{
    emit(out, "AllowTcpForwarding", "no");
    emit(out, "PermitOpen", "none");
    emit(out, "PermitListen", "none");
    emit(out, "GatewayPorts", "no");
}

/* ---- the file ---- */

struct formatting {
    const struct conf *conf;
    struct buf *out;
};

static void login_block(const struct conf *conf, const char *login, struct buf *out)
{
    buf_addf(out, "Match User %s\n", login);
    login_settings(conf, login, emit_config, out);
    buf_add(out, "\n");
}

static int other_login_block(void *arg, const char *login)
{
    struct formatting *f = arg;
    if (strcmp(login, f->conf->forward_login) != 0 && strcmp(login, f->conf->agent_login) != 0)
        login_block(f->conf, login, f->out);
    return 0;
}

static void sha256_hex(const char *text, char out[static MATCHBLOCK_HASH_CHARS + 1])
{
    SHA2_CTX sha;
    uint8_t digest[SHA256_DIGEST_LENGTH];
    SHA256Init(&sha);
    SHA256Update(&sha, (const uint8_t *)text, strlen(text));
    SHA256Final(digest, &sha);
    for (size_t i = 0; i < sizeof(digest); i++)
        (void)snprintf(out + 2 * i, 3, "%02x", digest[i]);
}

void matchblock_format(const struct conf *conf, const char *conf_file, const struct sshd_version *v,
                       struct buf *out)
{
    struct buf body = {0};
    struct formatting f = {.conf = conf, .out = &body};
    char hash[MATCHBLOCK_HASH_CHARS + 1];

    login_block(conf, conf->forward_login, &body);
    login_block(conf, conf->agent_login, &body);
    (void)account_each(conf->tunnel_group, other_login_block, &f);
    buf_addf(&body, "Match Group %s\n", conf->tunnel_group);
    no_forwarding(emit_config, &body);
    common_settings(conf, conf_file, v, emit_config, &body);
    buf_add(&body, "\nMatch all\n");
    if (buf_text(&body) == NULL) {
        out->failed = true;
    } else {
        sha256_hex(buf_text(&body), hash);
        buf_addf(
            out,
            "# Tunnel logins: made by 'leasectl setup' for OpenSSH %u.%u. Change %s and run it\n"
            "# again; it does not overwrite a file that was edited by hand.\n" HASH_LABEL
            "%s\n\n%s",
            v->major, v->minor, conf_file != NULL ? conf_file : CONF_DEFAULT_FILE, hash,
            buf_text(&body));
    }
    buf_release(&body);
}

void matchblock_expected(const struct conf *conf, const char *conf_file,
                         const struct sshd_version *v, const char *login, struct buf *out)
{
    login_settings(conf, login, emit_effective, out);
    common_settings(conf, conf_file, v, emit_effective, out);
}

bool matchblock_is_unedited(const char *text)
{
    char hash[MATCHBLOCK_HASH_CHARS + 1];
    const char *label = strstr(text, HASH_LABEL);
    if (label == NULL)
        return false;
    const char *stated = label + strlen(HASH_LABEL);
    const char *body = strstr(stated, "\n\n");
    if (body == NULL || body - stated != MATCHBLOCK_HASH_CHARS)
        return false;
    sha256_hex(body + 2, hash);
    return memcmp(hash, stated, MATCHBLOCK_HASH_CHARS) == 0;
}
