/* SPDX-License-Identifier: ISC */
#include "leasectl/host/sshd_settings.h"

#include "leasectl/child.h"
#include "lib/base/number.h"
#include "lib/base/text.h"

#include <bsd/string.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { QUERY_MS = 10000, SPEC_BYTES = 512 };

static const char *line_after(const char *line)
{
    line += strcspn(line, "\n");
    return *line == '\n' ? line + 1 : line;
}

/* OpenSSH 10.5 and later print keywords as sshd_config(5) writes them; older ones in lower case. */
static void add_with_lower_keywords(const char *text, struct buf *out)
{
    for (const char *line = text; *line != '\0'; line = line_after(line)) {
        size_t line_bytes = strcspn(line, "\n"), keyword_bytes = strcspn(line, " \n");
        for (size_t i = 0; i < keyword_bytes; i++) {
            char lower = text_lower(line[i]);
            buf_add_mem(out, &lower, 1);
        }
        buf_add_mem(out, line + keyword_bytes, line_bytes - keyword_bytes);
        buf_add(out, "\n");
    }
}

int sshd_effective(const struct sshd *s, const char *login, struct buf *out)
{
    return sshd_effective_from(s, login, NULL, out);
}

/* What sshd -C takes: the client, if there is one, and where it is known the address that it
 * connects to. */
static void format_connection(const struct sshd *s, const char *login, const char *addr,
                              char out[static SPEC_BYTES])
{
    /* A client whose name sshd does not ask DNS for (UseDNS no) is called by its address. */
    const char *from = addr != NULL ? addr : "127.0.0.1";
    int n = 0;
    out[0] = '\0';
    if (login != NULL)
        n = snprintf(out, SPEC_BYTES, "user=%s,host=%s,addr=%s", login, from, from);
    if (n >= 0 && n < SPEC_BYTES && s->host[0] != '\0')
        (void)snprintf(out + n, SPEC_BYTES - (size_t)n, "%sladdr=%s,lport=%u", n > 0 ? "," : "",
                       s->host, s->port);
}

/* spec "": without -C. */
static int query(const struct sshd *s, const char *spec, struct buf *out)
{
    const char *argv[7] = {s->path, "-T"};
    size_t argc = 2;
    struct child c;
    struct buf text = {0}, ports = {0};
    int rc = -1;
    /* sshd checks that its privilege separation directory is there, even to print. */
    (void)mkdir(TUNLEASE_RUNSTATEDIR "/sshd", 0755);
    if (spec[0] != '\0') {
        argv[argc++] = "-C";
        argv[argc++] = spec;
    }
    if (s->config_file[0] != '\0') {
        argv[argc++] = "-f";
        argv[argc++] = s->config_file;
    }
    int status = child_run(&c, argv, NULL, NULL, QUERY_MS);
    if (status == 0 && c.out_text.len > 0 && buf_text(&c.out_text) != NULL)
        add_with_lower_keywords(buf_text(&c.out_text), &text);
    sshd_setting_values(&text, "port", &ports); /* every sshd prints one */
    if (status == 127)
        buf_addf(out, "there is no %s", s->path);
    else if (status == CHILD_OUT_OF_TIME)
        buf_addf(out, "'%s -T' did not end within %d s", s->path, QUERY_MS / 1000);
    else if (status != 0 && c.err_text.len > 0)
        child_add_first_line(&c.err_text, out);
    else if (status != 0)
        buf_addf(out, "'%s -T' exits %d and prints no error", s->path, status);
    else if (ports.len == 0 || buf_text(&text) == NULL)
        buf_addf(out, "what '%s -T' prints is not understood", s->path);
    else
        rc = 0;
    if (rc == 0)
        buf_add(out, buf_text(&text));
    buf_release(&ports);
    buf_release(&text);
    child_release(&c);
    return rc;
}

int sshd_effective_for(const struct sshd *s, const struct sshd_connection *c, struct buf *out)
{
    char spec[SPEC_BYTES];
    (void)snprintf(spec, sizeof(spec), "user=%s,host=%s,addr=%s,laddr=%s,lport=%u", c->login,
                   c->host, c->addr, c->laddr, c->lport);
    return query(s, spec, out);
}

int sshd_effective_from(const struct sshd *s, const char *login, const char *addr, struct buf *out)
{
    char spec[SPEC_BYTES] = "";
    struct buf text = {0};
    if (login != NULL)
        format_connection(s, login, addr, spec);
    int rc = query(s, spec, &text);
    /* Some print not even the global settings if there is a Match LocalPort and no port to match.
     */
    if (rc != 0 && login == NULL && s->host[0] != '\0' && buf_text(&text) != NULL &&
        strstr(buf_text(&text), "connection test specification") != NULL) {
        buf_clear(&text);
        format_connection(s, NULL, NULL, spec);
        rc = query(s, spec, &text);
    }
    if (buf_text(&text) == NULL)
        rc = -1;
    buf_add(out, buf_text_or(&text, "out of memory"));
    buf_release(&text);
    return rc;
}

