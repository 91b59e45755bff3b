/* SPDX-License-Identifier: ISC */
/* What setup refuses to take over, and how its owner moves it into leases without locking anybody
 * out. */
#include "leasectl/host/account.h"
#include "leasectl/host/sshd.h"
#include "leasectl/setup/keyfile.h"
#include "leasectl/setup/say.h"
#include "leasectl/setup/steps.h"
#include "lib/base/text.h"

#include <glob.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { PATH_BYTES = 512 };

/* True when line is a Match line that names login. A pattern with wildcards is no block of its own:
 * it is the site's, and stays; doctor says what it changes for our logins. */
static bool match_line_names(const char *line, const char *login)
{
    char text[1024], *rest = text, *word;
    line += strspn(line, " \t");
    if (strncasecmp(line, "match", 5) != 0 || (line[5] != ' ' && line[5] != '\t'))
        return false;
    (void)snprintf(text, sizeof(text), "%s", line + 5);
    bool user = false;
    while ((word = strsep(&rest, " \t\r\n=")) != NULL) {
        if (*word == '\0')
            continue;
        if (!user) {
            user = strcasecmp(word, "user") == 0;
            continue;
        }
        user = false;
        for (char *pattern; (pattern = strsep(&word, ",")) != NULL;)
            if (strcmp(pattern, login) == 0)
                return true;
    }
    return false;
}

/* A Match block for a login that is not ours. */
struct foreign_block {
    char file[PATH_BYTES]; /* "": there is none */
    unsigned first, last;  /* its lines */
    bool whole;            /* the file has nothing else */
};

static bool is_match_line(const char *line)
{
    line += strspn(line, " \t");
    return strncasecmp(line, "match", 5) == 0 && (line[5] == ' ' || line[5] == '\t');
}

static bool is_empty_line(const char *line)
{
    line += strspn(line, " \t\r\n");
    return *line == '\0' || *line == '#';
}

/* "Match all" ends a block, and sets nothing. */
static bool is_match_all(const char *line)
{
    line += strspn(line, " \t");
    line += 5;
    line += strspn(line, " \t");
    return strncasecmp(line, "all", 3) == 0 && is_empty_line(line + 3);
}

/* Finds the first block of the file that names login. */
static bool find_block(const char *path, const char *login, struct foreign_block *ret)
{
    struct foreign_block block = {.whole = true};
    char line[4096];
    bool inside = false;
    FILE *f = fopen(path, "re");
    for (unsigned number = 1; f != NULL && fgets(line, sizeof(line), f) != NULL; number++) {
        if (is_match_line(line)) {
            inside = block.first == 0 && match_line_names(line, login);
            if (inside)
                block.first = number;
            else if (!is_match_all(line))
                block.whole = false;
        } else if (!inside && !is_empty_line(line)) {
            block.whole = false;
        }
        if (inside && !is_empty_line(line))
            block.last = number;
    }
    if (f != NULL)
        (void)fclose(f);
    if (block.first == 0)
        return false;
    (void)snprintf(block.file, sizeof(block.file), "%s", path);
    *ret = block;
    return true;
}

/* Which of two blocks sshd applies would depend on the order of the files. */
static void find_foreign_block(const char *login, struct foreign_block *ret)
{
    glob_t files = {0};
    (void)glob(TUNLEASE_SYSCONFDIR "/ssh/sshd_config", 0, NULL, &files);
    (void)glob(TUNLEASE_SYSCONFDIR "/ssh/sshd_config.d/*.conf", GLOB_APPEND, NULL, &files);
    for (size_t i = 0; i < files.gl_pathc; i++)
        if (strcmp(files.gl_pathv[i], SSHD_DROPIN) != 0 &&
            find_block(files.gl_pathv[i], login, ret))
            break;
    globfree(&files);
}

struct conflict {
    char keys[PATH_BYTES]; /* the authorized_keys file; "": it has none */
    struct keyfile_answer answer;
    struct foreign_block block;
};

