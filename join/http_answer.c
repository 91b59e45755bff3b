/* SPDX-License-Identifier: ISC */
#include "join/http_answer.h"

#include "lib/base/number.h"

#include <stdint.h>
#include <string.h>
#include <strings.h>

enum { STATUS_END = 12 }; /* of "HTTP/1.1 200" */

/* The value of Content-Length among the lines from..end, or -1. leased writes it once. */
static int64_t content_length(const char *from, const char *end)
{
    static const char field[] = "Content-Length: ";
    int64_t value = -1;
    while (from < end) {
        const char *eol = memmem(from, (size_t)(end - from), "\r\n", 2);
        if (eol == NULL)
            eol = end;
        size_t len = (size_t)(eol - from), skip = sizeof(field) - 1;
        if (len > skip && strncasecmp(from, field, skip) == 0)
            return number_parse(from + skip, len - skip, 0, INT32_MAX, &value) ? value : -1;
        from = eol + (eol < end ? 2 : 0);
    }
    return -1;
}

unsigned http_answer_parse(const char *text, size_t len, const char **ret_body, size_t *ret_len)
{
    int64_t status = 0;
    const char *end = memmem(text, len, "\r\n\r\n", 4);
    if (end == NULL || end - text < STATUS_END || memcmp(text, "HTTP/1.1 ", 9) != 0 ||
        !number_parse(text + 9, 3, 100, 599, &status))
        return 0;
    const char *body = end + 4;
    size_t body_len = len - (size_t)(body - text);
    if (content_length(text, end) != (int64_t)body_len)
        return 0;
    *ret_body = body;
    *ret_len = body_len;
    return (unsigned)status;
}
