/* SPDX-License-Identifier: ISC */
#include "lib/conf/permit_line.h"

#include "lib/base/buf.h"
#include "lib/base/keyword.h"
#include "lib/lease/name.h"
#include "lib/lease/permit_meant.h"

#include <bsd/string.h>
#include <stdio.h>
#include <string.h>

static const struct permit_keyword {
    const char *name;
    enum permit_form form;
    bool listens, takes_login;
} keywords[] = {{"AllowOpen", PERMIT_CEILING, false, true},
                {"AllowListen", PERMIT_CEILING, true, true},
                {"DefaultOpen", PERMIT_PORT, false, false}};

static const struct permit_keyword *find_keyword(const char *name)
{
    for (size_t i = 0; i < sizeof(keywords) / sizeof(keywords[0]); i++)
        if (strcmp(keywords[i].name, name) == 0)
            return &keywords[i];
    return NULL;
}

/* The values from first on with a blank between, as several permits of sshd_config(5) stand. False:
 * there are several, and not all are permits, or they are longer than any that were meant. */
static bool join_values(const struct keyword_line *line, size_t first, char *out, size_t out_bytes)
{
    *out = '\0';
    for (size_t i = first; i < line->value_count; i++)
        if ((line->value_count - first > 1 && strchr(line->values[i], ':') == NULL) ||
            (i > first && strlcat(out, " ", out_bytes) >= out_bytes) ||
            strlcat(out, line->values[i], out_bytes) >= out_bytes)
            return false;
    return true;
}

bool permit_line_meant(const char *keyword, const struct keyword_line *line, struct buf *ret_value,
                       struct buf *ret_meant)
{
    char before[LOGIN_NAME_BYTES + 32], text[2 * PERMIT_TEXT_BYTES];
    const struct permit_keyword *k = find_keyword(keyword);
    if (k == NULL || line->value_count == 0)
        return false;
    bool login =
        k->takes_login && line->value_count == 2 && login_name_problem(line->values[0]) == NULL;
    (void)snprintf(before, sizeof(before), "%s %s%s", keyword, login ? line->values[0] : "",
                   login ? " " : "");
    const struct permit_place place = {.form = k->form, .listens = k->listens, .before = before};
    if (!join_values(line, login ? 1 : 0, text, sizeof(text)) ||
        !permit_meant(text, &place, ret_meant))
        return false;
    buf_add(ret_value, text);
    return true;
}
