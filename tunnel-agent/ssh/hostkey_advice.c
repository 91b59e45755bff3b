/* SPDX-License-Identifier: ISC */
#include "tunnel-agent/ssh/hostkey_advice.h"

#include "lib/base/buf.h"
#include "lib/lease/pubkey.h"
#include "tunnel-agent/config/leg.h"
#include "tunnel-agent/host/textfile.h"
#include "tunnel-agent/ssh/advice.h"
#include "tunnel-agent/ssh/resolve.h"
#include "tunnel-agent/ssh/run.h"

#include <bsd/string.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* [@MARKER] HOSTS TYPE BASE64 [COMMENT] */
static const char *parse_line(char *line, struct pubkey *ret)
{
    char *cursor = line, *fields[3] = {NULL, NULL, NULL};
    for (size_t i = 0; i < 3 && cursor != NULL;) {
        char *word = strsep(&cursor, " \t\r");
        if (*word != '\0' && (i > 0 || *word != '@'))
            fields[i++] = word;
    }
    return fields[2] != NULL ? pubkey_parse(fields[1], fields[2], ret) : "is no line of a host key";
}

/* The fingerprint of the key at FILE:LINE, and FILE alone. False: it cannot be read. */
static bool read_known(const char *place, char file[static SSHRUN_TEXT_BYTES],
                       char fingerprint[static FINGERPRINT_BYTES])
{
    struct buf text = {0};
    struct pubkey key;
    struct stat st;
    const char *colon = strrchr(place, ':');
    bool found = false;
    (void)snprintf(file, SSHRUN_TEXT_BYTES, "%.*s", colon != NULL ? (int)(colon - place) : 0,
                   place);
    /* Nobody may make us wait for a pipe. */
    if (colon == NULL || stat(file, &st) != 0 || !S_ISREG(st.st_mode))
        return false;
    textfile_read(file, &text);
    char *cursor = text.data, *line = NULL;
    long left = strtol(colon + 1, NULL, 10);
    for (; left > 0 && cursor != NULL; left--)
        line = strsep(&cursor, "\n");
    if (left == 0 && line != NULL && parse_line(line, &key) == NULL) {
        (void)strlcpy(fingerprint, key.fingerprint, FINGERPRINT_BYTES);
        found = true;
    }
    buf_release(&text);
    return found;
}

/* How known_hosts names the host, of "Host key for NAME has changed ...". */
static void name_of(const char *words, char name[static SSHRUN_TEXT_BYTES])
{
    static const char start[] = "Host key for ";
    const char *end = strstr(words, " has changed");
    name[0] = '\0';
    if (end != NULL && strncmp(words, start, sizeof(start) - 1) == 0)
        (void)snprintf(name, SSHRUN_TEXT_BYTES, "%.*s",
                       (int)(end - words - (long)(sizeof(start) - 1)), words + sizeof(start) - 1);
}

/* True if text can stand between double quotes in a command of the advice. The words are those of
 * ssh's standard error, where the far side's banner stands, too. */
static bool is_quotable(const char *text)
{
    return text[0] != '\0' && text[0] != '-' && strpbrk(text, "\"$`\\!'") == NULL;
}

static bool is_fingerprint(const char *text)
{
    static const char base64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    static const char start[] = "SHA256:";
    const size_t start_len = sizeof(start) - 1;
    return strncmp(text, start, start_len) == 0 && text[start_len] != '\0' &&
           text[start_len + strspn(text + start_len, base64)] == '\0';
}

/* True if the host of that name is the leg's own, and not a jump host. */
static bool is_host_of(const struct leg *leg, const struct settings *s, const char *name)
{
    struct buf resolved = {0};
    char own[SSHRUN_TEXT_BYTES] = "";
    if (sshresolve(leg, s, &resolved) == 0)
        sshresolve_known_name(resolved.data, own, sizeof(own));
    buf_release(&resolved);
    return own[0] != '\0' && strcmp(own, name) == 0;
}

void sshhostkey_add_changed(struct buf *out, const struct ssh_run *run, const struct leg *leg,
                            const struct settings *s)
{
    char file[SSHRUN_TEXT_BYTES] = "", name[SSHRUN_TEXT_BYTES], known[FINGERPRINT_BYTES] = "";
    buf_add(out, "wrong host key: ");
    sshadvice_add_words(out, run->cause_text);
    name_of(run->cause_text, name);
    if (!read_known(run->offending_key, file, known) || !is_quotable(file) ||
        !is_fingerprint(run->shown_key) || !is_quotable(name)) {
        buf_add(out,
                " Ask the host's admin for the fingerprint of its key, and run with --host-key");
        return;
    }
    buf_addf(out, " Expected %s (%s), the host shows %s. If its admin confirms the new one, ",
             known, run->offending_key, run->shown_key);
    bool is_own_host = is_host_of(leg, s, name);
    /* For its own host ssh reads a file of ours if there is one, and --host-key replaces that. */
    if (!is_own_host || (leg->known_hosts == NULL && leg->host_key[0] == '\0'))
        buf_addf(out, "run 'ssh-keygen -f \"%s\" -R \"%s\"' and ", file, name);
    if (is_own_host)
        buf_addf(out, "start with --host-key %s", run->shown_key);
    else
        buf_add(out, "log in to it once with ssh"); /* --host-key is not for a jump host */
    buf_add(out, "; if not, somebody is in between");
}
