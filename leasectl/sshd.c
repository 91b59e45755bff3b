/* SPDX-License-Identifier: ISC */
#include "leasectl/sshd.h"

#include "leasectl/child.h"
#include "lib/base/clock.h"
#include "lib/base/number.h"

#include <arpa/inet.h>
#include <bsd/string.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char sshd_path[] = "/usr/sbin/sshd";

enum { ASK_MS = 10000, RELOAD_MS = 5000 };

static void first_line(const struct buf *said, struct buf *out)
{
    const char *text = said->len > 0 ? buf_text(said) : NULL;
    if (text != NULL)
        buf_add_mem(out, text, strcspn(text, "\r\n"));
}

bool sshd_get_version(struct sshd_version *ret)
{
    const char *const argv[] = {sshd_path, "-V", NULL};
    struct child c;
    bool found = false;
    /* Older ones do not know -V, and print the version with their usage. */
    (void)child_run(&c, argv, NULL, NULL, ASK_MS);
    const char *at = c.err_text.len > 0 ? strstr(buf_text(&c.err_text), "OpenSSH_") : NULL;
    if (at != NULL) {
        char *end;
        unsigned long major = strtoul(at + 8, &end, 10);
        unsigned long minor = *end == '.' ? strtoul(end + 1, NULL, 10) : 0;
        found = major > 0 && major < 1000 && minor < 1000;
        if (found)
            *ret = (struct sshd_version){(unsigned)major, (unsigned)minor};
    }
    child_release(&c);
    return found;
}

bool sshd_at_least(const struct sshd_version *v, unsigned major, unsigned minor)
{
    return v->major > major || (v->major == major && v->minor >= minor);
}

int sshd_effective(const char *login, struct buf *out)
{
    char spec[128];
    const char *argv[5] = {sshd_path, "-T"};
    struct child c;
    /* sshd checks that its privilege separation directory is there, even to print. */
    (void)mkdir(TUNLEASE_RUNSTATEDIR "/sshd", 0755);
    if (login != NULL) {
        (void)snprintf(spec, sizeof(spec), "user=%s,host=localhost,addr=127.0.0.1", login);
        argv[2] = "-C";
        argv[3] = spec;
    }
    int status = child_run(&c, argv, NULL, NULL, ASK_MS);
    if (status == 0 && c.out_text.len > 0)
        buf_add(out, buf_text(&c.out_text));
    else if (status == 127)
        buf_addf(out, "there is no %s", sshd_path);
    else
        first_line(&c.err_text, out);
    child_release(&c);
    return status == 0 ? 0 : -1;
}

void sshd_setting(const struct buf *effective, const char *keyword, char *value, size_t value_bytes)
{
    size_t len = strlen(keyword);
    value[0] = '\0';
    for (const char *line = buf_text(effective); line != NULL && *line != '\0';) {
        size_t line_bytes = strcspn(line, "\n");
        if (line_bytes > len && strncasecmp(line, keyword, len) == 0 && line[len] == ' ') {
            size_t n = line_bytes - len - 1;
            n = n < value_bytes ? n : value_bytes - 1;
            memcpy(value, line + len + 1, n);
            value[n] = '\0';
            return;
        }
        line += line_bytes + (line[line_bytes] == '\n' ? 1 : 0);
    }
}

void sshd_host_keys(struct buf *out)
{
    static const char usual[] = TUNLEASE_SYSCONFDIR
        "/ssh/ssh_host_ed25519_key\n" TUNLEASE_SYSCONFDIR
        "/ssh/ssh_host_ecdsa_key\n" TUNLEASE_SYSCONFDIR "/ssh/ssh_host_rsa_key\n";
    struct buf effective = {0};
    if (geteuid() != 0 || sshd_effective(NULL, &effective) != 0) {
        buf_add(out, usual);
    } else {
        for (const char *line = buf_text(&effective); line != NULL && *line != '\0';) {
            size_t len = strcspn(line, "\n");
            if (strncmp(line, "hostkey ", 8) == 0)
                buf_addf(out, "%.*s\n", (int)len - 8, line + 8);
            line += len + (line[len] == '\n' ? 1 : 0);
        }
    }
    buf_release(&effective);
}

bool sshd_read_public_key(const char *path, struct pubkey *ret)
{
    char text[8192];
    FILE *f = fopen(path, "re");
    if (f == NULL)
        return false;
    size_t len = fread(text, 1, sizeof(text), f);
    (void)fclose(f);
    return pubkey_parse_file(text, len, ret) == NULL;
}

/* `listenaddress 0.0.0.0:22` or `[::]:22`; any address means loopback for us. */
static bool parse_listen(const char *value, char host[static 64], uint16_t *ret_port)
{
    int64_t port;
    char text[128];
    (void)strlcpy(text, value, sizeof(text));
    char *colon = strrchr(text, ':');
    if (colon == NULL)
        return false;
    *colon = '\0';
    if (!number_parse(colon + 1, strlen(colon + 1), 1, UINT16_MAX, &port))
        return false;
    char *name = text;
    if (*name == '[') {
        name++;
        name[strcspn(name, "]")] = '\0';
    }
    if (strcmp(name, "0.0.0.0") == 0)
        name = strcpy(text, "127.0.0.1");
    else if (strcmp(name, "::") == 0)
        name = strcpy(text, "::1");
    *ret_port = (uint16_t)port;
    return strlcpy(host, name, 64) < 64;
}

