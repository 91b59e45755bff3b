/* SPDX-License-Identifier: ISC */
#include "leasectl/show/bytes.h"

#include <stddef.h>
#include <stdio.h>

void bytes_format(uint64_t bytes, char out[static BYTES_TEXT_BYTES])
{
    static const char units[] = "KMGTPE";
    double scaled = (double)bytes / 1024;
    size_t unit = 0;
    if (bytes < 1024) {
        (void)snprintf(out, BYTES_TEXT_BYTES, "%u", (unsigned)bytes);
        return;
    }
    while (scaled >= 1023.5 && units[unit + 1] != '\0') {
        scaled /= 1024;
        unit++;
    }
    (void)snprintf(out, BYTES_TEXT_BYTES, scaled < 9.95 ? "%.1f%c" : "%.0f%c", scaled, units[unit]);
}
