/* SPDX-License-Identifier: ISC */
#include "leasectl/lease/key.h"

#include "leasectl/child.h"
#include "leasectl/host/sshd.h"
#include "leasectl/host/sshd_settings.h"
#include "lib/base/text.h"
#include "lib/lease/pubkey_form.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { KEY_FILE_BYTES = 65536, KEYGEN_MS = 10000 };

int key_parse(struct ctl *ctl, const char *from, const char *text, size_t len,
              struct lease_key *ret)
{
    struct lease_key key = {.added_s = ctl->now_s};
    const char *problem = pubkey_parse_file(text, len, &key.pub);
    if (problem != NULL)
        return ctl_error(ctl, EXIT_USAGE, "%s: %s", text_clip(from).s, problem);
    *ret = key;
    return EXIT_DONE;
}

/* A part of a private key, without the lines around it, is a long run of such characters. */
static bool may_be_part_of_key(const char *text)
{
    static const char base64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    enum { RUN_MAX = 48 };
    for (; *text != '\0'; text++) {
        size_t run = strspn(text, base64);
        if (run > RUN_MAX)
            return true;
        text += run;
        if (*text == '\0')
            break;
    }
    return false;
}

/* People also give the key itself, which may be a private one: then it is not shown. */
static int refuse_file(struct ctl *ctl, const char *file, const char *why)
{
    struct pubkey key;
    const char *private = pubkey_form_private(file, strlen(file));
    if (private != NULL)
        return ctl_error(ctl, EXIT_USAGE, "--key takes the name of a file, and %s", private);
    if (pubkey_parse_file(file, strlen(file), &key) == NULL)
        return ctl_error(ctl, EXIT_USAGE,
                         "--key takes the name of a file, and this is the key itself: write '--key "
                         "-', and give the key on standard input");
    if (file[0] != '/' && may_be_part_of_key(file))
        return ctl_error(ctl, EXIT_USAGE, "--key takes the name of a file: %s", why);
    return ctl_error(ctl, EXIT_USAGE, "cannot read the key '%s': %s", text_clip(file).s, why);
}

int key_read_file(struct ctl *ctl, const char *file, struct lease_key *ret)
{
    static char text[KEY_FILE_BYTES + 1];
    bool stdin_key = strcmp(file, "-") == 0;
    const char *from = stdin_key ? "standard input" : file;
    size_t len = 0;
    ssize_t n;
    struct stat st;
    int code;

    /* O_NONBLOCK: to open a FIFO that nobody writes to must not make us wait. */
    int fd = stdin_key ? STDIN_FILENO : open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0)
        return refuse_file(ctl, file, strerror(errno));
    if (!stdin_key && (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))) {
        code = ctl_error(ctl, EXIT_USAGE, "the key '%s' is not a file", text_clip(from).s);
        goto out;
    }
    while ((n = read(fd, text + len, sizeof(text) - len)) > 0)
        len += (size_t)n;
    if (n < 0)
        code = ctl_error(ctl, EXIT_USAGE, "cannot read the key '%s': %s", text_clip(from).s,
                         strerror(errno));
    else if (len > KEY_FILE_BYTES)
        code =
            ctl_error(ctl, EXIT_USAGE, "%s: it is larger than any public key", text_clip(from).s);
    else
        code = key_parse(ctl, from, text, len, ret);
out:
    explicit_bzero(text, len); /* it may be a private key, which is not kept anywhere */
    if (!stdin_key)
        (void)close(fd);
    return code;
}

/* The first line of a program's output. */
static struct text_clip first_line(const struct buf *said)
{
    struct text_clip line = text_clip(buf_text_or(said, ""));
    line.s[strcspn(line.s, "\r\n")] = '\0';
    return line;
}

static bool has_word(const char *text, const char *word, const char *between)
{
    size_t len = strlen(word);
    for (const char *at = text; *at != '\0'; at += strspn(at, between)) {
        size_t n = strcspn(at, between);
        if (n == len && memcmp(at, word, len) == 0)
            return true;
        at += n;
    }
    return false;
}

