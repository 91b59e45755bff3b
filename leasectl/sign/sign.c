/* SPDX-License-Identifier: ISC */
#include "leasectl/sign/sign.h"

#include "leasectl/child.h"
#include "lib/base/clock.h"
#include "lib/base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    SIGN_MS = 5 * 60 * 1000, /* somebody has to find a passphrase, or a token */
    CHECK_MS = 10000,
    FEED_MS = 5,
    IDLE_MS = 50,
};

static const char begin_signature[] = "-----BEGIN SSH SIGNATURE-----\n";
static const char end_signature[] = "\n-----END SSH SIGNATURE-----\n";

/* ---- running ssh-keygen ---- */

/* Writes what the pipe takes of text, and closes it behind the end. That ssh-keygen reads no more
 * is no failure here: its exit status says why. */
static void feed(struct child *c, const char *text, size_t len, size_t *done)
{
    while (c->in >= 0 && *done < len) {
        ssize_t n = write(c->in, text + *done, len - *done);
        if (n > 0)
            *done += (size_t)n;
        else if (n < 0 && errno == EINTR)
            continue;
        else if (n < 0 && errno == EAGAIN)
            return;
        else
            break;
    }
    child_close_input(c);
}

/* Passes on what a person has to do, such as to touch a token, as soon as ssh-keygen says it. */
static void pass_on(const struct child *c, size_t *shown)
{
    const char *text = child_text(&c->err_text), *end;
    while ((end = strchr(text + *shown, '\n')) != NULL) {
        const char *line = text + *shown;
        if (strncmp(line, "Confirm ", 8) == 0 && isatty(STDERR_FILENO) == 1)
            text_print(stderr, "%.*s", (int)(end - line), line);
        *shown = (size_t)(end - text) + 1;
    }
}

/* Returns its exit status, as child_run does. */
static int run_keygen(struct child *c, const char *const argv[], const char *text, size_t len,
                      int timeout_ms)
{
    char agent[4096];
    const char *env[] = {NULL, NULL}, *socket = getenv("SSH_AUTH_SOCK");
    size_t done = 0, shown = 0;
    int64_t end_ms = clock_monotonic_ms() + timeout_ms;
    if (socket != NULL && strlen(socket) < sizeof(agent) - 32) {
        (void)snprintf(agent, sizeof(agent), "SSH_AUTH_SOCK=%s", socket);
        env[0] = agent;
    }
    if (child_start(c, argv, env) != 0)
        return CHILD_NOT_STARTED;
    (void)fcntl(c->in, F_SETFL, O_NONBLOCK);
    feed(c, text, len, &done);
    while (!child_pump(c, c->in >= 0 ? FEED_MS : IDLE_MS)) {
        feed(c, text, len, &done);
        pass_on(c, &shown);
        if (clock_monotonic_ms() > end_ms) {
            child_stop(c);
            return CHILD_OUT_OF_TIME;
        }
    }
    return child_exit_status(c);
}

/* Why it failed: the line of its errors that says so. */
static void add_reason(const struct child *c, int status, struct buf *out)
{
    static const char prompt[] = "Enter passphrase: ";
    const char *rest = child_text(&c->err_text), *line;
    int len;
    if (status == CHILD_NOT_STARTED || status == CHILD_OUT_OF_TIME) {
        buf_add(out, status == CHILD_NOT_STARTED ? "it is not installed, or did not start"
                                                 : "it did not end in time");
        return;
    }
    if (strstr(rest, "incorrect passphrase") != NULL) {
        buf_add(out, "the key is encrypted, and the passphrase was wrong, or there is no terminal "
                     "to ask for it: an agent can hold the key, then name its .pub file");
        return;
    }
    while ((line = text_next_line(&rest, &len)) != NULL) {
        if (strncmp(line, prompt, sizeof(prompt) - 1) == 0) {
            line += sizeof(prompt) - 1;
            len -= (int)sizeof(prompt) - 1;
        }
        if (len > 0 && line[len - 1] == '\r') /* as OpenSSH ends its errors */
            len--;
        bool says_little = len <= 0 || line[0] == '@' || strncmp(line, "Signing ", 8) == 0 ||
                           strncmp(line, "Confirm ", 8) == 0;
        if (!says_little) {
            buf_add_mem(out, line, (size_t)len);
            return;
        }
    }
    buf_addf(out, "it ended with exit status %d", status);
}

