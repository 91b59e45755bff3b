/* SPDX-License-Identifier: ISC */
#include "lib/session/session_list.h"

#include <stdlib.h>
#include <string.h>

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

static int copy_session(const struct session *from, struct session *ret)
{
    struct session copy = *from;
    copy.opens = from->opens != NULL ? strdup(from->opens) : NULL;
    copy.listens = from->listens != NULL ? strdup(from->listens) : NULL;
    if ((copy.opens == NULL) == (from->opens == NULL) &&
        (copy.listens == NULL) == (from->listens == NULL)) {
        *ret = copy;
        return 0;
    }
    session_release(&copy);
    return -1;
}

int session_list_copy(const struct session_list *from, struct session_list *ret)
{
    struct session_list copy = {.unseen = from->unseen, .unseen_why = from->unseen_why};
    copy.items = calloc(from->count + 1, sizeof(*copy.items));
    if (copy.items == NULL)
        return -1;
    for (; copy.count < from->count; copy.count++)
        if (copy_session(&from->items[copy.count], &copy.items[copy.count]) != 0) {
            session_list_release(&copy);
            return -1;
        }
    *ret = copy;
    return 0;
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
