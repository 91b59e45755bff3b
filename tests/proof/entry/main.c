/* SPDX-License-Identifier: ISC */
/* The lines of an entry, after strsep(3) has cut them. */
#include "lib/session/entry.c"

#include "tests/proof/any.h"

/* strdup(3): to Frama-C's contract, the copy is no object that Eva follows. The bytes of this one
 * are left unset: to read them would be an alarm. */
char *strdup(const char *s)
{
    return malloc(strlen(s) + 1);
}

int main(void)
{
    //@ loop unroll LENGTHS;
    for (size_t i = 0; i < LENGTHS; i++) {
        struct session s = {.pid = 0};
        unsigned seen = 0;
        /* To Eva, strcmp(3) may say anything: one key is all. */
        if (parse_line("v", any_text(i), &s, &seen))
            reached(taken);
        else
            reached(refused);
    }
    return 0;
}
