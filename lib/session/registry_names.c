/* SPDX-License-Identifier: ISC */
#include "lib/session/registry_names.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void entry_name(int64_t lease_id, pid_t pid, char out[static REGISTRY_NAME_BYTES])
{
    (void)snprintf(out, REGISTRY_NAME_BYTES, "%" PRId64 ".%d", lease_id, (int)pid);
}

bool entry_name_parse(const char *name, struct entry_id *ret)
{
    char *end;
    const char *digits = name[0] == '-' ? name + 1 : name;
    if (digits[0] < '0' || digits[0] > '9' ||
        (digits[0] == '0' && (digits != name || name[1] != '.')))
        return false;
    errno = 0;
    long long id = strtoll(name, &end, 10);
    if (errno != 0 || *end != '.' || end[1] < '1' || end[1] > '9')
        return false;
    long pid = strtol(end + 1, &end, 10);
    if (errno != 0 || *end != '\0' || pid > 1L << 22)
        return false;
    *ret = (struct entry_id){.lease_id = id, .pid = (pid_t)pid};
    return true;
}

int entry_id_compare(const void *a, const void *b)
{
    const struct entry_id *x = a, *y = b;
    if (x->lease_id != y->lease_id)
        return x->lease_id < y->lease_id ? -1 : 1;
    return (x->pid > y->pid) - (x->pid < y->pid);
}

void temporary_name(uint64_t pid_namespace, pid_t pid, char out[static REGISTRY_NAME_BYTES])
{
    (void)snprintf(out, REGISTRY_NAME_BYTES, ".%" PRIu64 ".%d.new", pid_namespace, (int)pid);
}

void namespace_mark_name(uint64_t pid_namespace, char out[static REGISTRY_NAME_BYTES])
{
    (void)snprintf(out, REGISTRY_NAME_BYTES, ".%" PRIu64 ".ns", pid_namespace);
}

bool namespace_mark_parse(const char *name, uint64_t *ret)
{
    char *end;
    if (name[0] != '.' || name[1] < '0' || name[1] > '9')
        return false;
    *ret = strtoull(name + 1, &end, 10);
    return strcmp(end, ".ns") == 0;
}

void lock_name(int64_t lease_id, char out[static REGISTRY_NAME_BYTES])
{
    (void)snprintf(out, REGISTRY_NAME_BYTES, "%" PRId64, lease_id);
}

void narrowed_name(int64_t lease_id, char out[static REGISTRY_NAME_BYTES])
{
    (void)snprintf(out, REGISTRY_NAME_BYTES, "%" PRId64 ".narrowed", lease_id);
}
