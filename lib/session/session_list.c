/* SPDX-License-Identifier: ISC */
#include "lib/session/session_list.h"

#include <stdlib.h>

void session_list_filter(struct session_list *list,
                         bool (*wanted)(void *ctx, const struct session *s), void *ctx)
{
    size_t kept = 0;
    for (size_t i = 0; i < list->count; i++) {
        if (wanted(ctx, &list->items[i]))
            list->items[kept++] = list->items[i];
        else
            session_release(&list->items[i]);
    }
    list->count = kept;
}

bool session_is_open(void *unused, const struct session *s)
{
    (void)unused;
    return s->open;
}

void session_list_release(struct session_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        session_release(&list->items[i]);
    free(list->items);
    free(list->dead);
    *list = (struct session_list){.items = NULL};
}
