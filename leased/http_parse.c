/* SPDX-License-Identifier: ISC */
#include "leased/http_parse.h"

#include "lib/base/number.h"

#include <limits.h>
#include <string.h>
#include <strings.h>

enum { BAD = 400, TOO_MANY = 431, NO_CODING = 501, NO_VERSION = 505 };

size_t http_head_end(const char *text, size_t len)
{
    const char *end = memmem(text, len, "\r\n\r\n", 4);
    return end != NULL ? (size_t)(end - text) + 4 : 0;
}

bool http_text_is(const struct http_text *t, const char *word)
{
    return t->len == strlen(word) && memcmp(t->at, word, t->len) == 0;
}

static bool is_word(const struct http_text *t, const char *word)
{
    return t->len == strlen(word) && strncasecmp(t->at, word, t->len) == 0;
}

/* RFC 9110 section 5.6.2 */
static bool is_token_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c != '\0' && strchr("!#$%&'*+-.^_`|~", c) != NULL);
}

static bool is_visible(const struct http_text *t)
{
    for (size_t i = 0; i < t->len; i++)
        if (t->at[i] <= ' ' || t->at[i] == 0x7f)
            return false;
    return t->len > 0;
}

/* Up to the delimiter, which is passed over. */
static bool cut(struct http_text *rest, char delimiter, struct http_text *ret)
{
    const char *end = memchr(rest->at, delimiter, rest->len);
    if (end == NULL)
        return false;
    *ret = (struct http_text){rest->at, (size_t)(end - rest->at)};
    rest->len -= ret->len + 1;
    rest->at = end + 1;
    return true;
}

/* `METHOD SP origin-form SP HTTP/1.x` */
static int parse_request_line(struct http_text line, struct http_head *head)
{
    struct http_text target;
    if (!cut(&line, ' ', &head->method) || !cut(&line, ' ', &target))
        return BAD;
    for (size_t i = 0; i < head->method.len; i++)
        if (!is_token_char(head->method.at[i]))
            return BAD;
    if (head->method.len == 0 || !is_visible(&target) || target.at[0] != '/')
        return BAD;
    if (http_text_is(&line, "HTTP/1.1"))
        head->keep_alive = true;
    else if (!http_text_is(&line, "HTTP/1.0"))
        return line.len >= 5 && memcmp(line.at, "HTTP/", 5) == 0 ? NO_VERSION : BAD;
    head->path = target;
    const char *query = memchr(target.at, '?', target.len);
    if (query != NULL)
        head->path.len = (size_t)(query - target.at);
    return 0;
}

struct seen {
    bool host, length, authorization, api_key;
};

static int take_credential(struct http_head *head, bool *seen, struct http_text value)
{
    if (*seen || head->credential.len != 0)
        return BAD; /* two: which one counts would be a guess */
    *seen = true;
    if (!is_visible(&value))
        return BAD;
    head->credential = value;
    return 0;
}

static int take_header(struct http_head *head, struct seen *seen, struct http_text name,
                       struct http_text value)
{
    int64_t length = 0;
    if (is_word(&name, "host")) {
        if (seen->host || value.len == 0)
            return BAD;
        seen->host = true;
    } else if (is_word(&name, "content-length")) {
        if (seen->length || !number_parse(value.at, value.len, 0, INT_MAX, &length))
            return BAD;
        seen->length = head->has_length = true;
        head->content_length = (size_t)length;
    } else if (is_word(&name, "transfer-encoding")) {
        return NO_CODING; /* never needed here, and the usual way to smuggle */
    } else if (is_word(&name, "connection")) {
        if (is_word(&value, "close"))
            head->keep_alive = false;
    } else if (is_word(&name, "content-type")) {
        if (head->content_type.len != 0)
            return BAD;
        head->content_type = value;
    } else if (is_word(&name, "expect")) {
        if (!is_word(&value, "100-continue"))
            return BAD;
        head->expects_continue = true;
    } else if (is_word(&name, "x-api-key")) {
        return take_credential(head, &seen->api_key, value);
    } else if (is_word(&name, "authorization")) {
        if (value.len < 7 || strncasecmp(value.at, "Bearer ", 7) != 0)
            return 0; /* another scheme: no credential of ours */
        value = (struct http_text){value.at + 7, value.len - 7};
        return take_credential(head, &seen->authorization, value);
    }
    return 0;
}

static struct http_text trim(struct http_text t)
{
    while (t.len > 0 && (t.at[0] == ' ' || t.at[0] == '\t')) {
        t.at++;
        t.len--;
    }
    while (t.len > 0 && (t.at[t.len - 1] == ' ' || t.at[t.len - 1] == '\t'))
        t.len--;
    return t;
}

static int parse_header(struct http_head *head, struct seen *seen, struct http_text line)
{
    struct http_text name;
    /* A line that begins with a blank goes on with the one before: obsolete, and a way to hide. */
    if (!cut(&line, ':', &name) || name.len == 0)
        return BAD;
    for (size_t i = 0; i < name.len; i++)
        if (!is_token_char(name.at[i]))
            return BAD;
    return take_header(head, seen, name, trim(line));
}

int http_parse_head(const char *text, size_t len, struct http_head *ret)
{
    struct http_head head = {.keep_alive = false};
    struct seen seen = {.host = false};
    struct http_text rest = {text, len}, line;
    size_t headers = 0;
    bool is_1_1;

    if (len < 4 || memcmp(text + len - 4, "\r\n\r\n", 4) != 0)
        return BAD;
    /* A NUL, another control character, a carriage return or a line feed alone: two readers would
     * see different lines. */
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)text[i];
        bool line_end = (c == '\r' && i + 1 < len && text[i + 1] == '\n') ||
                        (c == '\n' && i > 0 && text[i - 1] == '\r');
        if ((c < ' ' && c != '\t' && !line_end) || c == 0x7f)
            return BAD;
    }
    if (!cut(&rest, '\n', &line))
        return BAD;
    line.len--; /* the carriage return */
    int status = parse_request_line(line, &head);
    is_1_1 = head.keep_alive;
    while (status == 0 && cut(&rest, '\n', &line) && line.len > 1) {
        line.len--;
        status = ++headers > HTTP_HEADERS_MAX ? TOO_MANY : parse_header(&head, &seen, line);
    }
    if (status == 0 && is_1_1 && !seen.host)
        status = BAD;
    if (status == 0)
        *ret = head;
    return status;
}
