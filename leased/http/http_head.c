/* SPDX-License-Identifier: ISC */
#include "leased/http/http_head.h"

#include "lib/base/number.h"

#include <stdint.h>
#include <string.h>
#include <strings.h>

enum { BAD = 400, TOO_MANY = 431, NO_CODING = 501, NO_VERSION = 505 };

bool http_slice_is(const struct http_slice *t, const char *word)
{
    return t->len == strlen(word) && memcmp(t->at, word, t->len) == 0;
}

static bool is_word_in_any_case(const struct http_slice *t, const char *word)
{
    return t->len == strlen(word) && strncasecmp(t->at, word, t->len) == 0;
}

/* RFC 9110 section 5.6.2 */
static bool is_token_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c != '\0' && strchr("!#$%&'*+-.^_`|~", c) != NULL);
}

static bool is_visible(const struct http_slice *t)
{
    for (size_t i = 0; i < t->len; i++)
        if ((unsigned char)t->at[i] <= ' ' || t->at[i] == 0x7f)
            return false;
    return t->len > 0;
}

static struct http_slice trim(struct http_slice t)
{
    while (t.len > 0 && (t.at[0] == ' ' || t.at[0] == '\t')) {
        t.at++;
        t.len--;
    }
    while (t.len > 0 && (t.at[t.len - 1] == ' ' || t.at[t.len - 1] == '\t'))
        t.len--;
    return t;
}

/* Cuts *ret off the start of *rest, up to the delimiter, and skips that. False: there is none. */
static bool cut_at(struct http_slice *rest, int delimiter, struct http_slice *ret)
{
    const char *end = memchr(rest->at, delimiter, rest->len);
    if (end == NULL)
        return false;
    *ret = (struct http_slice){rest->at, (size_t)(end - rest->at)};
    rest->len -= ret->len + 1;
    rest->at = end + 1;
    return true;
}

/* RFC 9112 section 3: `METHOD SP origin-form SP HTTP/1.x`. keep_alive: it is 1.1 */
static int parse_request_line(struct http_slice line, struct http_head *head)
{
    struct http_slice target;
    if (!cut_at(&line, ' ', &head->method) || !cut_at(&line, ' ', &target))
        return BAD; /* HTTP/0.9 among others */
    for (size_t i = 0; i < head->method.len; i++)
        if (!is_token_char(head->method.at[i]))
            return BAD;
    if (head->method.len == 0 || !is_visible(&target) || target.at[0] != '/')
        return BAD;
    if (http_slice_is(&line, "HTTP/1.1"))
        head->keep_alive = true;
    else if (!http_slice_is(&line, "HTTP/1.0"))
        return line.len >= 5 && memcmp(line.at, "HTTP/", 5) == 0 ? NO_VERSION : BAD;
    head->path = target;
    const char *query = memchr(target.at, '?', target.len);
    if (query != NULL) {
        head->path.len = (size_t)(query - target.at);
        head->query = (struct http_slice){query + 1, target.len - head->path.len - 1};
    }
    return 0;
}

struct seen {
    bool host, length, type, authorization, api_key, real_ip;
};

static int set_credential(struct http_head *head, struct http_slice value)
{
    if (head->credential.len != 0 || !is_visible(&value))
        return BAD; /* two: which one counts would be a guess */
    head->credential = value;
    return 0;
}

static int parse_authorization(struct http_head *head, struct http_slice value)
{
    static const char scheme[] = "Bearer ";
    size_t len = sizeof(scheme) - 1;
    if (value.len < len || strncasecmp(value.at, scheme, len) != 0)
        return 0; /* another scheme is ignored */
    return set_credential(head, trim((struct http_slice){value.at + len, value.len - len}));
}

/* RFC 9110 section 7.2: host and port. Characters that neither can contain are refused, the comma
 * above all: of a list, another reader may use the other item. */
static bool is_host(const struct http_slice *t)
{
    for (size_t i = 0; i < t->len; i++)
        if (strchr(" \t,/?#@\\\"<>^`{|}", t->at[i]) != NULL)
            return false;
    return t->len > 0;
}

/* RFC 9110 section 7.6.1: a list of words */
static void parse_connection(struct http_head *head, struct http_slice value)
{
    struct http_slice word;
    bool more = true;
    while (more) {
        more = cut_at(&value, ',', &word);
        word = trim(more ? word : value);
        if (is_word_in_any_case(&word, "close"))
            head->keep_alive = false;
    }
}

static bool is_first(bool *seen)
{
    bool first = !*seen;
    *seen = true;
    return first;
}

