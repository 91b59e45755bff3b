/* SPDX-License-Identifier: ISC */
#include "leasectl/host/matchblock.h"

#include "leasectl/host/account.h"
#include "leasectl/host/sshd.h"
#include "leasectl/host/sshd_version.h"
#include "leasectl/host/sshd_zone.h"
#include "leasectl/host/textfile.h"
#include "lib/base/text.h"
#include "lib/conf/conf.h"
#include "lib/lease/keyline.h"

#include <sha2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define VERSION_LABEL "# Tunnel logins: made by 'leasectl setup' for OpenSSH "
#define HASH_LABEL "# sha256 of what follows: "

static const char akc_path[] = TUNLEASE_LIBEXECDIR "/tunlease/akc";

#define EXPIRY_OPTION " --expiry-local"

/* Begins a comment that names the time zone which akc is told: doctor compares it with sshd's. */
#define ZONE_LABEL "# Times are local, since sshd reads no UTC: "

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
    buf_add(out, akc_path);
    if (w->conf_file != NULL)
        buf_addf(out, " -c %s", w->conf_file);
    if (!sshd_reads_utc(&w->dialect->version))
        buf_addf(out, zone->is_set ? EXPIRY_OPTION "=%s" : EXPIRY_OPTION, zone->tz);
    /* No %C: an sshd that does not know it refuses every login (docs/sshd-facts.md 5). */
    buf_add(out, " %u %t %k");
}

static void add_zone_comment(const struct block_writer *w)
{
    if (sshd_reads_utc(&w->dialect->version) || w->emit != emit_config)
        return;
    buf_add(w->out, "    " ZONE_LABEL);
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
        sha256_hex(buf_text(&body), hash);
        buf_addf(out,
                 VERSION_LABEL
                 "%u.%u. Change %s and run it\n"
                 "# again; it does not overwrite a file that was edited by hand.\n" HASH_LABEL
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

bool matchblock_read_version(const char *text, struct sshd_version *ret)
{
    size_t label = sizeof(VERSION_LABEL) - 1;
    return strncmp(text, VERSION_LABEL, label) == 0 && sshd_parse_version(text + label, ret);
}

void matchblock_read_zone(const char *text, struct buf *out)
{
    const char *at = strstr(text, ZONE_LABEL);
    if (at != NULL) {
        at += sizeof(ZONE_LABEL) - 1;
        buf_add_mem(out, at, strcspn(at, "\n"));
    }
}

char *matchblock_read_dropin(void)
{
    return textfile_read(SSHD_DROPIN);
}

/* Sets TZ as akc does for itself, and restores it: other times are shown in the zone of the caller.
 * zone: NULL for an sshd without TZ. */
static void format_keyline_in_zone(const char *zone, const struct lease *l,
                                   const struct pubkey *key, struct buf *out)
{
    const char *tz = getenv("TZ");
    char *before = tz != NULL ? strdup(tz) : NULL;
    if (tz != NULL && before == NULL) {
        out->failed = true;
        return;
    }
    (void)(zone != NULL ? setenv("TZ", zone, 1) : unsetenv("TZ"));
    tzset();
    keyline_format_local(l, key, out);
    (void)(before != NULL ? setenv("TZ", before, 1) : unsetenv("TZ"));
    tzset();
    free(before);
}

void matchblock_keyline(const char *text, const struct lease *l, const struct pubkey *key,
                        struct buf *out)
{
    char zone[SSHD_ZONE_BYTES];
    const char *command = text != NULL ? strstr(text, "AuthorizedKeysCommand ") : NULL;
    const char *option = command != NULL ? strstr(command, EXPIRY_OPTION) : NULL;
    if (option == NULL || option > command + strcspn(command, "\n")) {
        keyline_format(l, key, out);
        return;
    }
    option += sizeof(EXPIRY_OPTION) - 1;
    (void)snprintf(zone, sizeof(zone), "%.*s", (int)strcspn(option, " \n"), option);
    format_keyline_in_zone(zone[0] == '=' ? zone + 1 : NULL, l, key, out);
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
