/* SPDX-License-Identifier: ISC */
#include "leasectl/probe/verdict.h"

#include "lib/base/text.h"

#include <bsd/string.h>
#include <stdio.h>
#include <string.h>

const char *attempt_verdict_name(enum attempt_verdict v)
{
    switch (v) {
    case ATTEMPT_ALLOWED:
        return "allowed";
    case ATTEMPT_REFUSED:
        return "refused";
    case ATTEMPT_DOWN:
        return "down";
    case ATTEMPT_NO_LOGIN:
        return "no-login";
    case ATTEMPT_UNREACHABLE:
        return "unreachable";
    case ATTEMPT_UNCLEAR:
        break;
    }
    return "unclear";
}

bool ssh_says(const struct child *c, const char *words)
{
    return strstr(child_text(&c->err_text), words) != NULL;
}

void quote_ssh_line(const char *line, char evidence[static ATTEMPT_EVIDENCE_BYTES])
{
    char raw[ATTEMPT_EVIDENCE_BYTES];
    (void)strlcpy(raw, line, sizeof(raw));
    raw[strcspn(raw, "\r\n")] = '\0';
    (void)text_escape(evidence, ATTEMPT_EVIDENCE_BYTES, raw);
}

void quote_last_words(const struct child *c, char evidence[static ATTEMPT_EVIDENCE_BYTES])
{
    const char *last = "";
    for (const char *line = child_text(&c->err_text); *line != '\0';) {
        if (strncmp(line, "debug", 5) != 0 && strncmp(line, "OpenSSH_", 8) != 0 && *line != '\r' &&
            *line != '\n' && strncmp(line, "Authenticated to", 16) != 0 &&
            strncmp(line, "Transferred:", 12) != 0 && strncmp(line, "Bytes per second", 16) != 0)
            last = line;
        line += strcspn(line, "\n");
        line += *line == '\n' ? 1 : 0;
    }
    if (*last == '\0')
        (void)snprintf(evidence, ATTEMPT_EVIDENCE_BYTES, "ssh ended with status %d",
                       child_exit_status(c));
    else
        quote_ssh_line(last, evidence);
}

enum attempt_verdict connection_verdict(const struct child *c)
{
    if (ssh_says(c, "Permission denied (") || ssh_says(c, "Too many authentication failures"))
        return ATTEMPT_NO_LOGIN;
    if (ssh_says(c, "ssh: connect to host") || ssh_says(c, "ssh: Could not resolve") ||
        ssh_says(c, "kex_exchange_identification") || ssh_says(c, "Connection timed out"))
        return ATTEMPT_UNREACHABLE;
    if (ssh_says(c, "Host key verification failed") ||
        ssh_says(c, "No such file or directory\r\nConnection"))
        return ATTEMPT_UNCLEAR;
    return ATTEMPT_ALLOWED;
}

enum attempt_verdict channel_verdict(const struct child *c)
{
    if (ssh_says(c, "administratively prohibited"))
        return ATTEMPT_REFUSED;
    if (ssh_says(c, "open failed: connect failed"))
        return ATTEMPT_DOWN;
    return ATTEMPT_UNCLEAR;
}

void quote_reason(const struct child *c, const char *words,
                  char evidence[static ATTEMPT_EVIDENCE_BYTES])
{
    const char *all = child_text(&c->err_text);
    const char *hit = strstr(all, words);
    if (hit == NULL) {
        quote_last_words(c, evidence);
        return;
    }
    while (hit > all && hit[-1] != '\n')
        hit--;
    quote_ssh_line(hit + (strncmp(hit, "debug1: ", 8) == 0 ? 8 : 0), evidence);
}

/* ---- the ways ---- */

enum attempt_verdict conclude_channel(const struct child *c,
                                      char evidence[static ATTEMPT_EVIDENCE_BYTES])
{
    enum attempt_verdict v = connection_verdict(c);
    if (v == ATTEMPT_ALLOWED)
        v = channel_verdict(c);
    quote_reason(c, v == ATTEMPT_REFUSED || v == ATTEMPT_DOWN ? "open failed" : "\n\n", evidence);
    return v;
}
