/* SPDX-License-Identifier: ISC */
#include "leasectl/host/matchblock.h"

#include "leasectl/host/account.h"
#include "leasectl/host/matchblock_text.h"
#include "leasectl/host/sshd.h"
#include "leasectl/host/sshd_zone.h"
#include "lib/base/text.h"
#include "lib/conf/conf.h"
#include "lib/lease/keyline.h"

#include <stdio.h>
#include <string.h>

/* Adds one setting: emit_config as in sshd_config(5), emit_effective as sshd -T prints it. */
typedef void (*emit_fn)(struct buf *out, const char *keyword, const char *value);

static void emit_config(struct buf *out, const char *keyword, const char *value)
{
    buf_addf(out, "    %s %s\n", keyword, value);
}

/* What the blocks are made of, and how and where they are written. */
struct block_writer {
    const struct conf *conf;
    const char *conf_file;
    const struct sshd_dialect *dialect;
    emit_fn emit;
    struct buf *out;
};

static void emit_setting(const struct block_writer *w, const char *keyword, const char *value)
{
    if (sshd_has_keyword(&w->dialect->version, keyword))
        w->emit(w->out, keyword, value);
}

static void emit_effective(struct buf *out, const char *keyword, const char *value)
{
    for (const char *p = keyword; *p != '\0'; p++) {
        char lower = text_lower(*p);
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

/* sshd has no ranges of ports: a range becomes HOST:*, and the key line permits no more than the
 * range. */
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

/* Two rules can become the same word, which sshd -T would then print twice. */
static bool is_duplicate_word(const struct ceiling_rules *rules, size_t i, const char *login)
{
    const struct permit *p = &rules->items[i].permit;
    for (size_t k = 0; k < i; k++) {
        const struct permit *q = &rules->items[k].permit;
        bool both_wide = p->low != p->high && q->low != q->high;
        if (ceiling_rule_applies(rules, k, login) && strcmp(p->host, q->host) == 0 &&
            (both_wide || permit_equal(p, q)))
            return true;
    }
    return false;
}

static void add_words_of_rules(const struct ceiling_rules *rules, const char *login,
                               struct buf *out)
{
    for (size_t i = 0; i < rules->count; i++)
        if (ceiling_rule_applies(rules, i, login) && !is_duplicate_word(rules, i, login))
            add_permit_words(out, &rules->items[i].permit);
    if (out->len == 0)
        buf_add(out, "none");
}

static bool all_rules_are_loopback(const struct ceiling_rules *rules, const char *login)
{
    for (size_t i = 0; i < rules->count; i++)
        if (ceiling_rule_applies(rules, i, login) &&
            strncmp(rules->items[i].permit.host, "127.", 4) != 0 &&
            strcmp(rules->items[i].permit.host, "::1") != 0)
            return false;
    return true;
}

static void emit_login_settings(const struct block_writer *w, const char *login)
{
    const struct conf *conf = w->conf;
    struct buf open = {0}, listen = {0};
    bool forwards = strcmp(login, conf->forward_login) == 0;
    bool agents = strcmp(login, conf->agent_login) == 0;

    if (!agents)
        add_words_of_rules(&conf->ceiling.open, login, &open);
    else if (conf->ceiling.control.low != 0)
        add_permit_words(&open, &conf->ceiling.control);
    else
        buf_add(&open, "none");
    if (forwards)
        buf_add(&listen, "none");
    else
        add_words_of_rules(&conf->ceiling.listen, login, &listen);

    emit_setting(w, "AllowTcpForwarding", forwards ? "local" : "yes");
    emit_setting(w, "PermitOpen", buf_text(&open) != NULL ? buf_text(&open) : "none");
    emit_setting(w, "PermitListen", buf_text(&listen) != NULL ? buf_text(&listen) : "none");
    /* `no` binds loopback whatever was asked for, `yes` all addresses whatever was permitted
     * (docs/sshd-facts.md 7). So it is always set, and the global settings never decide. */
    emit_setting(w, "GatewayPorts",
                 forwards || all_rules_are_loopback(&conf->ceiling.listen, login)
                     ? "no"
                     : "clientspecified");
    buf_release(&open);
    buf_release(&listen);
}

/* ---- what holds for all of them ---- */

void matchblock_format_zone(const struct sshd_zone *zone, struct buf *out)
{
    if (zone->is_set)
        buf_addf(out, "TZ=%s", zone->tz);
    else
        buf_addf(out, "no TZ, /etc/localtime is %s", zone->localtime);
}

static void add_akc_command(const struct block_writer *w, struct buf *out)
{
    const struct sshd_zone *zone = &w->dialect->zone;
    buf_add(out, MATCHBLOCK_AKC);
    if (w->conf_file != NULL)
        buf_addf(out, " -c %s", w->conf_file);
    if (!sshd_reads_utc(&w->dialect->version))
        buf_addf(out, zone->is_set ? MATCHBLOCK_EXPIRY_OPTION "=%s" : MATCHBLOCK_EXPIRY_OPTION,
                 zone->tz);
    /* No %C: an sshd that does not know it refuses every login (docs/sshd-facts.md 5). */
    buf_add(out, " %u %t %k");
}

static void add_zone_comment(const struct block_writer *w)
{
    if (sshd_reads_utc(&w->dialect->version) || w->emit != emit_config)
        return;
    buf_add(w->out, "    " MATCHBLOCK_ZONE_LABEL);
    matchblock_format_zone(&w->dialect->zone, w->out);
    buf_add(w->out, "\n");
}

static void emit_common_settings(const struct block_writer *w)
{
    const struct conf *conf = w->conf;
    struct buf command = {0};
    bool silent = conf->session_refusal == SESSION_REFUSAL_SILENT;

    add_akc_command(w, &command);
    emit_setting(w, "AuthenticationMethods", "publickey");
    emit_setting(w, "PubkeyAuthentication", "yes");
    emit_setting(w, "PasswordAuthentication", "no");
    emit_setting(w, "KbdInteractiveAuthentication", "no");
    emit_setting(w, "HostbasedAuthentication", "no");
    /* sshd asks both before akc, and a key that they accept has none of akc's restrictions
     * (docs/sshd-facts.md 5). */
    emit_setting(w, "AuthorizedKeysFile", "none");
    emit_setting(w, "TrustedUserCAKeys", "none");
    /* These two stand before AuthorizedKeysCommand: behind it, OpenSSH before 9.4 ignores the first
     * (docs/sshd-facts.md 15). */
    emit_setting(w, "AuthorizedPrincipalsCommand", "none");
    emit_setting(w, "AuthorizedPrincipalsFile", "none");
    add_zone_comment(w);
    emit_setting(w, "AuthorizedKeysCommand",
                 buf_text(&command) != NULL ? buf_text(&command) : "none");
    emit_setting(w, "AuthorizedKeysCommandUser", "_tunlease-akc");
    emit_setting(w, "ForceCommand", KEYLINE_COMMAND);
    emit_setting(w, "MaxSessions", silent ? "0" : "1");
    emit_setting(w, "PermitTTY", "no");
    emit_setting(w, "PermitUserRC", "no");
    emit_setting(w, "X11Forwarding", "no");
    emit_setting(w, "AllowAgentForwarding", "no");
    /* No option of a key line forbids these two (docs/sshd-facts.md 6). */
    emit_setting(w, "AllowStreamLocalForwarding", "no");
    emit_setting(w, "PermitTunnel", "no");
    emit_setting(w, "DisableForwarding", "no");
    emit_setting(w, "ChrootDirectory", "none");
    emit_setting(w, "ClientAliveInterval", "15");
    emit_setting(w, "ClientAliveCountMax", "3");
    /* A global value would cut tunnels that are up and idle (docs/sshd-facts.md 10). */
    emit_setting(w, "UnusedConnectionTimeout", "none");
    emit_setting(w, "Banner", conf->contact[0] != '\0' ? MATCHBLOCK_BANNER : "none");
    buf_release(&command);
}

static void emit_no_forwarding(const struct block_writer *w)
{
    emit_setting(w, "AllowTcpForwarding", "no");
    emit_setting(w, "PermitOpen", "none");
    emit_setting(w, "PermitListen", "none");
    emit_setting(w, "GatewayPorts", "no");
}

/* ---- the file ---- */

static void add_login_block(const struct block_writer *w, const char *login)
{
    buf_addf(w->out, "Match User %s\n", login);
    emit_login_settings(w, login);
    buf_add(w->out, "\n");
}

static int add_other_login_block(void *arg, const char *login)
{
    const struct block_writer *w = arg;
    if (strcmp(login, w->conf->forward_login) != 0 && strcmp(login, w->conf->agent_login) != 0)
        add_login_block(w, login);
    return 0;
}

void matchblock_format(const struct conf *conf, const char *conf_file,
                       const struct sshd_dialect *dialect, struct buf *out)
{
    struct buf body = {0};
    struct block_writer w = {conf, conf_file, dialect, emit_config, &body};
    char hash[MATCHBLOCK_HASH_CHARS + 1];

    add_login_block(&w, conf->forward_login);
    add_login_block(&w, conf->agent_login);
    (void)account_each(conf->tunnel_group, add_other_login_block, &w);
    buf_addf(&body, "Match Group %s\n", conf->tunnel_group);
    emit_no_forwarding(&w);
    emit_common_settings(&w);
    buf_add(&body, "\nMatch all\n");
    if (buf_text(&body) == NULL) {
        out->failed = true;
    } else {
        matchblock_hash(buf_text(&body), hash);
        buf_addf(
            out,
            MATCHBLOCK_VERSION_LABEL
            "%u.%u. Change %s and run it\n"
            "# again; it does not overwrite a file that was edited by hand.\n" MATCHBLOCK_HASH_LABEL
            "%s\n\n%s",
            dialect->version.major, dialect->version.minor,
            conf_file != NULL ? conf_file : CONF_DEFAULT_FILE, hash, buf_text(&body));
    }
    buf_release(&body);
}

void matchblock_expected(const struct conf *conf, const char *conf_file,
                         const struct sshd_dialect *dialect, const char *login, struct buf *out)
{
    const struct block_writer w = {conf, conf_file, dialect, emit_effective, out};
    emit_login_settings(&w, login);
    emit_common_settings(&w);
}
