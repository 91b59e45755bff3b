/* SPDX-License-Identifier: ISC */
#include "pam_tunnel/connection.h"

#include "lib/base/clock.h"
#include "lib/conf/paths.h"
#include "lib/session/auth_info.h"
#include "lib/session/process.h"
#include "lib/session/registry.h"
#include "lib/session/registry_write.h"

#include <arpa/inet.h>
#include <bsd/string.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char data_name[] = "pam_tunnel_session";

struct close_data {
    char registry_dir[CONF_PATH_BYTES];
    int64_t lease_id;
    pid_t pid;
};

/* The client's address, the first word of SSH_CONNECTION, with its zone: sshd compares from= with
 * both (lib/lease/source.h). */
static int parse_source(const char *connection, char out[static SESSION_ADDRESS_BYTES])
{
    unsigned char bytes[sizeof(struct in6_addr)];
    char address[SESSION_ADDRESS_BYTES];
    size_t len = connection != NULL ? strcspn(connection, " ") : 0;
    if (len == 0 || len >= sizeof(address))
        return -1;
    memcpy(address, connection, len);
    address[len] = '\0';
    char *zone = strchr(address, '%'); /* fe80::1%eth0 */
    if (zone != NULL)
        *zone = '\0';
    if (inet_pton(AF_INET, address, bytes) != 1 && inet_pton(AF_INET6, address, bytes) != 1)
        return -1;
    (void)snprintf(out, SESSION_ADDRESS_BYTES, "%.*s", (int)len, connection);
    return 0;
}

const char *connection_read(pam_handle_t *pamh, struct session *s, struct auth_info *key)
{
    struct process self;
    const char *why = auth_info_parse(pam_getenv(pamh, "SSH_AUTH_INFO_0"), key);
    if (why != NULL)
        return why;
    (void)strlcpy(s->fingerprint, key->fingerprint, sizeof(s->fingerprint));
    if (parse_source(pam_getenv(pamh, "SSH_CONNECTION"), s->source) != 0)
        return "sshd does not say where the client is";
    if (process_read(getpid(), &self) != SIGHT_IS)
        return "/proc cannot be read";
    s->pid = self.pid;
    s->start_ticks = self.start_ticks;
    s->since_s = clock_now_s();
    return NULL;
}

const char *connection_cannot_register(void)
{
    return errno == EEXIST
               ? "a session of another pid namespace, such as that of a container that shares "
                 "RunDir, is registered with the same pid; the next login will have another pid"
               : "the session cannot be registered";
}

static void free_close_data(pam_handle_t *pamh, void *data, int status)
{
    (void)pamh;
    (void)status;
    free(data);
}

const char *connection_remember(pam_handle_t *pamh, const char *registry_dir, int64_t lease_id,
                                pid_t pid)
{
    struct close_data *close_data = calloc(1, sizeof(*close_data));
    if (close_data == NULL)
        return "out of memory";
    (void)strlcpy(close_data->registry_dir, registry_dir, sizeof(close_data->registry_dir));
    close_data->lease_id = lease_id;
    close_data->pid = pid;
    if (pam_set_data(pamh, data_name, close_data, free_close_data) != PAM_SUCCESS) {
        free(close_data);
        return "out of memory";
    }
    return NULL;
}

void connection_forget(pam_handle_t *pamh)
{
    const void *data = NULL;
    struct registry registry;
    int rc;
    if (pam_get_data(pamh, data_name, &data) != PAM_SUCCESS || data == NULL)
        return;
    const struct close_data *close_data = data;
    if (close_data->pid != getpid())
        return;
    do
        rc = registry_open(close_data->registry_dir, false, &registry);
    while (rc != 0 && errno == EINTR);
    if (rc != 0)
        return; /* readers of the registry see that the process is gone */
    registry_remove_own(&registry, close_data->lease_id, close_data->pid);
    registry_close(&registry);
}

void connection_end(pam_handle_t *pamh, const struct module_args *args)
{
    if (args->end_refused && geteuid() == 0 && getuid() == 0 &&
        pam_getenv(pamh, "SSH_CONNECTION") != NULL)
        (void)kill(getpid(), SIGTERM);
}
