/* SPDX-License-Identifier: ISC */
#include "leasectl/host/matchblock.h"

#include "leasectl/host/account.h"
#include "leasectl/host/matchblock_join.h"
#include "leasectl/host/matchblock_text.h"
#include "leasectl/host/matchblock_writer.h"
#include "leasectl/host/sshd.h"
#include "leasectl/host/sshd_zone.h"
#include "lib/base/text.h"
#include "lib/conf/conf.h"
#include "lib/lease/keyline.h"

#include <stdio.h>
#include <string.h>

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

/* A rule for the port of MetricsListen alone is left out: no lease may open it. */
static void add_words_of_rules(const struct ceiling *ceiling, const struct ceiling_rules *rules,
                               const char *login, struct buf *out)
{
    for (size_t i = 0; i < rules->count; i++)
        if (ceiling_rule_applies(rules, i, login) && !is_duplicate_word(rules, i, login) &&
            !(rules->items[i].permit.low == rules->items[i].permit.high &&
              ceiling_reaches_page(ceiling, &rules->items[i].permit)))
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
        add_words_of_rules(&conf->ceiling, &conf->ceiling.open, login, &open);
    else if (conf->ceiling.control.low != 0)
        add_permit_words(&open, &conf->ceiling.control);
    else
        buf_add(&open, "none");
    if (forwards)
        buf_add(&listen, "none");
    else
        add_words_of_rules(&conf->ceiling, &conf->ceiling.listen, login, &listen);

    block_emit(w, "AllowTcpForwarding", forwards ? "local" : "yes");
    block_emit(w, "PermitOpen", buf_text_or(&open, "none"));
    block_emit(w, "PermitListen", buf_text_or(&listen, "none"));
    /* `no` binds loopback whatever was asked for, `yes` all addresses whatever was permitted
     * (docs/sshd-facts.md 7). So it is always set, and the global settings never decide. */
    block_emit(w, "GatewayPorts",
               forwards || all_rules_are_loopback(&conf->ceiling.listen, login)
                   ? "no"
                   : "clientspecified");
    buf_release(&open);
    buf_release(&listen);
}

/* ---- what holds for all of them ---- */

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

static void emit_common_settings(const struct block_writer *w)
{
    const struct conf *conf = w->conf;
    struct buf command = {0};
    bool silent = conf->session_refusal == SESSION_REFUSAL_SILENT;

    add_akc_command(w, &command);
    block_emit_keys_of_akc(w, buf_text_or(&command, "none"));
    block_emit(w, "ForceCommand", KEYLINE_COMMAND);
    block_emit(w, "MaxSessions", silent ? "0" : "1");
    block_emit_nothing_else(w);
    block_emit(w, "DisableForwarding", "no");
    block_emit(w, "ChrootDirectory", "none");
    block_emit(w, "ClientAliveInterval", "15");
    block_emit(w, "ClientAliveCountMax", "3");
    /* A global value would cut tunnels that are up and idle (docs/sshd-facts.md 10). */
    block_emit(w, "UnusedConnectionTimeout", "none");
    block_emit(w, "Banner", conf->contact[0] != '\0' ? MATCHBLOCK_BANNER : "none");
    buf_release(&command);
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
    struct block_writer w = {conf, conf_file, dialect, block_as_config, &body};
    char hash[MATCHBLOCK_HASH_CHARS + 1];

    add_login_block(&w, conf->forward_login);
    add_login_block(&w, conf->agent_login);
    (void)account_each(conf->tunnel_group, add_other_login_block, &w);
    buf_addf(&body, "Match Group %s\n", conf->tunnel_group);
    block_emit_no_forwarding(&w);
    emit_common_settings(&w);
    if (conf->join_login[0] != '\0') {
        buf_addf(&body, "\nMatch User %s\n", conf->join_login);
        block_emit_join(&w);
    }
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
    if (strcmp(login, conf->join_login) == 0) {
        block_emit_join(&w);
        return;
    }
    emit_login_settings(&w, login);
    emit_common_settings(&w);
}
