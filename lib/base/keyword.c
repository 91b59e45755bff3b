/* SPDX-License-Identifier: ISC */
#include "lib/base/keyword.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

/* The next word at *cursor, unquoted in place. NULL at the end of the line, or where the word is
 * malformed; *malformed is then the reason. */
static char *next_word(char **cursor, const char **malformed)
{
    char *p = *cursor;
    while (is_blank(*p))
        p++;
    if (*p == '\0' || *p == '#')
        return NULL;
    char *word = p;
    if (*p == '"') {
        word = ++p;
        while (*p != '\0' && *p != '"')
            p++;
        if (*p == '\0') {
            *malformed = "a quote is not closed";
            return NULL;
        }
    } else {
        while (*p != '\0' && !is_blank(*p))
            p++;
    }
    if (*p != '\0')
        *p++ = '\0';
    *cursor = p;
    return word;
}

static int parse_line(char *text, unsigned line_no, keyword_fn fn, void *ctx)
{
    struct keyword_line line = {.line_no = line_no};
    char *cursor = text;

    while (is_blank(*cursor))
        cursor++;
    if (*cursor == '\0' || *cursor == '#')
        return 0;
    line.keyword = next_word(&cursor, &line.malformed);
    if (line.keyword == NULL)
        line.keyword = text;
    for (char *word; line.malformed == NULL && (word = next_word(&cursor, &line.malformed));) {
        if (line.value_count == KEYWORD_VALUES_MAX) {
            line.malformed = "too many values";
            break;
        }
        line.values[line.value_count++] = word;
    }
    return fn(ctx, &line);
}

static int read_all(int fd, char *text, size_t size, size_t *ret_len)
{
    size_t len = 0;
    while (len < size) {
        ssize_t got = read(fd, text + len, size - len);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return KEYWORD_UNREADABLE;
        if (got == 0) {
            *ret_len = len;
            return KEYWORD_OK;
        }
        len += (size_t)got;
    }
    return KEYWORD_TOO_LARGE;
}

static int parse_lines(char *text, size_t len, keyword_fn fn, void *ctx)
{
    unsigned line_no = 1;
    int rc = 0;
    for (size_t at = 0; rc == 0 && at < len; line_no++) {
        char *line = text + at;
        char *end = memchr(line, '\n', len - at);
        size_t line_bytes = end != NULL ? (size_t)(end - line) : len - at;
        line[line_bytes] = '\0'; /* text has room for one byte more */
        at += line_bytes + 1;
        rc = parse_line(line, line_no, fn, ctx);
    }
    return rc;
}

int keyword_read(const char *path, keyword_fn fn, void *ctx)
{
    char text[KEYWORD_FILE_BYTES + 1];
    size_t len = 0;
    struct stat st;
    int rc = KEYWORD_UNREADABLE;
    /* O_NONBLOCK: opening a FIFO must not wait for a writer. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0)
        return errno == ENOENT ? KEYWORD_NO_FILE : KEYWORD_UNREADABLE;
    if (fstat(fd, &st) != 0)
        goto out;
    if (!S_ISREG(st.st_mode) || (st.st_uid != 0 && st.st_uid != geteuid()) ||
        (st.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
        rc = KEYWORD_UNSAFE;
        goto out;
    }
    rc = read_all(fd, text, sizeof(text), &len); /* full: more than KEYWORD_FILE_BYTES */
    if (rc == KEYWORD_OK && memchr(text, '\0', len) != NULL)
        rc = KEYWORD_BINARY;
    if (rc == KEYWORD_OK)
        rc = parse_lines(text, len, fn, ctx);
out:
    (void)close(fd);
    return rc;
}

const char *keyword_strerror(int rc)
{
    switch (rc) {
    case KEYWORD_OK:
        return "no error";
    case KEYWORD_NO_FILE:
        return "no such file";
    case KEYWORD_UNREADABLE:
        return "cannot be read";
    case KEYWORD_UNSAFE:
        return "must be a regular file, owned by root or you, that only its owner may write";
    case KEYWORD_TOO_LARGE:
        return "is larger than 64 KiB";
    case KEYWORD_BINARY:
        return "holds a NUL byte";
    default:
        return "has an error";
    }
}
