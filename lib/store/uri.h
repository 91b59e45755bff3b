/* SPDX-License-Identifier: ISC */
/* Inside lib/store: the path of a store as a URI that SQLite opens. */
#ifndef TUNLEASE_STORE_URI_H
#define TUNLEASE_STORE_URI_H

enum { STORE_URI_BYTES = 1024 };

/* Makes file:PATH and the parameters ("?immutable=1"); every character of the path that has a
 * meaning in a URI is escaped. 0, or -1: too long. */
int store_uri(const char *path, const char *parameters, char out[static STORE_URI_BYTES]);

#endif
