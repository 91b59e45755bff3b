/* SPDX-License-Identifier: ISC */
#include "lib/wire/document.h"

#include "lib/base/buf.h"
#include "lib/base/text.h"

#include <stdbool.h>
#include <stdlib.h>

enum { DEPTH_MAX = 8 };

/* jansson calls itself for each bracket, so the depth is checked before (docs/design.md 8.2). */
static bool is_too_deep(const char *text, size_t len)
{
    unsigned depth = 0;
    bool in_string = false;
    for (size_t i = 0; i < len; i++) {
        if (in_string) {
            if (text[i] == '\\')
                i++;
            else if (text[i] == '"')
                in_string = false;
        } else if (text[i] == '"') {
            in_string = true;
        } else if (text[i] == '[' || text[i] == '{') {
            if (++depth > DEPTH_MAX)
                return true;
        } else if ((text[i] == ']' || text[i] == '}') && depth > 0) {
            depth--;
        }
    }
    return false;
}

const char *document_parse(const char *text, size_t len, json_t **ret)
{
    json_error_t error;
    *ret = NULL;
    if (is_too_deep(text, len))
        return "the JSON is nested too deeply";
    json_t *root = json_loadb(text, len, JSON_REJECT_DUPLICATES, &error);
    if (!json_is_object(root)) {
        json_decref(root);
        return "the body is not one JSON object in UTF-8 without duplicate keys";
    }
    *ret = root;
    return NULL;
}

/* Escapes what must not reach a terminal in text, which is JSON. jansson escapes the C0 characters;
 * the others can only be inside strings, where an escape means the same. */
static void add_escaped(struct buf *out, const char *text)
{
    const char *plain = text;
    while (*text != '\0') {
        size_t len = 1;
        if (*text == '\n' || (*text >= ' ' && *text <= '~') || text_char_is_printable(text, &len)) {
            text += len;
            continue;
        }
        uint32_t c = text_char_code(text, len);
        buf_add_mem(out, plain, (size_t)(text - plain));
        if (c >= 0x10000)
            buf_addf(out, "\\u%04x\\u%04x", 0xd7c0 + (c >> 10), 0xdc00 + (c & 0x3ff));
        else
            buf_addf(out, "\\u%04x", c);
        text += len;
        plain = text;
    }
    buf_add_mem(out, plain, (size_t)(text - plain));
}

int document_write(json_t *object, size_t flags, struct buf *out)
{
    char *text = object != NULL ? json_dumps(object, flags) : NULL;
    json_decref(object);
    if (text == NULL)
        return -1;
    add_escaped(out, text);
    free(text);
    return out->failed ? -1 : 0;
}

json_t *document_any_text(const char *text)
{
    json_t *value = json_string(text);
    struct buf fit = {0};
    if (value != NULL || text == NULL)
        return value;
    text_add_escaped(&fit, text);
    value = json_string(buf_text(&fit));
    buf_release(&fit);
    return value;
}

/* Most texts need no escape, and are added without jansson. */
int document_add_text(struct buf *out, const char *text)
{
    const char *p = text;
    while (*p >= ' ' && *p <= '~' && *p != '"' && *p != '\\')
        p++;
    if (*p != '\0')
        return document_write(json_string(text), JSON_COMPACT | JSON_ENCODE_ANY, out);
    buf_add(out, "\"");
    buf_add_mem(out, text, (size_t)(p - text));
    buf_add(out, "\"");
    return out->failed ? -1 : 0;
}

json_t *document_text_or_null(const char *text)
{
    return text != NULL && text[0] != '\0' ? document_any_text(text) : json_null();
}
