/* SPDX-License-Identifier: ISC */
#include "tunnel-agent/gateway/redeem.h"

#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/text.h"
#include "tunnel-agent/config/leg.h"
#include "tunnel-agent/config/settings.h"
#include "tunnel-agent/host/process.h"
#include "tunnel-agent/host/statedir.h"
#include "tunnel-agent/ssh/advice.h"
#include "tunnel-agent/ssh/args.h"
#include "tunnel-agent/ssh/hostkey.h"
#include "tunnel-agent/ssh/hostkey_advice.h"
#include "tunnel-agent/ssh/hostkey_prompt.h"
#include "tunnel-agent/ssh/login_advice.h"
#include "tunnel-agent/ssh/run.h"

#include <bsd/string.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    ATTEMPT_MS = 45000, /* leased ends each connection after 30 s */
    KEYGEN_MS = 5000,
    WAIT_MS = 250, /* before the second attempt; doubled, up to the next */
    WAIT_MAX_MS = 5000,
    PATH_BYTES = STATEDIR_PATH_BYTES + 48,
};

struct attempts {
    const struct redeem_terms *terms;
    struct leg leg;
    char pin_path[PATH_BYTES]; /* a file of the one host key that is right; "": the user's files */
    int64_t end_ms, wait_ms;
    bool may_be_spent; /* an answer was lost, which can have been the lease */
};

enum outcome { OUTCOME_FINAL, OUTCOME_LOST, OUTCOME_NOT_NOW, OUTCOME_BUSY };

/* ---- before the first attempt ---- */

static const char *set_setting(struct leg *leg, const char *name, const char *value)
{
    char text[PATH_BYTES];
    int n = snprintf(text, sizeof(text), "%s=\"%s\"", name, value);
    return n > 0 && (size_t)n < sizeof(text) && strchr(value, '"') == NULL
               ? leg_add_ssh_option(leg, "-o", text)
               : "is too long, or holds a quote";
}

/* Ours come before the person's options: ssh takes the first value. */
static const char *build_leg(struct leg *leg, const struct redeem_terms *t)
{
    const char *problem = leg_set_to(leg, t->to);
    if (problem == NULL && (t->user_is_of_lease || strchr(t->to, '@') == NULL))
        problem = leg_set_login(leg, REDEEM_LOGIN);
    if (problem == NULL)
        problem = leg_add_ssh_option(leg, "-o", "IdentitiesOnly=yes");
    if (problem == NULL)
        problem = leg_add_ssh_option(leg, "-o", "PreferredAuthentications=publickey");
    if (problem == NULL && t->agent_sock != NULL)
        problem = set_setting(leg, "IdentityAgent", t->agent_sock);
    if (problem == NULL)
        problem = leg_add_ssh_option(leg, "-i", t->identity);
    for (size_t i = 0; problem == NULL && i < t->ssh_option_count; i++) {
        const char *next = i + 1 < t->ssh_option_count ? t->ssh_options[i + 1] : NULL;
        const char *value = next != NULL && next[0] != '-' ? next : NULL;
        problem = leg_add_ssh_option(leg, t->ssh_options[i], value);
        i += value != NULL ? 1 : 0;
    }
    return problem;
}

static bool write_pin(const char *path, const struct buf *line)
{
    FILE *f = fopen(path, "we");
    if (f == NULL)
        return false;
    bool ok = fputs(buf_text_or(line, ""), f) >= 0;
    return fclose(f) == 0 && ok;
}

/* The host must show the key that the person named. */
static int pin_host(struct attempts *a, struct buf *words)
{
    struct hostkey key;
    struct buf line = {0};
    char why[HOSTKEY_WHY_BYTES], scratch[PATH_BYTES];
    int rc = -1;
    (void)snprintf(a->pin_path, sizeof(a->pin_path), "%s/%d-join.hosts", a->terms->state->run,
                   (int)getpid());
    (void)snprintf(scratch, sizeof(scratch), "%s/%d-join.ask", a->terms->state->run, (int)getpid());
    if (hostkey_fetch(&a->leg, a->terms->settings, a->terms->host_key, scratch, &key, &line, why) !=
        NULL)
        buf_add(words, why);
    else if (!write_pin(a->pin_path, &line))
        buf_addf(words, "cannot write '%s'", a->pin_path);
    else
        rc = 0;
    buf_release(&line);
    return rc;
}

static int prepare(struct attempts *a, struct buf *words)
{
    const struct redeem_terms *t = a->terms;
    const char *problem = build_leg(&a->leg, t);
    if (problem != NULL) {
        buf_addf(words, "cannot join '%s': its host, key or options: one %s", t->to, problem);
        return -1;
    }
    if (t->host_key != NULL)
        return pin_host(a, words);
    if (t->asks)
        hostkey_prompt(&a->leg, 1, t->settings, t->state);
    return 0;
}

