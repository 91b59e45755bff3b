/* SPDX-License-Identifier: ISC */
#include "lib/lease/authorized/line.h"

#include "lib/lease/authorized/dead.h"
#include "lib/lease/authorized/from.h"
#include "lib/lease/authorized/key.h"
#include "lib/lease/authorized/options.h"
#include "lib/lease/authorized/permits.h"
#include "lib/lease/authorized/split.h"

#include <bsd/string.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char byte_order_mark[] = "\xef\xbb\xbf";

static bool has_mark(const char *s)
{
    return strncmp(s, byte_order_mark, sizeof(byte_order_mark) - 1) == 0;
}

static bool is_blank_line(const char *s)
{
    s += has_mark(s) ? sizeof(byte_order_mark) - 1 : 0;
    s += strspn(s, " \t");
    return *s == '\0' || *s == '#' || strspn(s, " \t\r\n\v\f") == strlen(s);
}

/* The rest of the line, without blanks and ends of lines behind it. */
static void take_comment(struct authorized_line *l, char *rest)
{
    size_t len = strlen(rest);
    while (len > 0 && strchr(" \t\r\n", rest[len - 1]) != NULL)
        len--;
    rest[len] = '\0';
    l->comment = rest;
    if (free_text_problem(rest) == NULL)
        (void)strlcpy(l->key.comment, rest, sizeof(l->key.comment));
}

static void take_key(struct authorized_line *l, const struct authorized_key *key, const char *rest)
{
    l->key = key->key;
    l->key_problem = key->problem;
    l->key_since = key->since;
    take_comment(l, l->text + (rest - l->text));
}

/* What makes a line of which sshd reads options and key admit nobody. */
static void judge_options(struct authorized_line *l)
{
    const char *problem = l->from == NULL ? NULL : authorized_from_problem(l->from);
    l->kind = l->is_authority ? AUTHORIZED_AUTHORITY : AUTHORIZED_KEY;
    if (problem != NULL)
        authorized_dead(l, AUTHORIZED_FROM, "mend the list of from=", "from=\"...\": %s", problem);
    else if (l->principals != NULL && !l->is_authority)
        authorized_dead(l, AUTHORIZED_PRINCIPALS, "take principals= away, or add cert-authority",
                        "principals= stands without cert-authority");
}

/* False: out of memory. */
static bool read_text(struct authorized_line *l)
{
    struct authorized_key key;
    const char *text = l->text + strspn(l->text, " \t"), *at = text;
    authorized_options_none(l);
    if (is_blank_line(text))
        return true;
    if (has_mark(text)) {
        authorized_dead(l, AUTHORIZED_MARK, "save the file as UTF-8 without a byte order mark",
                        "a byte order mark stands before the line");
        return true;
    }
    enum authorized_key_rc rc = authorized_key_read(&at, &key);
    if (rc == AUTHORIZED_KEY_OK) {
        take_key(l, &key, at);
        l->kind = AUTHORIZED_KEY;
        return true;
    }
    const char *end = rc == AUTHORIZED_KEY_MEMORY ? NULL : authorized_options_end(text);
    if (end != NULL) {
        at = end + strspn(end, " \t");
        rc = authorized_key_read(&at, &key);
    }
    if (rc == AUTHORIZED_KEY_MEMORY)
        return false;
    if (rc != AUTHORIZED_KEY_OK) {
        authorized_dead_without_key(l, text);
        return true;
    }
    l->has_options = true;
    if (!authorized_options_read(text, l))
        return false;
    if (l->kind != AUTHORIZED_DEAD)
        judge_options(l);
    take_key(l, &key, at); /* behind the options: it cuts the text */
    return true;
}

int authorized_line_read(const char *line, size_t len, struct authorized_line *ret)
{
    struct authorized_line l = {.kind = AUTHORIZED_BLANK, .comment = ""};
    if (len > 0 && line[len - 1] == '\n')
        len--;
    if (len > AUTHORIZED_LINE_BYTES) {
        l.kind = AUTHORIZED_UNREAD;
        (void)snprintf(l.reason, sizeof(l.reason), "it is longer than %d bytes",
                       AUTHORIZED_LINE_BYTES);
        l.cure = "take it away, or shorten it";
        *ret = l;
        return 0;
    }
    l.has_nul = memchr(line, '\0', len) != NULL;
    l.has_cr = len > 0 && line[len - 1] == '\r';
    l.text = strndup(line, len);
    if (l.text == NULL || !read_text(&l)) {
        authorized_line_release(&l);
        return -1;
    }
    *ret = l;
    return 0;
}

void authorized_line_release(struct authorized_line *l)
{
    authorized_permits_release(&l->open);
    authorized_permits_release(&l->listen);
    for (size_t i = 0; i < l->environment_count; i++)
        free(l->environment[i]);
    free(l->environment);
    free(l->command);
    free(l->from);
    free(l->principals);
    free(l->expires_text);
    free(l->text);
    *l = (struct authorized_line){.kind = AUTHORIZED_BLANK, .comment = ""};
}