static int parse_value(struct http_head *head, struct seen *seen, struct http_slice name,
                       struct http_slice value)
{
    int64_t length = 0;
    if (is_word_in_any_case(&name, "host")) {
        head->host = value;
        return is_first(&seen->host) && is_host(&value) ? 0 : BAD;
    }
    if (is_word_in_any_case(&name, "content-length")) {
        if (!is_first(&seen->length) || !number_parse(value.at, value.len, 0, INT64_MAX, &length))
            return BAD;
        head->has_length = true;
        head->content_length = (size_t)length;
    } else if (is_word_in_any_case(&name, "transfer-encoding")) {
        return NO_CODING; /* not needed here, and the usual way to smuggle requests */
    } else if (is_word_in_any_case(&name, "connection")) {
        parse_connection(head, value);
    } else if (is_word_in_any_case(&name, "content-type")) {
        if (!is_first(&seen->type))
            return BAD;
        head->content_type = value;
    } else if (is_word_in_any_case(&name, "expect")) {
        if (!is_word_in_any_case(&value, "100-continue"))
            return BAD;
        head->expects_continue = true;
    } else if (is_word_in_any_case(&name, "x-api-key")) {
        return is_first(&seen->api_key) ? set_credential(head, value) : BAD;
    } else if (is_word_in_any_case(&name, "x-real-ip")) {
        head->real_ip_twice = !is_first(&seen->real_ip);
        head->real_ip = value;
    } else if (is_word_in_any_case(&name, "x-forwarded-for")) {
        head->forwarded_for = value;
    } else if (is_word_in_any_case(&name, "sec-fetch-site")) {
        head->is_foreign_fetch = head->is_foreign_fetch || !(http_slice_is(&value, "same-origin") ||
                                                             http_slice_is(&value, "none"));
    } else if (is_word_in_any_case(&name, "authorization")) {
        return is_first(&seen->authorization) ? parse_authorization(head, value) : BAD;
    }
    return 0;
}

static int parse_header(struct http_head *head, struct seen *seen, struct http_slice line)
{
    struct http_slice name;
    /* A line that starts with a blank continues the one before: obsolete, and a way to hide a
     * header. A blank is no token character, so it is refused below. */
    if (!cut_at(&line, ':', &name) || name.len == 0)
        return BAD;
    for (size_t i = 0; i < name.len; i++)
        if (!is_token_char(name.at[i]))
            return BAD;
    return parse_value(head, seen, name, trim(line));
}

/* A control character, or a carriage return or line feed without the other: two parsers could see
 * different lines. Bytes from 0x80 on are allowed (obs-text of RFC 9110), and we never use them. */
static bool has_control_char(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)text[i];
        if ((c >= ' ' && c != 0x7f) || c == '\t')
            continue;
        if (c == '\r' && (i + 1 == len || text[i + 1] == '\n'))
            continue; /* at the end of the text its line feed may still come */
        if (c != '\n' || i == 0 || text[i - 1] != '\r')
            return true;
    }
    return false;
}

/* Cuts the next line off *rest, without its CR LF. False: no complete line is left. */
static bool next_line(struct http_slice *rest, struct http_slice *ret)
{
    if (!cut_at(rest, '\n', ret))
        return false;
    ret->len--; /* the carriage return: has_control_char checked that there is one */
    return true;
}

/* Parses all complete lines, up to the empty one. */
static int parse_lines(struct http_slice rest, struct http_head *head)
{
    struct seen seen = {.host = false};
    struct http_slice line;
    size_t headers = 0;

    if (!next_line(&rest, &line))
        return 0;
    int status = parse_request_line(line, head);
    bool is_1_1 = head->keep_alive;
    while (status == 0 && next_line(&rest, &line)) {
        if (line.len == 0) { /* the end of the head */
            status = is_1_1 && !seen.host ? BAD : 0;
            break;
        }
        status = ++headers > HTTP_HEADERS_MAX ? TOO_MANY : parse_header(head, &seen, line);
    }
    if (!is_1_1)
        head->expects_continue = false; /* RFC 9110 section 10.1.1 */
    return status;
}

size_t http_head_parse(const char *text, size_t len, struct http_head *ret, int *ret_status)
{
    struct http_head head = {.keep_alive = false};
    size_t text_len = len < HTTP_HEAD_BYTES ? len : HTTP_HEAD_BYTES;
    const char *end = memmem(text, text_len, "\r\n\r\n", 4);
    size_t head_bytes = end != NULL ? (size_t)(end - text) + 4 : 0;

    if (end != NULL)
        text_len = head_bytes;
    *ret_status = has_control_char(text, text_len)
                      ? BAD
                      : parse_lines((struct http_slice){text, text_len}, &head);
    if (*ret_status == 0 && end == NULL && text_len == HTTP_HEAD_BYTES)
        *ret_status = TOO_MANY;
    if (*ret_status == 0 && end != NULL)
        *ret = head;
    return head_bytes;
}
