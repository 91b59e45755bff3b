/* SPDX-License-Identifier: ISC */
#include "leased/privileges.h"

#include "lib/base/log.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

static const char service_user[] = "_tunlease";

/* With capset(2): libcap is not worth it for two calls. */
static int set_capabilities(uint32_t low)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[2] = {{.effective = low, .permitted = low}};
    return (int)syscall(SYS_capset, &header, data);
}

int privileges_drop(void)
{
    const struct passwd *pw = geteuid() == 0 ? getpwnam(service_user) : NULL;
    if (pw == NULL)
        return 0;
    if (prctl(PR_SET_KEEPCAPS, 1) != 0 || initgroups(service_user, pw->pw_gid) != 0 ||
        setresgid(pw->pw_gid, pw->pw_gid, pw->pw_gid) != 0 ||
        setresuid(pw->pw_uid, pw->pw_uid, pw->pw_uid) != 0 ||
        set_capabilities(1U << CAP_KILL) != 0 || prctl(PR_SET_KEEPCAPS, 0) != 0) {
        log_error("cannot become %s: %s", service_user, strerror(errno));
        return -1;
    }
    return 0;
}

int privileges_drop_all(void)
{
    (void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
    return geteuid() != 0 ? set_capabilities(0) : 0;
}
