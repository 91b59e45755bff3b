/* SPDX-License-Identifier: ISC */
#include "leased/watch/copies_seen.h"

#include <bsd/string.h>
#include <string.h>

static struct copy_seen *find(struct copies_seen *c, const char *name)
{
    for (size_t i = 0; i < COPIES_SEEN_MAX; i++)
        if (strcmp(c->items[i].name, name) == 0)
            return &c->items[i];
    return NULL;
}

static struct copy_seen *oldest(struct copies_seen *c)
{
    struct copy_seen *place = &c->items[0];
    for (size_t i = 1; i < COPIES_SEEN_MAX; i++)
        if (c->items[i].seen_ms < place->seen_ms)
            place = &c->items[i];
    return place;
}

void copies_seen_add(struct copies_seen *c, const char *name, const char *from, const char *other,
                     int64_t now_ms)
{
    struct copy_seen *place = find(c, name);
    if (place == NULL)
        place = find(c, "");
    if (place == NULL)
        place = oldest(c);
    *place = (struct copy_seen){.seen_ms = now_ms};
    (void)strlcpy(place->name, name, sizeof(place->name));
    (void)strlcpy(place->from, from, sizeof(place->from));
    (void)strlcpy(place->other, other, sizeof(place->other));
}

void copies_seen_forget(struct copies_seen *c, const char *name)
{
    struct copy_seen *place = find(c, name);
    if (place != NULL)
        *place = (struct copy_seen){.seen_ms = 0};
}

const struct copy_seen *copies_seen_at(const struct copies_seen *c, size_t i, int64_t now_ms)
{
    const struct copy_seen *place = &c->items[i];
    return place->name[0] != '\0' && now_ms - place->seen_ms < COPIES_SEEN_MS ? place : NULL;
}
