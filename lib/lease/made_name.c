/* SPDX-License-Identifier: ISC */
#include "lib/lease/made_name.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static bool may_stand_in_name(char c)
{
    const char one[] = {'a', c, '\0'}; /* behind a letter, so that - and . count */
    return c != '\0' && lease_name_problem(one) == NULL;
}

void made_name(const char *comment, size_t len, char out[static LEASE_NAME_BYTES])
{
    size_t n = 0;
    bool gap = false;
    for (size_t i = 0; i < len; i++) {
        const bool good =
            may_stand_in_name(comment[i]) && (n > 0 || (comment[i] != '-' && comment[i] != '.'));
        const size_t room = gap && n > 0 ? 2 : 1;
        if (good && n + room > LEASE_NAME_MAX)
            break;
        if (good && room == 2)
            out[n++] = '-';
        if (good)
            out[n++] = comment[i];
        gap = !good;
    }
    out[n] = '\0';
}

void made_name_numbered(const char *name, unsigned long number, char out[static LEASE_NAME_BYTES])
{
    char end[24];
    const int end_len = snprintf(end, sizeof(end), "-%lu", number);
    (void)snprintf(out, LEASE_NAME_BYTES, "%.*s%s", LEASE_NAME_MAX - end_len, name, end);
}
