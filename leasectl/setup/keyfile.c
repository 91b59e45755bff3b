/* SPDX-License-Identifier: ISC */
#include "leasectl/setup/keyfile.h"

#include "leasectl/ctl_store.h"
#include "leasectl/host/account.h"
#include "leasectl/host/sshd.h"
#include "leasectl/host/sshd_settings.h"
#include "lib/base/text.h"
#include "lib/lease/authorized/allows.h"
#include "lib/lease/authorized/line.h"
#include "lib/lease/authorized/seen.h"
#include "lib/store/taken.h"

#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The path that word of AuthorizedKeysFile means for the login, as sshd_config(5) has it. */
static void expand(const char *word, const struct passwd *pw, struct buf *out)
{
    for (const char *p = word; *p != '\0'; p++) {
        if (*p != '%')
            buf_add_mem(out, p, 1);
        else if (*++p == 'h')
            buf_add(out, pw->pw_dir);
        else if (*p == 'u')
            buf_add(out, pw->pw_name);
        else if (*p == 'U')
            buf_addf(out, "%u", pw->pw_uid);
        else if (*p == '%')
            buf_add(out, "%");
        else
            break;
    }
}

static bool has_keys(const char *word, const struct passwd *pw, char *path, size_t path_bytes)
{
    struct buf expanded = {0};
    expand(word, pw, &expanded);
    const char *text = buf_text(&expanded);
    if (text != NULL && text[0] == '/')
        (void)snprintf(path, path_bytes, "%s", text);
    else if (text != NULL)
        (void)snprintf(path, path_bytes, "%s/%s", pw->pw_dir, text);
    /* A file that cannot be read counts as one: keyfile_ask then says why, and setup stops. */
    const bool found =
        text != NULL && text[0] != '\0' && account_file_has_keys(path) != SIGHT_IS_NOT;
    buf_release(&expanded);
    return found;
}

/* The files that sshd asks for login: those of its defaults, and those that it is told of now. */
static void add_files(struct ctl *ctl, const char *login, struct buf *out)
{
    char files[2048] = "";
    struct sshd sshd;
    struct buf effective = {0}, why = {0};
    buf_add(out, ".ssh/authorized_keys .ssh/authorized_keys2");
    if (geteuid() == 0 && sshd_find(&ctl->conf, &sshd, &why) == 0 &&
        sshd_effective(&sshd, login, &effective) == 0) {
        sshd_setting(&effective, "authorizedkeysfile", files, sizeof(files));
        buf_addf(out, " %s", files);
    }
    buf_release(&effective);
    buf_release(&why);
}

bool keyfile_find(struct ctl *ctl, const char *login, size_t nth, char *path, size_t path_bytes)
{
    struct buf files = {0};
    bool found = false;
    if (getpwnam(login) == NULL)
        return false;
    add_files(ctl, login, &files);
    const struct passwd *pw = getpwnam(login); /* again: sshd_find may have looked up another one */
    char *rest = buf_text(&files) != NULL ? files.data : NULL, *word;
    while (pw != NULL && !found && (word = strsep(&rest, " ")) != NULL)
        found = *word != '\0' && strcmp(word, "none") != 0 &&
                has_keys(word, pw, path, path_bytes) && nth-- == 0;
    buf_release(&files);
    return found;
}

struct asking {
    struct ctl *ctl;
    const char *login;
    struct authorized_seen seen;
    struct keyfile_answer answer;
};

/* A certificate authority lets in keys that nobody knows: it counts as one without a lease. */
static int ask_line(struct asking *a, const struct authorized_line *l, unsigned long line_no)
{
    struct authorized_earlier earlier;
    struct store_conflict holder;
    enum store_rc rc = STORE_NONE;
    if ((l->kind != AUTHORIZED_KEY && l->kind != AUTHORIZED_AUTHORITY) ||
        authorized_line_is_over(l, a->ctl->now_s))
        return EXIT_DONE;
    if (!authorized_seen_add(&a->seen, l, line_no, a->ctl->now_s, &earlier))
        return ctl_error(a->ctl, EXIT_FAILED, "out of memory");
    if (earlier.line_no != 0)
        return EXIT_DONE; /* its key is judged by that line */
    if (a->ctl->store != NULL && l->kind == AUTHORIZED_KEY)
        rc = store_key_holder(a->ctl->store, a->login, l->key.fingerprint, a->ctl->now_s, &holder);
    if (rc != STORE_OK && rc != STORE_NONE)
        return ctl_store_error(a->ctl, rc);
    a->answer.admitted++;
    if (rc == STORE_OK && !holder.expired)
        return EXIT_DONE;
    if (a->answer.without_lease++ == 0)
        a->answer.example = line_no;
    return EXIT_DONE;
}

static int ask_lines(struct asking *a, FILE *f, const char *path)
{
    char *text = NULL;
    size_t room = 0;
    ssize_t len;
    int code = EXIT_DONE;
    for (unsigned long number = 1; code == EXIT_DONE && (len = getline(&text, &room, f)) >= 0;
         number++) {
        struct authorized_line line;
        if (authorized_line_read(text, (size_t)len, &line) != 0) {
            code = ctl_error(a->ctl, EXIT_FAILED, "out of memory");
            break;
        }
        code = ask_line(a, &line, number);
        authorized_line_release(&line);
    }
    if (code == EXIT_DONE && ferror(f))
        code = ctl_error(a->ctl, EXIT_FAILED, "cannot read '%s': %s", text_clip(path).s,
                         strerror(errno));
    free(text);
    return code;
}

static int open_store(struct ctl *ctl)
{
    struct stat st;
    if (stat(ctl->conf.paths.database, &st) != 0 && errno == ENOENT)
        return EXIT_DONE;
    return ctl_open_read(ctl);
}

int keyfile_ask(struct ctl *ctl, const char *login, const char *path, struct keyfile_answer *ret)
{
    struct asking a = {.ctl = ctl, .login = login};
    FILE *f;
    /* Before the store is open: then we are not root. */
    const enum sight sight = account_open_keys(path, &f);
    if (sight != SIGHT_IS)
        return ctl_error(ctl, EXIT_FAILED, "cannot read '%s': %s", text_clip(path).s,
                         sight == SIGHT_CANNOT_TELL ? strerror(errno) : "it is gone meanwhile");
    int code = open_store(ctl);
    if (code == EXIT_DONE)
        code = ask_lines(&a, f, path);
    ctl_close(ctl);
    (void)fclose(f);
    authorized_seen_release(&a.seen);
    if (code == EXIT_DONE)
        *ret = a.answer;
    return code;
}
