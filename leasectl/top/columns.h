/* SPDX-License-Identifier: ISC */
/* The lines of both tables of `leasectl top`, in columns that fit a width. */
#ifndef TUNLEASE_LEASECTL_TOP_COLUMNS_H
#define TUNLEASE_LEASECTL_TOP_COLUMNS_H

#include "leasectl/top/model.h"
#include "leasectl/top/view.h"
#include "lib/base/buf.h"

#include <stddef.h>

/* Each adds one line of text that is escaped, and about `width` columns wide. */
void columns_session_heading(size_t width, struct buf *out);
void columns_session(const struct model *m, const struct view_line *line, size_t width,
                     struct buf *out);
void columns_lease_heading(size_t width, struct buf *out);
void columns_lease(const struct model *m, const struct view_line *line, size_t width,
                   struct buf *out);

/* Where a session's forwards go, in short: "8009x3 R20001". Adds to out. */
void columns_add_forwards(const struct model *m, size_t session, struct buf *out);

#endif
