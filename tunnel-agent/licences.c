/* SPDX-License-Identifier: ISC */
#include "tunnel-agent/licences.h"

#include <stddef.h>
#include <stdio.h>

#include "agent_licences.h" /* generated */

void licences_print(void)
{
    for (size_t i = 0; i < sizeof(licence_lines) / sizeof(licence_lines[0]); i++)
        (void)puts(licence_lines[i]);
}

const char *licences_parts(void)
{
    return licence_parts;
}
