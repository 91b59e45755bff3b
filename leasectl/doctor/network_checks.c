/* SPDX-License-Identifier: ISC */
/* Who else may get the ports of leases, and can be reached at them without a lease? */
#include "leasectl/doctor/checks.h"
#include "leasectl/doctor/usage.h"
#include "leasectl/host/kernel_ports.h"
#include "leasectl/host/listening.h"
#include "lib/base/buf.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char sysctl_file[] = TUNLEASE_SYSCONFDIR "/sysctl.d/60-tunlease.conf";

static void report_overlap(struct doctor_run *d, const struct kernel_ports *kernel,
                           const struct port_set *shared)
{
    struct buf ports = {0}, reserved = {0};
    struct port_set all = kernel->reserved;
    for (size_t i = 0; i < sizeof(all.bits); i++)
        all.bits[i] |= shared->bits[i];
    port_set_format(shared, &ports);
    port_set_format(&all, &reserved);
    doctor_report(d, RESULT_WARN, "ports",
                  "the kernel gives %u-%u to outgoing connections of any program, and of these "
                  "AllowListen has %s",
                  kernel->local_low, kernel->local_high, buf_text(&ports));
    doctor_why(d, "while a connection has the port of an agent, or of another lease that listens, "
                  "its -R is refused");
    if (port_set_count(shared) > (kernel->local_high - kernel->local_low + 1U) / 2)
        doctor_mend(d,
                    "in '%s': an AllowListen outside %u-%u, such as 'AllowListen "
                    "127.0.0.1:20000-29999'",
                    ctl_conf_name(d->ctl), kernel->local_low, kernel->local_high);
    else
        doctor_mend(d,
                    "sysctl -w net.ipv4.ip_local_reserved_ports=%s; and for the next boot "
                    "'net.ipv4.ip_local_reserved_ports = %s' in '%s'",
                    buf_text(&reserved), buf_text(&reserved), sysctl_file);
    buf_release(&ports);
    buf_release(&reserved);
}

static void check_unprivileged(struct doctor_run *d, const struct kernel_ports *kernel)
{
    const unsigned sshd_port = d->has_dialect ? d->sshd.port : 22;
    if (sshd_port >= 1024 || kernel->first_unprivileged > sshd_port)
        return;
    doctor_report(d, RESULT_WARN, "ports", "any user of this host may listen on ports from %u on",
                  kernel->first_unprivileged);
    doctor_why(d, "while sshd is down, another program can listen in its place, on port %u",
               sshd_port);
    doctor_mend(d,
                "sysctl -w net.ipv4.ip_unprivileged_port_start=1024; and for the next boot "
                "'net.ipv4.ip_unprivileged_port_start = 1024' in '%s'",
                sysctl_file);
}

void check_kernel_ports(struct doctor_run *d)
{
    const struct ceiling_rules *listen = &d->ctl->conf.ceiling.listen;
    struct kernel_ports kernel;
    struct port_set shared = {0}, given = {0};
    const unsigned warned = d->warned;
    if (kernel_ports_read(&kernel) != 0) {
        doctor_report(d, RESULT_UNKNOWN, "ports",
                      "whether the kernel gives away ports of leases was not asked: %s",
                      strerror(errno));
        doctor_why(d, "while a connection has the port of an agent, its -R is refused");
        doctor_mend(d, "run 'leasectl doctor' where /proc/sys/net can be read");
        return;
    }
    for (size_t i = 0; i < listen->count; i++)
        port_set_add(&shared, listen->items[i].permit.low, listen->items[i].permit.high);
    port_set_add(&given, kernel.local_low, kernel.local_high);
    port_set_keep(&shared, &given);
    port_set_remove(&shared, &kernel.reserved);
    if (port_set_count(&shared) > 0)
        report_overlap(d, &kernel, &shared);
    check_unprivileged(d, &kernel);
    if (d->warned == warned)
        doctor_report(d, RESULT_OK, "ports", "the kernel gives no port of AllowListen to others");
}