/* ---- one attempt ---- */

/* The words of the far side's program: what is on standard error after ssh has logged in, without
 * what ssh itself says at the end. Before that stands sshd's banner. */
static void add_far_words(struct buf *out, const char *text)
{
    static const char *const own[] = {"Transferred: sent ", "Bytes per second: "};
    const char *line;
    bool begun = false;
    int len;
    while ((line = text_next_line(&text, &len)) != NULL && out->len < REDEEM_SENTENCE_MAX) {
        bool is_own = len == 0 || !begun;
        for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++)
            is_own = is_own || strncmp(line, own[i], strlen(own[i])) == 0;
        begun = begun || strncmp(line, "Authenticated to ", 17) == 0;
        while (len > 0 && line[len - 1] == '\r')
            len--;
        if (!is_own && len > 0)
            buf_addf(out, "%s%.*s", out->len > 0 ? "\n" : "",
                     len < REDEEM_SENTENCE_MAX ? len : REDEEM_SENTENCE_MAX, line);
    }
}

static void add_unknown_host(struct attempts *a, const struct ssh_run *run, struct buf *out)
{
    struct hostkey key;
    struct buf line = {0};
    char why[HOSTKEY_WHY_BYTES], scratch[PATH_BYTES];
    (void)snprintf(scratch, sizeof(scratch), "%s/%d-join.ask", a->terms->state->run, (int)getpid());
    if (hostkey_fetch(&a->leg, a->terms->settings, NULL, scratch, &key, &line, why) == NULL)
        buf_addf(out,
                 "the host key of %s is not known: %s (%s). If the one who invited you confirms "
                 "that one, run with --host-key %s",
                 a->leg.to, key.fingerprint, key.type, key.fingerprint);
    else
        sshadvice_add_words(out, run->cause_text);
    buf_release(&line);
}

/* True if ssh can sign with the key, or nobody can tell: it has no passphrase, or an ssh agent is
 * asked. */
static bool key_is_usable(const struct redeem_terms *t)
{
    struct buf output = {0};
    const char *const argv[] = {"ssh-keygen", "-y", "-P", "", "-f", t->identity, NULL};
    bool usable = process_run(argv, KEYGEN_MS, &output) == 0 ||
                  strstr(buf_text_or(&output, ""), "incorrect passphrase") == NULL;
    buf_release(&output);
    return usable;
}

/* Which it is, only the gateway's log tells: sshd says the same for each. */
static void add_refused_login(struct attempts *a, const struct ssh_run *run, struct buf *out)
{
    if (run->key_text[0] != '\0' || !key_is_usable(a->terms)) {
        sshlogin_add_advice(out, run, &a->leg, a->terms->settings);
        return;
    }
    sshadvice_add_words(out, run->cause_text);
    buf_add(out,
            " Its sshd takes no key at the login that invites are for: no invite is open there, "
            "this one was spent with another key or more than ten minutes ago, all logins are "
            "frozen, or that host joins nobody. Ask who invited you");
}

/* Why ssh itself ended, before or after the login. */
static enum outcome judge_ssh(struct attempts *a, const struct ssh_run *run, int code,
                              struct buf *words)
{
    if (run->cause == SSH_MESSAGE_HOST_KEY_UNKNOWN) {
        add_unknown_host(a, run, words);
        return OUTCOME_FINAL;
    }
    if (run->cause == SSH_MESSAGE_HOST_KEY_CHANGED) {
        sshhostkey_add_changed(words, run, &a->leg, a->terms->settings);
        return OUTCOME_FINAL;
    }
    if (!run->authenticated && strstr(run->cause_text, "Permission denied (") != NULL) {
        add_refused_login(a, run, words);
        return OUTCOME_FINAL;
    }
    if (code == PROCESS_OUT_OF_TIME)
        buf_addf(words, "no answer within %d s", ATTEMPT_MS / 1000);
    else
        sshadvice_add_end(words, run, &a->leg, code << 8, false);
    if (run->authenticated)
        return OUTCOME_LOST;
    return run->cause == SSH_MESSAGE_BUSY || run->cause == SSH_MESSAGE_CLOSED || a->may_be_spent
               ? OUTCOME_BUSY
               : OUTCOME_FINAL;
}

static enum outcome judge_answer(const struct redeem_terms *t, const struct buf *text,
                                 struct redeemed *ret)
{
    struct joined lease;
    const char *problem = joined_parse(buf_text_or(text, ""), text->len, &lease);
    if (problem != NULL) {
        buf_addf(&ret->words, "cannot use the gateway's answer: it %s", problem);
        /* One that was cut off is no object, and comes whole the next time. */
        return strcmp(problem, JOINED_NO_OBJECT) == 0 ? OUTCOME_LOST : OUTCOME_FINAL;
    }
    if (t->fingerprint != NULL && lease.fingerprint[0] != '\0' &&
        strcmp(lease.fingerprint, t->fingerprint) != 0) {
        buf_addf(&ret->words,
                 "the gateway gave the lease to another key, %s in place of %s: an IdentityFile of "
                 "your ssh configuration for this host",
                 lease.fingerprint, t->fingerprint);
        joined_release(&lease);
        return OUTCOME_FINAL;
    }
    ret->lease = lease;
    ret->status = 0;
    return OUTCOME_FINAL;
}

