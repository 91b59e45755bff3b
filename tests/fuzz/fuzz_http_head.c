/* SPDX-License-Identifier: ISC */
/* Heads of HTTP requests: a second parser, which only splits lines, agrees with each head that is
 * accepted; and a head in pieces gets the same answer as in one. */
#include "leased/http/http_head.h"

#include "tests/fuzz/fuzz.h"

#include <strings.h>

static bool is_within(const struct http_slice *t, const char *text, size_t len)
{
    return t->len == 0 || (t->at >= text && t->at + t->len <= text + len);
}

static bool is_known(int status)
{
    return status == 0 || status == 400 || status == 431 || status == 501 || status == 505;
}

/* How many header lines have that name; *ret_value is the value of the last. */
static size_t count(const char *text, size_t len, const char *name, const char **ret_value)
{
    size_t found = 0;
    for (const char *at = text, *end = text + len;
         (at = memmem(at, (size_t)(end - at), "\r\n", 2)) != NULL;) {
        at += 2;
        if ((size_t)(end - at) > strlen(name) && strncasecmp(at, name, strlen(name)) == 0) {
            *ret_value = at + strlen(name);
            found++;
        }
    }
    return found;
}

static void check_head(const struct http_head *head, const char *text, size_t len)
{
    const char *value = NULL;
    bool is_1_1 = memmem(text, len, " HTTP/1.1\r\n", 11) != NULL;
    MUST(len >= 4 && memcmp(text + len - 4, "\r\n\r\n", 4) == 0, text);
    MUST(memmem(text, len - 1, "\r\n\r\n", 4) == NULL, text);
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)text[i];
        MUST((c >= 0x20 && c != 0x7f) || c == '\t' || c == '\r' || c == '\n', text);
        MUST(c != '\r' || text[i + 1] == '\n', text);
        MUST(c != '\n' || (i > 0 && text[i - 1] == '\r'), text);
        MUST(c != '\n' || i + 1 == len || (text[i + 1] != ' ' && text[i + 1] != '\t'), text);
    }
    MUST(is_within(&head->method, text, len) && head->method.at == text && head->method.len > 0,
         text);
    MUST(is_within(&head->path, text, len) && head->path.len > 0 && head->path.at[0] == '/', text);
    MUST(is_within(&head->content_type, text, len) && is_within(&head->credential, text, len),
         text);
    MUST(is_within(&head->real_ip, text, len) && is_within(&head->forwarded_for, text, len), text);
    MUST(memchr(head->path.at, '?', head->path.len) == NULL, text);
    MUST(memchr(head->path.at, ' ', head->path.len) == NULL, text);
    for (size_t i = 0; i < head->credential.len; i++)
        MUST((unsigned char)head->credential.at[i] > ' ', text);
    size_t hosts = count(text, len, "host:", &value);
    MUST(hosts == 1 || (hosts == 0 && !is_1_1), text);
    MUST(count(text, len, "transfer-encoding:", &value) == 0, text);
    MUST(count(text, len, "authorization:", &value) + count(text, len, "x-api-key:", &value) < 3,
         text);
    MUST(count(text, len, "content-length:", &value) == (head->has_length ? 1 : 0), text);
    if (head->has_length) {
        count(text, len, "content-length:", &value);
        MUST(strtoull(value, NULL, 10) == head->content_length, text);
    }
    MUST(head->has_length || head->content_length == 0, text);
    MUST(is_1_1 || (!head->keep_alive && !head->expects_continue), text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = fuzz_exact(data, size), *named = fuzz_text(data, size);
    struct http_head head = {.keep_alive = false}, again;
    int status = -1;
    size_t len = http_head_parse(text, size, &head, &status);
    MUST(is_known(status) && len <= size && len <= HTTP_HEAD_BYTES, named);
    MUST(len > 0 || status != 0 || size < HTTP_HEAD_BYTES, named);
    if (len > 0 && status == 0)
        check_head(&head, text, len);
    /* In pieces. A head that is refused early stays refused; one that is accepted was never
     * refused. */
    size_t step = size / 64 + 1, end = len > 0 ? len : size;
    for (size_t part = 0, refused = 0; part < end; part += step) {
        int so_far;
        MUST(http_head_parse(text, part, &again, &so_far) == 0, named);
        MUST(so_far == 0 || status != 0, named);
        MUST(so_far != 0 || refused == 0, named);
        refused += so_far != 0;
    }
    /* Bytes after the head make no difference. */
    if (len > 0) {
        int alone;
        MUST(http_head_parse(text, len, &again, &alone) == len && alone == status, named);
        MUST(status != 0 || (again.content_length == head.content_length &&
                             again.keep_alive == head.keep_alive && again.path.at == head.path.at),
             named);
    }
    free(named);
    free(text);
    return 0;
}
