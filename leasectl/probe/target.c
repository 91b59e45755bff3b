/* SPDX-License-Identifier: ISC */
#include "leasectl/probe/target.h"

#include <bsd/string.h>
#include <string.h>

bool target_expand(const struct attempt_target *t, const char *word,
                   char out[static ATTEMPT_WORD_BYTES])
{
    const struct {
        const char *name;
        const char *value;
    } values[] = {{"{open}", t->open},     {"{respelled}", t->respelled}, {"{other}", t->other},
                  {"{listen}", t->listen}, {"{free}", t->free_port},      {"{socket}", t->socket}};
    size_t used = 0;
    while (*word != '\0' && used + 1 < ATTEMPT_WORD_BYTES) {
        size_t i = 0;
        while (i < sizeof(values) / sizeof(values[0]) &&
               strncmp(word, values[i].name, strlen(values[i].name)) != 0)
            i++;
        if (i == sizeof(values) / sizeof(values[0])) {
            out[used++] = *word++;
            continue;
        }
        if (values[i].value[0] == '\0')
            return false;
        used += strlcpy(out + used, values[i].value, ATTEMPT_WORD_BYTES - used);
        word += strlen(values[i].name);
    }
    out[used < ATTEMPT_WORD_BYTES ? used : ATTEMPT_WORD_BYTES - 1] = '\0';
    return true;
}
