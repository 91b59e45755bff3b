/* SPDX-License-Identifier: ISC */
#include "leased/site_page.h"

#include "lib/base/log.h"
#include "lib/conf/conf.h"
#include "lib/lease/pubkey.h"

#include <bsd/string.h>
#include <errno.h>
#include <glob.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static void read_host_keys(struct control_site *s)
{
    glob_t files = {0};
    char line[PUBKEY_TYPE_BYTES + PUBKEY_BASE64_BYTES + PUBKEY_COMMENT_BYTES];
    size_t n = 0;
    (void)glob(TUNLEASE_SYSCONFDIR "/ssh/ssh_host_*_key.pub", 0, NULL, &files);
    for (size_t i = 0; i < files.gl_pathc && n < CONTROL_HOST_KEYS_MAX; i++) {
        struct pubkey key;
        FILE *f = fopen(files.gl_pathv[i], "re");
        if (f == NULL)
            continue;
        if (fgets(line, sizeof(line), f) != NULL &&
            pubkey_parse_file(line, strlen(line), &key) == NULL)
            (void)snprintf(s->host_keys[n++], CONTROL_HOST_KEY_BYTES, "%s %s", key.type,
                           key.base64);
        (void)fclose(f);
    }
    globfree(&files);
    if (n == 0)
        log_warn("no '%s' can be read: agents are not told the host keys of this gateway",
                 TUNLEASE_SYSCONFDIR "/ssh/ssh_host_*_key.pub");
}

static int make_page(struct site_page *page)
{
    void *mem = MAP_FAILED;
    page->fd = memfd_create("tunlease-site", MFD_CLOEXEC);
    if (page->fd >= 0 && ftruncate(page->fd, sizeof(*page->shared)) == 0)
        mem = mmap(NULL, sizeof(*page->shared), PROT_READ | PROT_WRITE, MAP_SHARED, page->fd, 0);
    if (mem == MAP_FAILED)
        return -1;
    page->shared = mem;
    return 0;
}

int site_page_update(struct site_page *page, const struct conf *conf)
{
    if (page->shared == NULL && make_page(page) != 0)
        return -1;
    static struct control_site fresh;
    memset(&fresh, 0, sizeof(fresh));
    (void)strlcpy(fresh.ssh_user, conf->agent_login, sizeof(fresh.ssh_user));
    (void)strlcpy(fresh.ssh_host, conf->public_host, sizeof(fresh.ssh_host));
    (void)strlcpy(fresh.jump_user, conf->jump_user, sizeof(fresh.jump_user));
    (void)strlcpy(fresh.reverse_bind_host, conf->agent_bind_host, sizeof(fresh.reverse_bind_host));
    read_host_keys(&fresh);
    fresh.ssh_port = conf->public_port;
    fresh.control_port = conf->ceiling.control.low;
    fresh.heartbeat_interval_s = conf->heartbeat_interval_s;
    /* In one go, since http may be reading: a byte that does not change has no other value
     * meanwhile. */
    memcpy(page->shared, &fresh, sizeof(fresh));
    return 0;
}

const struct control_site *site_page_map(int fd)
{
    void *mem = mmap(NULL, sizeof(struct control_site), PROT_READ, MAP_SHARED, fd, 0);
    int saved = errno;
    (void)close(fd);
    errno = saved;
    return mem != MAP_FAILED ? mem : NULL;
}
