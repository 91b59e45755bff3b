/* SPDX-License-Identifier: ISC */
#include "lib/session/entry.h"

#include "lib/base/number.h"
#include "lib/session/registry_names.h"

#include <bsd/string.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { ENTRY_VERSION = 1 };

/* A blank or a line feed in a value could forge another line. */
static bool is_word(const char *s)
{
    while (*s > ' ' && *s <= '~')
        s++;
    return *s == '\0';
}

size_t entry_format(const struct session *s, char out[static REGISTRY_ENTRY_BYTES])
{
    if (!is_word(s->lease) || !is_word(s->login) || !is_word(s->fingerprint) ||
        !is_word(s->source) || !is_word(s->origin.boot_id))
        return 0;
    int n = snprintf(
        out, REGISTRY_ENTRY_BYTES,
        "v %d\npid %d\nstart_ticks %" PRIu64 "\nlease_id %" PRId64
        "\nlease %s\nlogin %s\nuid %u\nfingerprint %s\nsource %s\nsince_s %" PRId64 "\nstate %s\n",
        ENTRY_VERSION, (int)s->pid, s->start_ticks, s->lease_id, s->lease, s->login,
        (unsigned)s->uid, s->fingerprint, s->source, s->since_s, s->open ? "open" : "opening");
    if (n < 0 || n >= REGISTRY_ENTRY_BYTES)
        return 0;
    size_t used = (size_t)n;
    if (s->origin.boot_id[0] != '\0')
        used += (size_t)snprintf(out + used, REGISTRY_ENTRY_BYTES - used, "boot_id %s\n",
                                 s->origin.boot_id);
    if (s->origin.pid_namespace != 0)
        used += (size_t)snprintf(out + used, REGISTRY_ENTRY_BYTES - used, "pid_ns %" PRIu64 "\n",
                                 s->origin.pid_namespace);
    if (s->opens == NULL || s->listens == NULL)
        return used;
    n = snprintf(out + used, REGISTRY_ENTRY_BYTES - used, "opens %s\nlistens %s\n", s->opens,
                 s->listens);
    if (n > 0 && (size_t)n < REGISTRY_ENTRY_BYTES - used)
        used += (size_t)n;
    out[used] = '\0';
    return used;
}

static bool parse_word(const char *value, char *out, size_t out_bytes)
{
    return is_word(value) && strlcpy(out, value, out_bytes) < out_bytes;
}

static bool parse_list(const char *value, char **out)
{
    free(*out);
    *out = strdup(value);
    return *out != NULL;
}

enum seen {
    SEEN_PID = 1,
    SEEN_START = 2,
    SEEN_LOGIN = 4,
    SEEN_UID = 8,
    SEEN_FINGERPRINT = 16,
    SEEN_ALL = 31
};

