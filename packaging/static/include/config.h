/* SPDX-License-Identifier: ISC */
/* What the configure scripts of libbsd and libmd would find: musl on Linux. */
#define HAVE_GETENTROPY 1
#define HAVE_DECL_ENVIRON 1
