/* SPDX-License-Identifier: ISC */
#include "leased/status/filter.h"

#include "lib/base/number.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

struct filter filter_make(const char *text)
{
    int64_t port = 0;
    if (!number_parse(text, strlen(text), 1, UINT16_MAX, &port))
        port = 0;
    return (struct filter){.text = text, .port = (uint16_t)port};
}

bool filter_has_text(const struct filter *f, const char *text)
{
    return f->text[0] == '\0' || strcasestr(text, f->text) != NULL;
}

bool filter_next_ports(const char **rest, uint16_t *ret_low, uint16_t *ret_high)
{
    while (**rest != '\0') {
        const char *word = *rest;
        const size_t len = strcspn(word, " ");
        const char *colon = memrchr(word, ':', len);
        char *end = NULL;
        const unsigned long low = colon != NULL ? strtoul(colon + 1, &end, 10) : 0;
        *rest += len + strspn(word + len, " ");
        if (low == 0 || low > UINT16_MAX || (*end != '-' && end != word + len))
            continue;
        const unsigned long high = *end == '-' ? strtoul(end + 1, NULL, 10) : low;
        *ret_low = (uint16_t)low;
        *ret_high = high <= UINT16_MAX ? (uint16_t)high : UINT16_MAX;
        return true;
    }
    return false;
}

bool filter_has_port(const struct filter *f, const char *permits)
{
    uint16_t low, high;
    while (f->port != 0 && permits != NULL && filter_next_ports(&permits, &low, &high))
        if (f->port >= low && f->port <= high)
            return true;
    return false;
}
