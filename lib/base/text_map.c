/* SPDX-License-Identifier: ISC */
#include "lib/base/text_map.h"

#include "lib/base/hash.h"

#include <bsd/stdlib.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_ROOM = 64 };

/* The slot of text, or the free one where it belongs. room must not be 0, and a slot must be free.
 */
static struct text_map_slot *slot_of(const struct text_map *m, const char *text)
{
    size_t i = (size_t)hash_add(m->seed, text, strlen(text)) & (m->room - 1);
    while (m->slots[i].text != NULL && strcmp(m->slots[i].text, text) != 0)
        i = (i + 1) & (m->room - 1);
    return &m->slots[i];
}

bool text_map_get(const struct text_map *m, const char *text, uint64_t *ret)
{
    const struct text_map_slot *slot = m->room > 0 ? slot_of(m, text) : NULL;
    if (slot == NULL || slot->text == NULL)
        return false;
    *ret = slot->value;
    return true;
}

/* At most three of four slots are taken, so that a search is short. */
static int make_room(struct text_map *m)
{
    struct text_map grown = {.count = m->count, .seed = m->seed};
    if (m->room > 0 && m->count < m->room / 4 * 3)
        return 0;
    if (m->room == 0)
        arc4random_buf(&grown.seed, sizeof(grown.seed));
    grown.room = m->room == 0 ? FIRST_ROOM : m->room * 2;
    grown.slots = calloc(grown.room, sizeof(*grown.slots));
    if (grown.slots == NULL)
        return -1;
    for (size_t i = 0; i < m->room; i++)
        if (m->slots[i].text != NULL)
            *slot_of(&grown, m->slots[i].text) = m->slots[i];
    free(m->slots);
    *m = grown;
    return 0;
}

int text_map_set(struct text_map *m, const char *text, uint64_t value)
{
    if (make_room(m) != 0)
        return -1;
    struct text_map_slot *slot = slot_of(m, text);
    if (slot->text == NULL) {
        slot->text = strdup(text);
        if (slot->text == NULL)
            return -1;
        m->count++;
    }
    slot->value = value;
    return 0;
}

void text_map_release(struct text_map *m)
{
    for (size_t i = 0; i < m->room; i++)
        free(m->slots[i].text);
    free(m->slots);
    *m = (struct text_map){0};
}