/* The value when line sets keyword, else NULL. */
static const char *value_on(const char *line, const char *keyword)
{
    size_t len = strlen(keyword);
    return strncmp(line, keyword, len) == 0 && line[len] == ' ' ? line + len + 1 : NULL;
}

void sshd_setting_values(const struct buf *effective, const char *keyword, struct buf *out)
{
    const char *line = effective->len > 0 ? buf_text(effective) : NULL;
    for (; line != NULL && *line != '\0'; line = line_after(line)) {
        const char *value = value_on(line, keyword);
        if (value != NULL)
            buf_addf(out, "%.*s\n", (int)strcspn(value, "\n"), value);
    }
}

void sshd_setting(const struct buf *effective, const char *keyword, char *value, size_t value_bytes)
{
    struct buf all = {0};
    sshd_setting_values(effective, keyword, &all);
    const char *first = all.len > 0 ? buf_text(&all) : NULL;
    value[0] = '\0';
    if (first != NULL)
        (void)snprintf(value, value_bytes, "%.*s", (int)strcspn(first, "\n"), first);
    buf_release(&all);
}

int sshd_host_keys(const struct sshd *s, struct buf *out)
{
    static const char usual[] = TUNLEASE_SYSCONFDIR
        "/ssh/ssh_host_ed25519_key\n" TUNLEASE_SYSCONFDIR
        "/ssh/ssh_host_ecdsa_key\n" TUNLEASE_SYSCONFDIR "/ssh/ssh_host_rsa_key\n";
    struct buf effective = {0}, files = {0};
    int rc = -1;
    if (geteuid() != 0) {
        buf_add(out, usual);
        return 0;
    }
    if (sshd_effective(s, NULL, &effective) != 0) {
        buf_addf(out, "sshd's host keys cannot be looked up: %s",
                 buf_text_or(&effective, "out of memory"));
        goto out;
    }
    sshd_setting_values(&effective, "hostkey", &files);
    if (files.len == 0 || buf_text(&files) == NULL) {
        buf_addf(out, "'%s -T' names no HostKey", s->path);
        goto out;
    }
    buf_add(out, buf_text(&files));
    rc = 0;
out:
    buf_release(&files);
    buf_release(&effective);
    return rc;
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

/* Parses `0.0.0.0:22` or `[::]:22`. All addresses become the loopback address. */
static bool parse_listen(const char *value, char host[static 64], uint16_t *ret_port)
{
    int64_t port;
    char text[128];
    (void)strlcpy(text, value, sizeof(text));
    text[strcspn(text, " ")] = '\0'; /* a routing domain may follow */
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

int sshd_address(const struct sshd *s, char host[static 64], uint16_t *ret_port, struct buf *out)
{
    struct buf effective = {0}, values = {0};
    bool found = false;
    if (sshd_effective(s, NULL, &effective) != 0) {
        buf_addf(out, "sshd -T failed: %s", buf_text_or(&effective, "out of memory"));
        buf_release(&effective);
        return -1;
    }
    sshd_setting_values(&effective, "listenaddress", &values);
    const char *at = values.len > 0 ? buf_text(&values) : NULL;
    for (bool has_v4 = false; !has_v4 && at != NULL && *at != '\0'; at = line_after(at)) {
        char value[128], candidate[64];
        uint16_t port;
        (void)snprintf(value, sizeof(value), "%.*s", (int)strcspn(at, "\n"), at);
        if (!parse_listen(value, candidate, &port))
            continue;
        /* IPv4 before IPv6: a lease then sees its client at 127.0.0.1. */
        has_v4 = strchr(candidate, ':') == NULL;
        if (!found || has_v4) {
            (void)strlcpy(host, candidate, 64);
            *ret_port = port;
            found = true;
        }
    }
    buf_release(&values);
    buf_release(&effective);
    if (!found)
        buf_add(out, "sshd -T names no address that it listens on");
    return found ? 0 : -1;
}

int sshd_test(const struct sshd *s, struct buf *out)
{
    const bool has_file = s->config_file[0] != '\0';
    const char *const argv[] = {s->path, "-t", has_file ? "-f" : NULL, s->config_file, NULL};
    struct child c;
    (void)mkdir(TUNLEASE_RUNSTATEDIR "/sshd", 0755);
    int status = child_run(&c, argv, NULL, NULL, QUERY_MS);
    if (status != 0 && c.err_text.len > 0)
        child_add_first_line(&c.err_text, out);
    else if (status != 0)
        buf_addf(out, "'%s -t' exits %d and prints no error", s->path, status);
    child_release(&c);
    return status == 0 ? 0 : -1;
}