static int find_conflict(struct ctl *ctl, const char *login, struct conflict *ret)
{
    struct conflict c = {.keys = ""};
    char path[PATH_BYTES];
    int code = EXIT_DONE;
    find_foreign_block(login, &c.block);
    /* sshd asks one file after the other: the first whose keys would stop working speaks. */
    for (size_t n = 0; code == EXIT_DONE && c.answer.without_lease == 0 &&
                       keyfile_find(ctl, login, n, path, sizeof(path));
         n++) {
        (void)snprintf(c.keys, sizeof(c.keys), "%s", path);
        code = keyfile_ask(ctl, login, c.keys, &c.answer);
    }
    if (code == EXIT_DONE)
        *ret = c;
    return code;
}

static bool is_in_the_way(const struct conflict *c)
{
    return c->answer.without_lease > 0 || c->block.file[0] != '\0';
}

int login_is_free(struct ctl *ctl, const char *login, bool *ret)
{
    struct conflict c;
    int code = find_conflict(ctl, login, &c);
    if (code == EXIT_DONE)
        *ret = !is_in_the_way(&c);
    return code;
}

/* ---- what to do ---- */

static void say_step(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

static void say_step(const char *fmt, ...)
{
    struct buf text = {0};
    va_list ap;
    va_start(ap, fmt);
    buf_vaddf(&text, fmt, ap);
    va_end(ap);
    text_print(stderr, "    %s", buf_text_or(&text, "out of memory"));
    buf_release(&text);
}

/* The program and its configuration, as it was called. */
static void add_program(const struct ctl *ctl, struct buf *out)
{
    buf_add(out, "leasectl");
    if (ctl->conf_file != NULL)
        buf_addf(out, " -c %s", ctl->conf_file);
}

static void say_block_step(const struct foreign_block *b)
{
    if (b->whole)
        say_step("mv %s %s.moved     # and do not reload sshd: it keeps the block until setup "
                 "reloads it",
                 b->file, b->file);
    else
        say_step("# take lines %u to %u out of %s, and do not reload sshd: it keeps the block "
                 "until setup reloads it",
                 b->first, b->last, b->file);
}

static void say_steps(const struct ctl *ctl, const char *login, const struct conflict *c)
{
    struct buf program = {0};
    add_program(ctl, &program);
    const char *run = buf_text_or(&program, "leasectl");
    if (c->answer.without_lease > 0) {
        say_step("%s lint %s", run, c->keys);
        say_step("%s import %s --login %s --dry-run", run, c->keys, login);
        say_step("%s import %s --login %s", run, c->keys, login);
    }
    if (c->block.file[0] != '\0')
        say_block_step(&c->block);
    say_step("%s setup", run);
    if (c->keys[0] != '\0')
        say_step("mv %s %s.moved     # last: until then sshd may still ask it", c->keys, c->keys);
    buf_release(&program);
}

static void add_what(const char *login, const struct conflict *c, struct buf *out)
{
    const bool keys = c->answer.without_lease > 0, block = c->block.file[0] != '\0';
    buf_addf(out, "login '%s' is in use: ", login);
    if (keys)
        buf_addf(
            out,
            "%zu of %zu key%s that '%s' lets in %s no lease (line %lu), and would stop working",
            c->answer.without_lease, c->answer.admitted, c->answer.admitted == 1 ? "" : "s",
            c->keys, c->answer.without_lease == 1 ? "has" : "have", c->answer.example);
    if (block)
        buf_addf(out, "%s'%s' has a Match block for it (line %u)", keys ? "; and " : "",
                 c->block.file, c->block.first);
    buf_add(out, ". Nothing of it was changed; these steps lock nobody out:");
}

int check_login_is_free(struct ctl *ctl, const char *login)
{
    struct conflict c;
    struct buf what = {0};
    int code = find_conflict(ctl, login, &c);
    if (code != EXIT_DONE || !is_in_the_way(&c))
        return code;
    add_what(login, &c, &what);
    code = setup_fail(ctl, EXIT_CONFLICT, &what);
    say_steps(ctl, login, &c);
    return code;
}

void say_keys_are_idle(const struct ctl *ctl, const char *login)
{
    char path[PATH_BYTES];
    if (account_has_authorized_keys(login, path, sizeof(path)) == SIGHT_IS)
        setup_say(ctl, false,
                  "sshd does not ask '%s' any more, its keys have leases: mv %s %s.moved", path,
                  path, path);
}
