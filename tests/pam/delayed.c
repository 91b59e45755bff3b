/* SPDX-License-Identifier: ISC */
/*
 * pam_tunnel.so with a pause at a step of open_session that the test names. The linker puts these
 * functions in front of the real ones (ld(1), --wrap); all other code is that of the product.
 *
 * /run/delayed holds `STEP before|after MS`. /run/delayed.now exists during the pause.
 */
#include "lib/session/registry_lock.h"
#include "lib/session/registry_write.h"
#include "pam_tunnel/helper.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void pause_at(const char *step, const char *when)
{
    char named[16], named_when[8];
    int ms = 0;
    FILE *f = fopen("/run/delayed", "re");
    if (f == NULL)
        return;
    int n = fscanf(f, "%15s %7s %d", named, named_when, &ms);
    (void)fclose(f);
    if (n != 3 || strcmp(named, step) != 0 || strcmp(named_when, when) != 0)
        return;
    int now = open("/run/delayed.now", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    if (now >= 0)
        (void)close(now);
    (void)poll(NULL, 0, ms);
    (void)unlink("/run/delayed.now");
}

int __real_registry_add_opening(const struct registry *r, const struct session *s,
                                int64_t deadline_ms);
int __wrap_registry_add_opening(const struct registry *r, const struct session *s,
                                int64_t deadline_ms);
int __wrap_registry_add_opening(const struct registry *r, const struct session *s,
                                int64_t deadline_ms)
{
    pause_at("add", "before");
    int rc = __real_registry_add_opening(r, s, deadline_ms);
    pause_at("add", "after");
    return rc;
}

enum helper_rc __real_helper_check(const struct module_args *args, const char *login,
                                   const struct auth_info *key, const char *source,
                                   int64_t deadline_ms, struct judgement *ret, const char **why);
enum helper_rc __wrap_helper_check(const struct module_args *args, const char *login,
                                   const struct auth_info *key, const char *source,
                                   int64_t deadline_ms, struct judgement *ret, const char **why);
enum helper_rc __wrap_helper_check(const struct module_args *args, const char *login,
                                   const struct auth_info *key, const char *source,
                                   int64_t deadline_ms, struct judgement *ret, const char **why)
{
    pause_at("check", "before");
    enum helper_rc rc = __real_helper_check(args, login, key, source, deadline_ms, ret, why);
    pause_at("check", "after");
    return rc;
}

int __real_registry_lock(const struct registry *r, int64_t lease_id, int64_t deadline_ms);
int __wrap_registry_lock(const struct registry *r, int64_t lease_id, int64_t deadline_ms);
int __wrap_registry_lock(const struct registry *r, int64_t lease_id, int64_t deadline_ms)
{
    pause_at("lock", "before");
    int fd = __real_registry_lock(r, lease_id, deadline_ms);
    pause_at("lock", "after");
    return fd;
}

int __real_registry_lock_shared(const struct registry *r, int64_t lease_id, int64_t deadline_ms);
int __wrap_registry_lock_shared(const struct registry *r, int64_t lease_id, int64_t deadline_ms);
int __wrap_registry_lock_shared(const struct registry *r, int64_t lease_id, int64_t deadline_ms)
{
    pause_at("lock", "before");
    int fd = __real_registry_lock_shared(r, lease_id, deadline_ms);
    pause_at("lock", "after");
    return fd;
}

int __real_registry_open_session(const struct registry *r, const struct session *s);
int __wrap_registry_open_session(const struct registry *r, const struct session *s);
int __wrap_registry_open_session(const struct registry *r, const struct session *s)
{
    pause_at("open", "before");
    int rc = __real_registry_open_session(r, s);
    pause_at("open", "after");
    return rc;
}
