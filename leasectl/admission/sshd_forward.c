/* SPDX-License-Identifier: ISC */
/* May a key forward this on the login, by sshd's settings? The key line must permit it, too. */
#include "leasectl/admission/inquiry.h"
#include "leasectl/admission/pattern.h"
#include "leasectl/host/sshd_settings.h"
#include "lib/base/buf.h"
#include "lib/base/number.h"
#include "lib/base/text.h"

#include <stdio.h>
#include <string.h>

enum { HOST_BYTES = 256, PORT_UNPRIVILEGED = 1024 };

static const char mend_ceiling[] =
    "widen the ceiling in tunlease.conf (AllowOpen, AllowListen), then: " MEND_BLOCKS;

/* Splits `HOST:PORT`; a host in brackets may have colons. The port is text: it may be `*`. */
static bool split(const char *text, size_t len, char *host, size_t host_bytes, char port[static 8])
{
    const char *end = text + len, *colon = end;
    while (colon > text && *colon != ':')
        colon--;
    if (colon == text)
        return false;
    size_t host_len = (size_t)(colon - text);
    bool brackets = host_len >= 2 && text[0] == '[' && colon[-1] == ']';
    if (brackets) {
        text++;
        host_len -= 2;
    }
    if (host_len >= host_bytes || end - colon - 1 > 7)
        return false;
    (void)snprintf(host, host_bytes, "%.*s", (int)host_len, text);
    (void)snprintf(port, 8, "%.*s", (int)(end - colon - 1), colon + 1);
    return true;
}

bool inquiry_forward(const struct inquiry *i, char *host, size_t host_bytes, unsigned *ret_port)
{
    char port[8];
    int64_t number;
    const char *typed = i->q->typed;
    if (strchr(typed, ':') == NULL) { /* ssh adds the host */
        (void)snprintf(host, host_bytes, "localhost");
        (void)snprintf(port, sizeof(port), "%.7s", typed);
    } else if (!split(typed, strlen(typed), host, host_bytes, port)) {
        return false;
    }
    if (!number_parse(port, strlen(port), 1, UINT16_MAX, &number))
        return false;
    *ret_port = (unsigned)number;
    return true;
}

/* For -L, sshd compares whole texts; for -R, the host in lower case with a pattern
 * (docs/sshd-facts.md 7). */
static bool word_permits(bool listens, const char *word, size_t len, const char *host,
                         unsigned port)
{
    char word_host[HOST_BYTES], word_port[8], wanted[8];
    if (!split(word, len, word_host, sizeof(word_host), word_port)) {
        if (!listens || len >= 8) /* PermitListen may be a port alone */
            return false;
        (void)snprintf(word_host, sizeof(word_host), "*");
        (void)snprintf(word_port, sizeof(word_port), "%.*s", (int)len, word);
    }
    (void)snprintf(wanted, sizeof(wanted), "%u", port);
    if (strcmp(word_port, "*") != 0 && strcmp(word_port, wanted) != 0)
        return false;
    if (listens)
        return pattern_matches(host, word_host);
    return strcmp(word_host, "*") == 0 || strcmp(word_host, host) == 0;
}

static bool words_permit(bool listens, const char *words, const char *host, unsigned port)
{
    char lower[HOST_BYTES];
    (void)snprintf(lower, sizeof(lower), "%s", host);
    for (char *p = lower; listens && *p != '\0'; p++)
        *p = text_lower(*p);
    for (const char *p = words; *(p += strspn(p, " ")) != '\0'; p += strcspn(p, " "))
        if (word_permits(listens, p, strcspn(p, " "), lower, port))
            return true;
    return false;
}

static void ask_switches(struct inquiry *i, bool listens)
{
    char value[32];
    struct admission_findings *f = &i->answer->findings;
    static const char why[] = "sshd then forwards nothing of this kind, whatever the lease permits";
    sshd_setting(&i->settings, "disableforwarding", value, sizeof(value));
    if (strcmp(value, "yes") == 0) {
        finding_add(f, ADMISSION_SSHD, ADMISSION_REFUSES, "forwarding",
                    "forwarding is off in sshd for '%s': DisableForwarding yes", i->q->login);
        finding_why(f, "%s", why);
        finding_mend(f, "%s", MEND_BLOCKS);
    }
    sshd_setting(&i->settings, "allowtcpforwarding", value, sizeof(value));
    if (strcmp(value, "no") == 0 || strcmp(value, listens ? "local" : "remote") == 0) {
        finding_add(f, ADMISSION_SSHD, ADMISSION_REFUSES, "forwarding",
                    "forwarding with %s is off in sshd for '%s': AllowTcpForwarding %s",
                    listens ? "-R" : "-L", i->q->login, value);
        finding_why(f, "%s", why);
        finding_mend(f, "%s",
                     strcmp(i->q->login, i->ctl->conf.forward_login) == 0 && listens
                         ? "grant it on another login (--login): nothing listens on ForwardLogin"
                         : MEND_BLOCKS);
    }
}

static void ask_permits(struct inquiry *i, bool listens, const char *host, unsigned port)
{
    struct buf values = {0};
    const char *keyword = listens ? "PermitListen" : "PermitOpen";
    struct admission_findings *f = &i->answer->findings;
    sshd_setting_values(&i->settings, listens ? "permitlisten" : "permitopen", &values);
    const char *text = buf_text(&values);
    int len = text != NULL ? (int)strcspn(text, "\n") : 0;
    if (len > 0 && strncmp(text, "any", (size_t)len) != 0) {
        values.data[len] = '\0';
        if (!words_permit(listens, values.data, host, port)) {
            finding_add(f, ADMISSION_SSHD, ADMISSION_REFUSES,
                        listens ? "permit_listen" : "permit_open", "%s for '%s' is '%s', not %s:%u",
                        keyword, i->q->login, text_clip(values.data).s, host, port);
            finding_why(f, "a forward needs both: sshd's %s, and a permit of the lease", keyword);
            finding_mend(f, "%s", mend_ceiling);
        }
    }
    buf_release(&values);
}

void ask_sshd_forward(struct inquiry *i)
{
    char host[HOST_BYTES];
    unsigned port;
    struct admission_findings *f = &i->answer->findings;
    bool listens = i->q->forward == ADMISSION_LISTEN;
    if (i->q->forward == ADMISSION_NO_FORWARD || !inquiry_forward(i, host, sizeof(host), &port))
        return;
    ask_switches(i, listens);
    ask_permits(i, listens, host, port);
    if (listens && port < PORT_UNPRIVILEGED) {
        finding_add(f, ADMISSION_SSHD, ADMISSION_REFUSES, "privileged_port", "port %u is below %u",
                    port, PORT_UNPRIVILEGED);
        finding_why(f, "sshd lets root alone bind such a port with -R");
        finding_mend(f, "give the lease another listen permit: 'leasectl set NAME --listen'");
    }
}
