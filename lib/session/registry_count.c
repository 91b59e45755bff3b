/* SPDX-License-Identifier: ISC */
#include "lib/session/registry_count.h"

#include "lib/session/entry.h"
#include "lib/session/registry_names.h"
#include "lib/session/registry_read.h"

#include <dirent.h>
#include <errno.h>

enum sight registry_has_room(const struct registry *r, int64_t lease_id, size_t max,
                             int64_t deadline_ms, struct session_list *ret)
{
    size_t names = 0;
    struct entry_id id;
    DIR *dir = entries_open(r);
    if (dir == NULL)
        return SIGHT_CANNOT_TELL;
    errno = 0;
    for (const struct dirent *e; names < max && (e = readdir(dir)) != NULL;)
        names += entry_name_parse(e->d_name, &id) && id.lease_id == lease_id;
    int why = errno;
    (void)closedir(dir);
    if (names < max && why == 0) {
        *ret = (struct session_list){.items = NULL};
        return SIGHT_IS;
    }
    if (registry_read_open(r, lease_id, deadline_ms, ret) != 0)
        return SIGHT_CANNOT_TELL;
    return ret->count < max ? SIGHT_IS : SIGHT_IS_NOT;
}

int registry_count(const char *run_dir, int64_t lease_id, size_t *ret)
{
    struct registry r;
    struct session_list list;
    if (registry_open(run_dir, false, &r) != 0)
        return -1;
    int rc = registry_read_open(&r, lease_id, INT64_MAX, &list);
    int saved = errno;
    registry_close(&r);
    errno = saved;
    if (rc != 0)
        return -1;
    *ret = list.count;
    session_list_release(&list);
    return 0;
}

bool registry_has_none(const char *run_dir)
{
    struct session_list list = {.items = NULL};
    struct registry r;
    if (registry_open(run_dir, false, &r) != 0)
        return errno == ENOENT;
    bool none = registry_read(&r, 0, &list) == 0 && list.count == 0;
    session_list_release(&list);
    registry_close(&r);
    return none;
}
