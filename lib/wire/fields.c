/* SPDX-License-Identifier: ISC */
#include "lib/wire/fields.h"

#include "lib/base/text.h"

#include <bsd/string.h>

bool fields_text(const json_t *root, const char *name, char *out, size_t size)
{
    const json_t *value = json_object_get(root, name);
    out[0] = '\0';
    if (value == NULL || json_is_null(value))
        return true;
    const char *text = json_string_value(value);
    if (text == NULL || strlcpy(out, text, size) >= size)
        return false;
    const char *p = out;
    for (size_t bytes; (bytes = text_char_bytes(p)) > 0; p += bytes)
        if (text_char_is_control(p))
            return false;
    return *p == '\0';
}

bool fields_number(const json_t *root, const char *name, int64_t most, int64_t *ret)
{
    const json_t *value = json_object_get(root, name);
    *ret = 0;
    if (value == NULL || json_is_null(value))
        return true;
    if (!json_is_integer(value) || json_integer_value(value) < 0 ||
        json_integer_value(value) > most)
        return false;
    *ret = json_integer_value(value);
    return true;
}

bool fields_port(const json_t *root, const char *name, uint16_t *ret)
{
    int64_t port;
    if (!fields_number(root, name, 65535, &port))
        return false;
    *ret = (uint16_t)port;
    return true;
}