/* What makes a service listen on loopback alone, by a word of its command line. %u: the port. */
static const struct rebind {
    const char *word, *mend;
} rebinds[] = {
    {"http.server", "'--bind 127.0.0.1' on its command line"},
    {"gunicorn", "'--bind 127.0.0.1:%u' on its command line"},
    {"uvicorn", "'--host 127.0.0.1' on its command line"},
    {"vllm", "'--host 127.0.0.1' on its command line"},
    {"llama-server", "'--host 127.0.0.1' on its command line"},
    {"ollama", "'Environment=OLLAMA_HOST=127.0.0.1:%u' with 'systemctl edit ollama'"},
    {"jupyter", "'--ip=127.0.0.1' on its command line"},
    {"nginx", "'listen 127.0.0.1:%u;' in its server block, then nginx -s reload"},
    {"apache2", "'Listen 127.0.0.1:%u' in /etc/apache2/ports.conf, and restart it"},
    {"httpd", "'Listen 127.0.0.1:%u' in its httpd.conf, and restart it"},
    {"caddy", "'bind 127.0.0.1' in its site block, then caddy reload"},
    {"postgres", "\"listen_addresses = 'localhost'\" in postgresql.conf, and restart it"},
    {"redis-server", "'bind 127.0.0.1 -::1' in redis.conf, and restart it"},
    {"mariadbd", "'bind-address = 127.0.0.1' below [mysqld], and restart it"},
    {"mysqld", "'bind-address = 127.0.0.1' below [mysqld], and restart it"},
    {"mongod", "'bindIp: 127.0.0.1' below net: in mongod.conf, and restart it"},
    {"prometheus", "'--web.listen-address=127.0.0.1:%u' on its command line"},
    {"grafana", "'http_addr = 127.0.0.1' below [server] in grafana.ini, and restart it"},
};

/* docker-proxy stands for a container: `... -container-ip ADDRESS -container-port PORT`. */
static void mend_docker(struct doctor_run *d, uint16_t port, const char *command)
{
    static const char option[] = "-container-port ";
    const char *at = strstr(command, option);
    const long inner = at != NULL ? strtol(at + sizeof(option) - 1, NULL, 10) : port;
    doctor_mend(d,
                "docker run with '-p 127.0.0.1:%u:%ld', in compose.yaml \"127.0.0.1:%u:%ld\" "
                "below ports:, and make the container again",
                port, inner, port, inner);
}

static void mend_service(struct doctor_run *d, uint16_t port, const char *command)
{
    char line[256];
    if (strstr(command, "docker-proxy") != NULL) {
        mend_docker(d, port, command);
        return;
    }
    for (size_t i = 0; i < sizeof(rebinds) / sizeof(rebinds[0]); i++) {
        const char *at = strstr(rebinds[i].mend, "%u");
        if (strstr(command, rebinds[i].word) == NULL)
            continue;
        if (at != NULL)
            (void)snprintf(line, sizeof(line), "%.*s%u%s", (int)(at - rebinds[i].mend),
                           rebinds[i].mend, port, at + 2);
        else
            (void)snprintf(line, sizeof(line), "%s", rebinds[i].mend);
        doctor_mend(d, "%s", line);
        return;
    }
    doctor_mend(d,
                "let it listen on 127.0.0.1:%u alone: most services call that bind, host or listen "
                "address; or keep others out: nft add rule inet filter input iif != lo tcp dport "
                "%u drop",
                port, port);
}

static void report_service(struct doctor_run *d, const struct listening_socket *s)
{
    struct listening_process p;
    char who[96] = "by a process that cannot be seen here";
    const char *open = strchr(s->host, ':') != NULL ? "[" : "", *close = *open != '\0' ? "]" : "";
    listening_process_of(s, &p);
    if (p.pid != 0)
        (void)snprintf(who, sizeof(who), "by '%s' (pid %d)", p.name, (int)p.pid);
    doctor_report(d, RESULT_WARN, "service",
                  "port %u, which leases open, is listened on at %s%s%s, too, %s", s->port, open,
                  s->host, close, who);
    doctor_why(d, "who can reach this host needs no lease for it, unless a firewall stands before "
                  "it");
    mend_service(d, s->port, p.command);
}

/* Services that leases open, and that others can reach without one. */
void report_services(struct doctor_run *d, const struct usage *usage)
{
    const struct conf *conf = &d->ctl->conf;
    struct port_set ports = usage->loopback_open, meant = {0};
    struct listening_sockets found;
    if (d->has_dialect && d->sshd.port != 0) /* a jump through this host, to itself */
        port_set_add(&meant, d->sshd.port, d->sshd.port);
    for (size_t i = 0; i < conf->listen_count; i++)
        if (conf->listen[i].unix_path[0] == '\0')
            port_set_add(&meant, conf->listen[i].address.low, conf->listen[i].address.low);
    port_set_remove(&ports, &meant);
    if (listening_sockets_beyond_loopback(&ports, &found) != 0) {
        doctor_report(d, RESULT_UNKNOWN, "service",
                      "whether others reach what leases open was not asked: %s", strerror(errno));
        doctor_why(d, "who reaches a service without a lease is stopped by no end of one");
        doctor_mend(d, "ss -ltn");
        return;
    }
    for (size_t i = 0; i < found.count; i++)
        report_service(d, &found.items[i]);
    if (found.count == 0)
        doctor_report(d, RESULT_OK, "service",
                      "nothing that leases open on this host can be reached without one");
}
