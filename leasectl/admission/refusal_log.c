/* SPDX-License-Identifier: ISC */
#include "leasectl/admission/refusal_log.h"

#include "leasectl/child.h"
#include "lib/base/buf.h"
#include "lib/conf/conf.h"
#include "lib/store/probes.h"

#include <bsd/string.h>
#include <errno.h>
#include <glob.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { LOG_LINE_BYTES = 2048, JOURNAL_MS = 10000 };

/* True if the word before end is akc or akc[PID]. */
static bool is_akc(const char *line, const char *end)
{
    const char *word = end;
    while (word > line && word[-1] != ' ')
        word--;
    return strncmp(word, "akc", 3) == 0 && (word + 3 == end || word[3] == '[');
}

/* Copies the fingerprint from a line like
 * `akc[12]: refused login=pfwd key=SHA256:... reason=... lease=...`. */
static bool parse_line(const char *line, const char *login,
                       char fingerprint[static FINGERPRINT_BYTES])
{
    static const char base64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const size_t prefix_len = strlen("SHA256:");
    char wanted[CONF_NAME_BYTES + 32];
    (void)snprintf(wanted, sizeof(wanted), ": refused login=%s key=SHA256:", login);
    const char *at = strstr(line, wanted);
    /* The first ": " must be the one behind the name of the program that logs. sshd logs the names
     * that clients give, and one could be "akc: refused login=...". */
    if (at == NULL || at != strstr(line, ": ") || !is_akc(line, at))
        return false;
    at += strlen(wanted) - strlen("SHA256:");
    size_t len = strcspn(at, " \r\n");
    const char *lease = strstr(at, " lease=");
    if (len != FINGERPRINT_BYTES - 1 || strspn(at + prefix_len, base64) != len - prefix_len ||
        (lease != NULL &&
         probe_name_begins(lease + strlen(" lease="))) /* verify lets them be refused */)
        return false;
    (void)strlcpy(fingerprint, at, FINGERPRINT_BYTES);
    return true;
}

/* What one log says. */
struct search {
    const char *login;
    char *fingerprint;
    struct buf *read_from, *why_not;
};

static void name_in(struct buf *out, const char *separator, const char *text)
{
    buf_addf(out, "%s%s", out->len > 0 ? separator : "", text);
}

/* Is there a journal that we may read? A folder that we may not look into may have one. */
static enum sight journal_sight(void)
{
    char file[LOG_LINE_BYTES];
    glob_t found;
    enum sight sight = SIGHT_IS_NOT;
    if (glob("{/var,/run}/log/journal/*", GLOB_BRACE, NULL, &found) != 0)
        return SIGHT_IS_NOT;
    for (size_t i = 0; sight != SIGHT_IS && i < found.gl_pathc; i++) {
        (void)snprintf(file, sizeof(file), "%s/system.journal", found.gl_pathv[i]);
        if (access(file, R_OK) == 0)
            sight = SIGHT_IS;
        else if (errno != ENOENT)
            sight = SIGHT_CANNOT_TELL;
    }
    globfree(&found);
    return sight;
}

static bool search_journal(struct search *s)
{
    /* Any user can log as akc. journald notes who did, by the credentials of the socket. */
    const struct passwd *akc_user = getpwnam("_tunlease-akc");
    char uid[32] = "";
    if (akc_user != NULL)
        (void)snprintf(uid, sizeof(uid), "_UID=%u", akc_user->pw_uid);
    const char *const argv[] = {"journalctl",
                                "--quiet",
                                "--no-pager",
                                "--lines=2000",
                                "--identifier=akc",
                                akc_user != NULL ? uid : NULL,
                                NULL};
    struct child c;
    bool hit = false;
    const enum sight sight = journal_sight();
    if (sight == SIGHT_CANNOT_TELL)
        name_in(s->why_not, ", and ", "the journal cannot be read by you");
    if (sight != SIGHT_IS)
        return false;
    int status = child_run(&c, argv, NULL, NULL, JOURNAL_MS);
    const bool too_much = c.out_text.failed || c.out_text.len >= CHILD_OUTPUT_MAX;
    char *rest = c.out_text.len > 0 && !c.out_text.failed ? c.out_text.data : NULL;
    for (char *line; (line = strsep(&rest, "\n")) != NULL;)
        hit = parse_line(line, s->login, s->fingerprint) || hit;
    child_release(&c);
    if (status == 0 && !too_much)
        name_in(s->read_from, " and ", "the journal");
    else
        name_in(s->why_not, ", and ",
                status == 0 ? "the journal has more than is read" : "journalctl fails");
    return hit;
}

static bool search_file(struct search *s, const char *path)
{
    char line[LOG_LINE_BYTES];
    bool hit = false, begins = true;
    FILE *f = fopen(path, "re");
    if (f == NULL && errno == ENOENT)
        return false;
    while (f != NULL && fgets(line, sizeof(line), f) != NULL) {
        /* The rest of a long line is none of its own: a stranger may have made it long. */
        if (begins)
            hit = parse_line(line, s->login, s->fingerprint) || hit;
        begins = strchr(line, '\n') != NULL;
    }
    if (f == NULL || ferror(f)) {
        name_in(s->why_not, ", and ", "");
        buf_addf(s->why_not, "'%s' cannot be read: %s", path, strerror(errno));
    } else {
        name_in(s->read_from, " and ", path);
    }
    if (f != NULL)
        (void)fclose(f);
    return hit;
}

enum sight refusal_log_last(const char *login, char fingerprint[static FINGERPRINT_BYTES],
                            struct buf *looked_at)
{
    static const char *const files[] = {"/var/log/auth.log", "/var/log/secure"};
    struct buf read_from = {0}, why_not = {0};
    struct search s = {login, fingerprint, &read_from, &why_not};
    bool hit = search_journal(&s);
    for (size_t i = 0; !hit && i < sizeof(files) / sizeof(files[0]); i++)
        hit = search_file(&s, files[i]);
    enum sight sight = hit ? SIGHT_IS : read_from.len > 0 ? SIGHT_IS_NOT : SIGHT_CANNOT_TELL;
    if (sight == SIGHT_IS_NOT)
        buf_add(looked_at, buf_text_or(&read_from, "the log"));
    else if (sight == SIGHT_CANNOT_TELL && why_not.len == 0)
        buf_add(looked_at, "there is no journal, no '/var/log/auth.log' and no '/var/log/secure'");
    else if (sight == SIGHT_CANNOT_TELL)
        buf_add(looked_at, buf_text_or(&why_not, "out of memory"));
    buf_release(&read_from);
    buf_release(&why_not);
    return sight;
}
