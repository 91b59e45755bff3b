/* SPDX-License-Identifier: ISC */
/* Draws what `leasectl top` knows into a frame of any size. */
#ifndef TUNLEASE_LEASECTL_TOP_DRAW_H
#define TUNLEASE_LEASECTL_TOP_DRAW_H

#include "leasectl/top/frame.h"
#include "leasectl/top/model.h"
#include "leasectl/top/view.h"

/* Clears f and draws into it. Moves the tables of v so that the marked line is seen. */
void draw(const struct model *m, struct view *v, struct frame *f);

/* How many lines a frame must have for all of them, in a batch. */
size_t draw_batch_rows(const struct view *v);

#endif
