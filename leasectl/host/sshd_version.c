/* SPDX-License-Identifier: ISC */
#include "leasectl/host/sshd_version.h"

#include "lib/base/number.h"

#include <string.h>

bool sshd_at_least(const struct sshd_version *v, unsigned major, unsigned minor)
{
    return v->major > major || (v->major == major && v->minor >= minor);
}

bool sshd_same_version(const struct sshd_version *a, const struct sshd_version *b)
{
    return a->major == b->major && a->minor == b->minor;
}

bool sshd_parse_version(const char *text, struct sshd_version *ret)
{
    int64_t major, minor;
    size_t major_len = strspn(text, "0123456789");
    if (text[major_len] != '.')
        return false;
    const char *rest = text + major_len + 1;
    size_t minor_len = strspn(rest, "0123456789");
    if (!number_parse(text, major_len, 1, 999, &major) ||
        !number_parse(rest, minor_len, 0, 999, &minor))
        return false;
    *ret = (struct sshd_version){(unsigned)major, (unsigned)minor};
    return true;
}