/* sshd may know a type that its configuration does not accept. Only root can ask it. */
static void warn_if_not_accepted(struct ctl *ctl, const struct sshd *sshd, const char *type)
{
    char accepted[4096];
    struct buf effective = {0};
    if (geteuid() == 0 && sshd_effective(sshd, NULL, &effective) == 0) {
        sshd_setting(&effective, "pubkeyacceptedalgorithms", accepted, sizeof(accepted));
        if (accepted[0] != '\0' && !has_word(accepted, type, ","))
            ctl_warn(ctl, "sshd will refuse the key: its PubkeyAcceptedAlgorithms have no %s",
                     type);
    }
    buf_release(&effective);
}

/* OpenSSH's own key types are missing in older versions and in some builds. */
static int check_type(struct ctl *ctl, const struct sshd *sshd, const char *type)
{
    char ssh[SSHD_PATH_BYTES];
    struct child c;
    sshd_tool(sshd, "ssh", ssh);
    const char *const argv[] = {ssh, "-Q", "key", NULL};
    int code = EXIT_DONE, status = child_run(&c, argv, NULL, NULL, KEYGEN_MS);
    const char *known = c.out_text.len > 0 ? buf_text(&c.out_text) : NULL;
    if (status != 0 || known == NULL)
        code =
            ctl_error(ctl, EXIT_FAILED, "cannot check the key: '%s -Q key' exits %d", ssh, status);
    else if (!has_word(known, type, "\r\n"))
        code = ctl_error(ctl, EXIT_USAGE,
                         "OpenSSH %u.%u on this host does not know keys of the type %s ('%s -Q "
                         "key'): ask for one made with 'ssh-keygen -t ed25519'",
                         sshd->program_version.major, sshd->program_version.minor, type, ssh);
    child_release(&c);
    if (code == EXIT_DONE)
        warn_if_not_accepted(ctl, sshd, type);
    return code;
}

int key_check(struct ctl *ctl, const struct pubkey *key)
{
    char keygen[SSHD_PATH_BYTES] = "ssh-keygen";
    const char *const argv[] = {keygen, "-l", "-f", "-", NULL};
    struct sshd sshd;
    struct child c = CHILD_NONE;
    struct buf line = {0};
    int code = EXIT_DONE;

    if (strchr(key->type, '@') != NULL) {
        code = sshd_find(&ctl->conf, &sshd, &line) == 0
                   ? check_type(ctl, &sshd, key->type)
                   : ctl_error(ctl, EXIT_FAILED, "cannot check the key: %s",
                               buf_text_or(&line, "out of memory"));
        if (code != EXIT_DONE)
            goto out;
        sshd_tool(&sshd, "ssh-keygen", keygen);
    }
    buf_addf(&line, "%s %s\n", key->type, key->base64);
    if (buf_text(&line) == NULL) {
        code = ctl_error(ctl, EXIT_FAILED, "out of memory");
        goto out;
    }
    int status = child_run(&c, argv, NULL, buf_text(&line), KEYGEN_MS);
    if (status == CHILD_NOT_STARTED || status == CHILD_OUT_OF_TIME)
        code = ctl_error(ctl, EXIT_FAILED, "cannot check the key: ssh-keygen %s",
                         status == CHILD_OUT_OF_TIME ? "did not end within 10 s"
                                                     : "cannot be started: install openssh-client");
    else if (status != 0 &&
             c.err_text.len + c.out_text.len == 0) /* when it refuses a key, it says why */
        code = ctl_error(ctl, EXIT_FAILED,
                         "cannot check the key: ssh-keygen failed without a message");
    else if (status != 0)
        code = ctl_error(ctl, EXIT_USAGE,
                         "the key %s is damaged, no ssh can use it: 'ssh-keygen -l' says '%s'; ask "
                         "for one made with 'ssh-keygen -t ed25519'",
                         key->fingerprint,
                         first_line(c.err_text.len > 0 ? &c.err_text : &c.out_text).s);
out:
    child_release(&c);
    buf_release(&line);
    return code;
}
