/* SPDX-License-Identifier: ISC */
#include "lib/conf/loading.h"

#include "lib/base/buf.h"

int loading_wrong(struct loading *in, int code)
{
    if (!in->is_tolerant)
        return code;
    if (in->warnings != NULL)
        buf_addf(in->warnings, "%s\n", in->err);
    return 0;
}
