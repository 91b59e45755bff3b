/* SPDX-License-Identifier: ISC */
#include "leased/requests/refuse.h"

#include <bsd/string.h>

enum store_rc refuse(struct control_answer *a, enum control_code code, const char *error)
{
    a->code = (uint32_t)code;
    (void)strlcpy(a->error, error, sizeof(a->error));
    return STORE_OK;
}
