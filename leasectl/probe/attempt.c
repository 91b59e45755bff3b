/* SPDX-License-Identifier: ISC */
#include "leasectl/probe/attempt.h"

#include "leasectl/probe/forward.h"
#include "leasectl/probe/session.h"
#include "leasectl/probe/ssh.h"

#include <stdio.h>
#include <string.h>

enum how {
    HOW_SESSION, /* ssh runs something on the gateway; the mark must come back */
    HOW_SFTP,    /* the sftp subsystem must answer SSH_FXP_INIT */
    HOW_LOCAL,   /* -L to the target; data must come back through it */
    HOW_STDIO,   /* -W to the target; the same */
    HOW_DYNAMIC, /* -D, then SOCKS5 to the target; the same */
    HOW_REVERSE, /* -R; data must come back through the gateway's listener */
    HOW_TUN,     /* -w */
};

/* `words`: what to put behind -L, -W, -R or -w; for a session, ssh's options and, after --, the
 * command. */
static const struct {
    struct attempt attempt;
    enum how how;
    const char *words[4];
    const char *input;
} table[] = {
    {{"shell", 'A', false, "a shell"}, HOW_SESSION, {"-T"}, MARK_SCRIPT "\nexit\n"},
    {{"command", 'A', false, "a command"}, HOW_SESSION, {"--", MARK_SCRIPT}, NULL},
    {{"pty", 'A', false, "a terminal"},
     HOW_SESSION,
     {"-tt", "--", "test -t 0 && " MARK_SCRIPT},
     NULL},
    {{"sftp", 'A', false, "file transfer (sftp)"}, HOW_SFTP, {NULL}, NULL},
    {{"open", 'B', true, "the permitted port with -L"}, HOW_LOCAL, {"{open}"}, NULL},
    {{"listen", 'B', true, "the permitted port with -R"}, HOW_REVERSE, {"{listen}"}, NULL},
    {{"other-port", 'C', false, "another port with -L"}, HOW_LOCAL, {"{other}"}, NULL},
    {{"other-spelling", 'C', false, "the permitted port by another name"},
     HOW_LOCAL,
     {"{respelled}"},
     NULL},
    {{"stdio", 'C', false, "another port with -W"}, HOW_STDIO, {"{other}"}, NULL},
    {{"dynamic", 'C', false, "another port through -D"}, HOW_DYNAMIC, {"{other}"}, NULL},
    {{"local-socket", 'C', false, "a unix socket with -L"}, HOW_LOCAL, {"{socket}"}, NULL},
    {{"reverse", 'C', false, "another port with -R"}, HOW_REVERSE, {"127.0.0.1:{free}"}, NULL},
    {{"reverse-any", 'C', false, "any port with -R 0"}, HOW_REVERSE, {"127.0.0.1:0"}, NULL},
    {{"reverse-public", 'C', false, "a port on all addresses with -R"},
     HOW_REVERSE,
     {"0.0.0.0:{free}"},
     NULL},
    {{"reverse-socket", 'C', false, "a unix socket with -R"},
     HOW_REVERSE,
     {"/tmp/tunlease-{free}.sock"},
     NULL},
    {{"agent", 'C', false, "agent forwarding"},
     HOW_SESSION,
     {"-A", "--", "test -S \"$SSH_AUTH_SOCK\" && " MARK_SCRIPT},
     NULL},
    {{"x11", 'C', false, "X11 forwarding"},
     HOW_SESSION,
     {"-Y", "--", "test -n \"$DISPLAY\" && " MARK_SCRIPT},
     NULL},
    {{"tun", 'C', false, "a tun device with -w"}, HOW_TUN, {"any:42"}, NULL},
};

const size_t attempt_count = sizeof(table) / sizeof(table[0]);

const struct attempt *attempt_at(size_t i)
{
    return &table[i].attempt;
}

int attempt_find(const char *id)
{
    for (size_t i = 0; i < attempt_count; i++)
        if (strcmp(table[i].attempt.id, id) == 0)
            return (int)i;
    return -1;
}

enum attempt_verdict attempt_make(size_t i, const struct attempt_target *target,
                                  char evidence[static ATTEMPT_EVIDENCE_BYTES])
{
    struct ssh_args args;
    char word[ATTEMPT_WORD_BYTES] = "";

    evidence[0] = '\0';
    if (table[i].words[0] != NULL && !target_expand(target, table[i].words[0], word)) {
        (void)snprintf(evidence, ATTEMPT_EVIDENCE_BYTES, "there is no %s to try",
                       table[i].words[0]);
        return ATTEMPT_UNCLEAR;
    }
    ssh_begin(&args, target);
    switch (table[i].how) {
    case HOW_SESSION:
        return try_session(&args, target, table[i].words, table[i].input, evidence);
    case HOW_SFTP:
        return try_sftp(&args, target, evidence);
    case HOW_LOCAL: {
        enum attempt_verdict v = try_local(&args, target, word, false, evidence);
        /* sshd gives one answer for a unix socket that it may not and one that it cannot connect to
         * (serverloop.c, server_request_direct_streamlocal). Ours accepts connections. */
        return v == ATTEMPT_DOWN && word[0] == '/' ? ATTEMPT_REFUSED : v;
    }
    case HOW_STDIO:
        return try_stdio(&args, target, word, evidence);
    case HOW_DYNAMIC:
        return try_local(&args, target, word, true, evidence);
    case HOW_REVERSE:
        return try_reverse(&args, target, word, evidence);
    case HOW_TUN:
        return try_tun(&args, target, word, evidence);
    }
    return ATTEMPT_UNCLEAR;
}
