/* SPDX-License-Identifier: ISC */
#include "tunnel-agent/gateway/invite_word.h"

#include <bsd/string.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { TEXT_BYTES = 128 }; /* of a code as a person writes it */

static int read_line(int fd, const char *name, char out[static TEXT_BYTES],
                     char why[static WHY_BYTES])
{
    size_t len = 0;
    ssize_t n = 0;
    char c;
    while (len + 1 < TEXT_BYTES && (n = read(fd, &c, 1)) == 1 && c != '\n')
        out[len++] = c;
    out[len] = '\0';
    if (n > 0 || (n == 0 && len > 0))
        return 0;
    (void)snprintf(why, WHY_BYTES, "no code is in '%.400s'%s%s", name, n < 0 ? ": " : "",
                   n < 0 ? strerror(errno) : "");
    return -1;
}

static int read_file(const char *path, char out[static TEXT_BYTES], char why[static WHY_BYTES])
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        (void)snprintf(why, WHY_BYTES, "cannot read the file of the code '%.200s': %s", path,
                       strerror(errno));
        return -1;
    }
    int rc = read_line(fd, path, out, why);
    (void)close(fd);
    return rc;
}

int invite_word_read(const char *word, char out[static INVITE_CODE_BYTES],
                     char why[static WHY_BYTES])
{
    char text[TEXT_BYTES];
    int rc = 0;
    if (strcmp(word, "-") == 0) {
        if (isatty(STDIN_FILENO) == 1)
            (void)fputs("code of the invite: ", stderr);
        rc = read_line(STDIN_FILENO, "standard input", text, why);
    } else if (word[0] == '@') {
        rc = read_file(word + 1, text, why);
    } else {
        (void)strlcpy(text, word, sizeof(text));
    }
    if (rc != 0)
        return -1;
    text[strcspn(text, "\r\n")] = '\0';
    const char *problem = invite_code_parse(text, out);
    explicit_bzero(text, sizeof(text));
    if (problem == NULL)
        return 0;
    (void)snprintf(
        why, WHY_BYTES,
        "that is no code of an invite: it %s. It is the last word of the line that you were "
        "sent",
        problem);
    return -1;
}