/* ---- sign ---- */

int sign_text(const struct ctl *ctl, const char *key, const char *name_space,
              const struct buf *text, struct buf *out)
{
    const char *const argv[] = {"ssh-keygen", "-Y", "sign", "-n", name_space, "-f", key, NULL};
    struct child c = CHILD_NONE;
    struct buf why = {0};
    int code = EXIT_DONE;
    if (buf_text(text) == NULL)
        return ctl_error(ctl, EXIT_FAILED, "out of memory");
    if (access(key, R_OK) != 0)
        return ctl_error(ctl, EXIT_USAGE, "cannot read the key '%s': %s", text_clip(key).s,
                         strerror(errno));
    int status = run_keygen(&c, argv, buf_text(text), text->len, SIGN_MS);
    const char *armor = child_text(&c.out_text);
    if (status == 0 && strncmp(armor, begin_signature, sizeof(begin_signature) - 1) == 0) {
        buf_add(out, armor);
    } else {
        add_reason(&c, status, &why);
        code = ctl_error(ctl, EXIT_FAILED, "cannot sign with '%s': ssh-keygen: %s",
                         text_clip(key).s, buf_text_or(&why, "out of memory"));
    }
    buf_release(&why);
    child_release(&c);
    return code;
}

/* ---- check ---- */

bool sign_is_signed(const char *document)
{
    return strncmp(document, begin_signature, sizeof(begin_signature) - 1) == 0 &&
           strstr(document, end_signature) != NULL;
}

const char *sign_skip_signature(const char *document)
{
    return sign_is_signed(document) ? strstr(document, end_signature) + sizeof(end_signature) - 1
                                    : document;
}

/* Sets signer to one who could have signed: ssh-keygen -Y verify wants to know whom it looks for.
 */
static int find_signer(const char *path, const char *allowed_signers, struct child *c,
                       struct buf *signer)
{
    const char *const argv[] = {"ssh-keygen", "-Y", "find-principals", "-s",
                                path,         "-f", allowed_signers,   NULL};
    int status = run_keygen(c, argv, "", 0, CHECK_MS);
    if (status == 0)
        child_add_first_line(&c->out_text, signer);
    return status;
}

enum signature sign_check(const char *document_path, const char *text, const char *allowed_signers,
                          const char *name_space, struct buf *signer, struct buf *why)
{
    struct child find = CHILD_NONE, verify = CHILD_NONE;
    enum signature result = SIGNATURE_BAD;
    if (access(allowed_signers, R_OK) != 0) {
        buf_addf(why, "cannot read '%s': %s", text_clip(allowed_signers).s, strerror(errno));
        return SIGNATURE_CANNOT_TELL;
    }
    int status = find_signer(document_path, allowed_signers, &find, signer);
    if (status == 0 && buf_text(signer) != NULL) {
        const char *const argv[] = {"ssh-keygen",    "-Y", "verify",         "-f",
                                    allowed_signers, "-I", buf_text(signer), "-n",
                                    name_space,      "-s", document_path,    NULL};
        status = run_keygen(&verify, argv, text, strlen(text), CHECK_MS);
    }
    if (status == 0 && buf_text(signer) != NULL)
        result = SIGNATURE_GOOD;
    else
        add_reason(verify.err_text.len > 0 ? &verify : &find, status, why);
    if (status == CHILD_NOT_STARTED || status == CHILD_OUT_OF_TIME)
        result = SIGNATURE_CANNOT_TELL;
    child_release(&find);
    child_release(&verify);
    return result;
}
