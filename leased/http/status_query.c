/* SPDX-License-Identifier: ISC */
#include "leased/http/status_query.h"

#include "lib/base/number.h"
#include "lib/base/text.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = text_lower(c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Decodes %NN and +. out has room for what fits into a filter. */
static bool decode(struct http_slice value, char out[static CONTROL_FILTER_BYTES + 1])
{
    size_t len = 0;
    for (size_t i = 0; i < value.len; i++) {
        char c = value.at[i];
        if (len == CONTROL_FILTER_BYTES)
            return false;
        if (c == '%') {
            int high = i + 2 < value.len ? hex_digit(value.at[i + 1]) : -1;
            int low = i + 2 < value.len ? hex_digit(value.at[i + 2]) : -1;
            if (high < 0 || low < 0 || high + low == 0)
                return false;
            c = (char)(high * 16 + low);
            i += 2;
        }
        out[len++] = c == '+' && value.at[i] == '+' ? ' ' : c;
    }
    out[len] = '\0';
    for (const char *s = out; *s != '\0'; s += text_char_bytes(s))
        if (text_char_bytes(s) == 0)
            return false;
    return true;
}

static const char *set_filter(struct http_slice value, struct control_request *ret)
{
    char text[CONTROL_FILTER_BYTES + 1];
    if (!decode(value, text))
        return "filter is no text of at most 64 bytes, percent-encoded";
    return control_request_set(ret, CONTROL_FILTER, text, strlen(text)) == 0 ? NULL
                                                                             : "filter is too long";
}

static const char *set_offset(struct http_slice name, struct http_slice value, unsigned *seen,
                              struct control_request *ret)
{
    int64_t offset;
    for (unsigned i = 0; i < CONTROL_LIST__MAX; i++) {
        if (!http_slice_is(&name, control_list_name((enum control_list)i)))
            continue;
        if ((*seen & 1U << i) != 0 ||
            !number_parse(value.at, value.len, 0, CONTROL_OFFSET_MAX, &offset))
            return "an offset is no number from 0 to 10000000, or is there twice";
        *seen |= 1U << i;
        ret->offsets[i] = (uint32_t)offset;
    }
    return NULL;
}

const char *status_query_parse(const struct http_slice *query, struct control_request *ret)
{
    const char *problem = NULL;
    bool has_filter = false;
    unsigned seen = 0;
    for (size_t at = 0; problem == NULL && at < query->len;) {
        struct http_slice name = {query->at + at, query->len - at};
        const char *end = memchr(name.at, '&', name.len);
        name.len = end != NULL ? (size_t)(end - name.at) : name.len;
        at += name.len + 1;
        const char *equals = name.len > 0 ? memchr(name.at, '=', name.len) : NULL;
        if (equals == NULL)
            continue;
        const struct http_slice value = {equals + 1, name.len - (size_t)(equals + 1 - name.at)};
        name.len -= value.len + 1;
        if (!http_slice_is(&name, "filter")) {
            problem = set_offset(name, value, &seen, ret);
        } else {
            problem = has_filter ? "there are two filters" : set_filter(value, ret);
            has_filter = true;
        }
    }
    return problem;
}