int sshd_address(char host[static 64], uint16_t *ret_port, struct buf *out)
{
    struct buf effective = {0};
    bool found = false;
    if (sshd_effective(NULL, &effective) != 0) {
        buf_addf(out, "sshd -T failed: %s", buf_text(&effective));
        buf_release(&effective);
        return -1;
    }
    for (const char *line = buf_text(&effective); line != NULL && *line != '\0';) {
        char value[128], candidate[64];
        uint16_t port;
        size_t len = strcspn(line, "\n");
        if (strncmp(line, "listenaddress ", 14) == 0 && len - 14 < sizeof(value)) {
            memcpy(value, line + 14, len - 14);
            value[len - 14] = '\0';
            /* IPv4 before IPv6: from="127.0.0.1" is what most leases would see. */
            if (parse_listen(value, candidate, &port) &&
                (!found || strchr(candidate, ':') == NULL)) {
                (void)strlcpy(host, candidate, 64);
                *ret_port = port;
                found = true;
                if (strchr(candidate, ':') == NULL)
                    break;
            }
        }
        line += len + (line[len] == '\n' ? 1 : 0);
    }
    buf_release(&effective);
    if (!found)
        buf_add(out, "sshd -T names no address that it listens on");
    return found ? 0 : -1;
}

int sshd_test(struct buf *out)
{
    const char *const argv[] = {sshd_path, "-t", NULL};
    struct child c;
    (void)mkdir(TUNLEASE_RUNSTATEDIR "/sshd", 0755);
    int status = child_run(&c, argv, NULL, NULL, ASK_MS);
    if (status != 0)
        first_line(&c.err_text, out);
    child_release(&c);
    return status == 0 ? 0 : -1;
}

/* The listener's pid, from its pid file; 0 when there is none, or it is another program's now. */
static pid_t listener_pid(char pid_file[static 256])
{
    char text[32], link_path[64], exe[256];
    int64_t pid;
    struct buf effective = {0};
    pid_file[0] = '\0';
    if (sshd_effective(NULL, &effective) == 0)
        sshd_setting(&effective, "pidfile", pid_file, 256);
    buf_release(&effective);
    FILE *f = fopen(pid_file, "re");
    if (f == NULL)
        return 0;
    bool read_it = fgets(text, sizeof(text), f) != NULL;
    (void)fclose(f);
    if (!read_it)
        return 0;
    text[strcspn(text, "\n")] = '\0';
    if (!number_parse(text, strlen(text), 2, 1 << 22, &pid))
        return 0;
    (void)snprintf(link_path, sizeof(link_path), "/proc/%" PRId64 "/exe", pid);
    ssize_t n = readlink(link_path, exe, sizeof(exe) - 1);
    if (n <= 0)
        return 0;
    exe[n] = '\0';
    return strstr(exe, "/sshd") != NULL ? (pid_t)pid : 0;
}

/* sshd takes its pid file away and writes it anew once it listens again. */
static int wait_for_reload(const char *pid_file, const struct stat *before, struct buf *out)
{
    int64_t end_ms = clock_monotonic_ms() + RELOAD_MS;
    struct stat now;
    while (clock_monotonic_ms() < end_ms) {
        if (stat(pid_file, &now) == 0 && now.st_size > 0 &&
            (now.st_ino != before->st_ino || now.st_ctim.tv_sec != before->st_ctim.tv_sec ||
             now.st_ctim.tv_nsec != before->st_ctim.tv_nsec))
            return 0;
        (void)poll(NULL, 0, 10);
    }
    buf_add(out, "sshd did not come back from the reload within 5 s: see its log");
    return -1;
}

int sshd_reload(struct buf *out, bool *ret_running)
{
    const char *const argv[] = {"systemctl", "reload", "ssh.service", NULL};
    char pid_file[256];
    struct child c;
    struct stat before;

    *ret_running = true;
    if (access("/run/systemd/system", F_OK) == 0) {
        int status = child_run(&c, argv, NULL, NULL, ASK_MS);
        if (status != 0)
            first_line(&c.err_text, out);
        child_release(&c);
        return status == 0 ? 0 : -1;
    }
    pid_t pid = listener_pid(pid_file);
    if (pid == 0 || stat(pid_file, &before) != 0) {
        *ret_running = false;
        return 0;
    }
    if (kill(pid, SIGHUP) != 0) {
        buf_addf(out, "cannot signal sshd (pid %d): %s", (int)pid, strerror(errno));
        return -1;
    }
    return wait_for_reload(pid_file, &before, out);
}
