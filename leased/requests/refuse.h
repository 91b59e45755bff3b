/* SPDX-License-Identifier: ISC */
/* Refuses a request. */
#ifndef TUNLEASE_LEASED_REQUESTS_REFUSE_H
#define TUNLEASE_LEASED_REQUESTS_REFUSE_H

#include "lib/store/store.h"
#include "lib/wire/control.h"

/* Always returns STORE_OK: the store did not fail, and other requests of the batch are not
 * concerned. error is one line for the agent's log; it is cut to CONTROL_ERROR_BYTES. */
enum store_rc refuse(struct control_answer *a, enum control_code code, const char *error);

#endif
