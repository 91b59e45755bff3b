/* SPDX-License-Identifier: ISC */
#include "lib/store/invite.h"

void invite_release(struct invite *i)
{
    lease_release(&i->terms);
    *i = (struct invite){.id = 0};
}
