/* SPDX-License-Identifier: ISC */
#include "leased/requests/join_result.h"

#include <stdlib.h>
#include <string.h>

struct join_result *join_result_make(void)
{
    return calloc(1, sizeof(struct join_result));
}

void join_result_free(struct join_result *r)
{
    if (r == NULL)
        return;
    if (r->text != NULL)
        explicit_bzero(r->text, strlen(r->text));
    free(r->text);
    free(r);
}