static bool parse_line(const char *key, const char *value, struct session *s, unsigned *seen)
{
    const size_t len = strlen(value);
    int64_t number = 0;
    bool good = true;
    if (strcmp(key, "v") == 0) {
        good = number_parse(value, len, ENTRY_VERSION, ENTRY_VERSION, &number);
    } else if (strcmp(key, "pid") == 0) {
        good = number_parse(value, len, 1, 1LL << 22, &number);
        s->pid = (pid_t)number;
        *seen |= SEEN_PID;
    } else if (strcmp(key, "start_ticks") == 0) {
        good = number_parse(value, len, 0, INT64_MAX, &number);
        s->start_ticks = (uint64_t)number;
        *seen |= SEEN_START;
    } else if (strcmp(key, "lease_id") == 0) {
        good = number_parse_signed(value, len, &number);
        s->lease_id = number;
    } else if (strcmp(key, "uid") == 0) {
        /* never root, never (uid_t)-1 */
        good = number_parse(value, len, 1, UINT32_MAX - 1, &number);
        s->uid = (uid_t)number;
        *seen |= SEEN_UID;
    } else if (strcmp(key, "since_s") == 0) {
        good = number_parse(value, len, 0, INT64_MAX, &number);
        s->since_s = number;
    } else if (strcmp(key, "lease") == 0) {
        good = parse_word(value, s->lease, sizeof(s->lease));
    } else if (strcmp(key, "login") == 0) {
        good = *value != '\0' && parse_word(value, s->login, sizeof(s->login));
        *seen |= SEEN_LOGIN;
    } else if (strcmp(key, "fingerprint") == 0) {
        good = *value != '\0' && parse_word(value, s->fingerprint, sizeof(s->fingerprint));
        *seen |= SEEN_FINGERPRINT;
    } else if (strcmp(key, "source") == 0) {
        good = parse_word(value, s->source, sizeof(s->source));
    } else if (strcmp(key, "state") == 0) {
        s->open = strcmp(value, "open") == 0;
        good = s->open || strcmp(value, "opening") == 0;
    } else if (strcmp(key, "boot_id") == 0) {
        good = parse_word(value, s->origin.boot_id, sizeof(s->origin.boot_id));
    } else if (strcmp(key, "pid_ns") == 0) {
        good = number_parse(value, len, 0, INT64_MAX, &number);
        s->origin.pid_namespace = (uint64_t)number;
    } else if (strcmp(key, "opens") == 0) {
        good = parse_list(value, &s->opens);
    } else if (strcmp(key, "listens") == 0) {
        good = parse_list(value, &s->listens);
    }
    return good; /* an unknown key is a later version's */
}

int entry_parse(const char *text, size_t len, struct session *ret)
{
    char copy[REGISTRY_ENTRY_BYTES];
    struct session s = {.pid = 0};
    unsigned seen = 0;
    int rc = -1;

    /* Without a line feed at its end, the text may be cut off. */
    if (len == 0 || len >= sizeof(copy) || text[len - 1] != '\n' || memchr(text, '\0', len) != NULL)
        return -1;
    memcpy(copy, text, len);
    copy[len - 1] = '\0';
    for (char *rest = copy, *line; (line = strsep(&rest, "\n")) != NULL;) {
        char *value = strchr(line, ' ');
        if (value == NULL)
            goto out;
        *value++ = '\0';
        if (line == copy && strcmp(line, "v") != 0)
            goto out;
        if (!parse_line(line, value, &s, &seen))
            goto out;
    }
    if (seen != SEEN_ALL || s.open != (s.lease_id != 0))
        goto out;
    *ret = s;
    s = (struct session){.pid = 0};
    rc = 0;
out:
    session_release(&s);
    return rc;
}

enum sight entry_read(const struct registry *r, int64_t lease_id, pid_t pid, struct session *ret)
{
    char name[REGISTRY_NAME_BYTES], text[REGISTRY_ENTRY_BYTES];
    struct stat st;
    struct session s;
    ssize_t n = 0;
    int why = 0;

    entry_name(lease_id, pid, name);
    int fd = openat(r->sessions_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT || errno == ELOOP || errno == ENXIO ? SIGHT_IS_NOT
                                                                   : SIGHT_CANNOT_TELL;
    if (fstat(fd, &st) != 0)
        why = errno;
    else if (S_ISREG(st.st_mode) && st.st_uid == r->owner)
        n = read(fd, text, sizeof(text));
    why = n < 0 ? errno : why;
    (void)close(fd);
    errno = why;
    if (why != 0)
        return SIGHT_CANNOT_TELL;
    if (n == 0 || entry_parse(text, (size_t)n, &s) != 0)
        return SIGHT_IS_NOT;
    if (s.pid != pid || s.lease_id != lease_id) {
        session_release(&s);
        return SIGHT_IS_NOT;
    }
    *ret = s;
    return SIGHT_IS;
}

DIR *entries_open(const struct registry *r)
{
    int fd = openat(r->sessions_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
    if (dir == NULL && fd >= 0)
        (void)close(fd);
    return dir;
}