static enum outcome attempt(struct attempts *a, struct redeemed *ret)
{
    const struct redeem_terms *t = a->terms;
    const struct sshargs_plan plan = {.use = SSHARGS_COMMAND,
                                      .settings = t->settings,
                                      .timeout_doublings = 1,
                                      .known_hosts = a->pin_path[0] != '\0' ? a->pin_path : NULL,
                                      .command = t->lease_only ? "--json=lease" : "--json"};
    struct sshargs args;
    struct buf out = {0}, err = {0};
    struct ssh_run run = {.err_fd = -1};
    char input[80];
    enum outcome outcome = OUTCOME_FINAL;

    buf_clear(&ret->words);
    (void)snprintf(input, sizeof(input), "%s\n", t->code);
    sshargs_build(&args, &a->leg, &plan);
    int code = args.failed ? PROCESS_NOT_STARTED
                           : process_run_with(sshargs_argv(&args), input, ATTEMPT_MS, &out, &err);
    sshargs_release(&args);
    sshrun_read(&run, buf_text_or(&err, ""), err.len);
    ret->status = REDEEM_NOT_REACHED;
    if (code == 0) {
        outcome = judge_answer(t, &out, ret);
    } else if (run.authenticated && code != REDEEM_NOT_REACHED && code != PROCESS_OUT_OF_TIME &&
               code != PROCESS_NOT_STARTED) {
        ret->status = code;
        outcome = code == REDEEM_NOT_NOW ? OUTCOME_NOT_NOW : OUTCOME_FINAL;
        add_far_words(&ret->words, buf_text_or(&err, ""));
        if (ret->words.len == 0)
            buf_addf(&ret->words, "the gateway's join ended with status %d, and said nothing",
                     code);
    } else {
        outcome = judge_ssh(a, &run, code, &ret->words);
    }
    buf_release(&out);
    buf_release(&err);
    return outcome;
}

/* ---- until it is settled ---- */

/* True: try again. Says why once for each kind of outcome. */
static bool wait_for_next(struct attempts *a, enum outcome outcome, enum outcome before,
                          const struct buf *words)
{
    static const char *const meaning[] = {
        [OUTCOME_LOST] = "The code gives the same answer to the same key again",
        [OUTCOME_NOT_NOW] = "The code stays good for this key",
        [OUTCOME_BUSY] = "Nothing was asked yet",
    };
    int64_t left_ms = a->end_ms - clock_monotonic_ms();
    if (left_ms <= 0)
        return false;
    if (outcome != before) {
        log_warn("%s", buf_text_or(words, "out of memory"));
        log_warn("%s: trying again for %lld s", meaning[outcome], (long long)(left_ms / 1000 + 1));
    }
    (void)poll(NULL, 0, (int)(a->wait_ms < left_ms ? a->wait_ms : left_ms));
    a->wait_ms = a->wait_ms * 2 < WAIT_MAX_MS ? a->wait_ms * 2 : WAIT_MAX_MS;
    return true;
}

int redeem(const struct redeem_terms *terms, struct redeemed *ret)
{
    struct attempts a = {.terms = terms,
                         .end_ms = clock_monotonic_ms() + terms->patience_s * 1000,
                         .wait_ms = WAIT_MS};
    enum outcome outcome = OUTCOME_FINAL, before;
    *ret = (struct redeemed){.status = REDEEM_NOT_REACHED};
    if (prepare(&a, &ret->words) == 0)
        do {
            before = outcome;
            outcome = attempt(&a, ret);
            /* Not now: the gateway's program, too, may have lost the answer of its leased. */
            a.may_be_spent =
                a.may_be_spent || outcome == OUTCOME_LOST || outcome == OUTCOME_NOT_NOW;
        } while (outcome != OUTCOME_FINAL && wait_for_next(&a, outcome, before, &ret->words));
    if (a.pin_path[0] != '\0')
        (void)unlink(a.pin_path);
    leg_release(&a.leg);
    return ret->status == 0 ? 0 : -1;
}

void redeemed_release(struct redeemed *r)
{
    joined_release(&r->lease);
    buf_release(&r->words);
}

void redeemed_log(const struct redeemed *r)
{
    const char *rest = buf_text_or(&r->words, "out of memory"), *line;
    int len;
    while ((line = text_next_line(&rest, &len)) != NULL)
        if (len > 0)
            log_error("%.*s", len, line);
}
