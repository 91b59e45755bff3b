/* SPDX-License-Identifier: ISC */
#include "leasectl/child.h"
#include "leasectl/ctl_store.h"
#include "leasectl/host/http_ask.h"
#include "leasectl/host/listening.h"
#include "leasectl/prove/host_trials.h"
#include "lib/base/buf.h"
#include "lib/base/port_set.h"
#include "lib/session/lock_holder.h"
#include "lib/session/process.h"

#include <inttypes.h>
#include <linux/capability.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CHILDREN_MAX = 4, PATH_BYTES = CONF_PATH_BYTES + 16 };

static const char not_running[] = "leased does not run, or cannot be seen";

/* ---- its powers ---- */

struct powers {
    uint64_t permitted; /* capabilities */
    unsigned uid, seccomp;
};

static bool read_powers(pid_t pid, struct powers *ret)
{
    char path[64], line[256];
    unsigned found = 0;
    (void)snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
    FILE *f = fopen(path, "re");
    *ret = (struct powers){.uid = 0};
    while (f != NULL && fgets(line, sizeof(line), f) != NULL) {
        found += sscanf(line, "Uid: %u", &ret->uid) == 1;
        found += sscanf(line, "CapPrm: %" SCNx64, &ret->permitted) == 1;
        found += sscanf(line, "Seccomp: %u", &ret->seccomp) == 1;
    }
    if (f != NULL)
        (void)fclose(f);
    return found == 3;
}

static void judge_powers(struct proof *p, pid_t engine, pid_t http)
{
    struct powers e, h;
    struct buf bad = {0}, good = {0};
    if (!read_powers(engine, &e) || !read_powers(http, &h)) {
        proof_not_run(p, (const char *const[]){"leased-powers", NULL},
                      "the powers of leased's processes cannot be read");
        return;
    }
    if (e.uid == 0 || h.uid == 0)
        buf_add(&bad, "it runs as root; ");
    if ((e.permitted & ~(UINT64_C(1) << CAP_KILL)) != 0)
        buf_addf(&bad, "pid %d has capabilities %#" PRIx64 ", more than CAP_KILL; ", (int)engine,
                 e.permitted);
    if (h.permitted != 0)
        buf_addf(&bad, "pid %d, which reads HTTP, has capabilities %#" PRIx64 "; ", (int)http,
                 h.permitted);
    if (h.seccomp != SECCOMP_MODE_FILTER)
        buf_addf(&bad, "pid %d, which reads HTTP, has no filter of system calls; ", (int)http);
    buf_addf(&good,
             "uid %u; pid %d has CAP_KILL alone and %s; pid %d, which reads HTTP, has no "
             "capability and a filter",
             e.uid, (int)engine,
             e.seccomp == SECCOMP_MODE_FILTER
                 ? "a filter of system calls"
                 : "no filter of system calls, which its systemd unit would add",
             (int)http);
    if (bad.len >= 2 && !bad.failed)
        bad.data[bad.len - 2] = '\0';
    proof_judge(p, "leased-powers", "leased", child_text(&bad), child_text(&good));
    buf_release(&bad);
    buf_release(&good);
}

static void try_powers(struct proof *p)
{
    char path[PATH_BYTES], name[LOCK_HOLDER_NAME_BYTES];
    struct process engine, children[CHILDREN_MAX];
    size_t count = 0;
    pid_t pid = 0;
    (void)snprintf(path, sizeof(path), "%s-leased", p->ctl->conf.paths.database);
    if (lock_holder_find(path, &pid, name) != SIGHT_IS || strcmp(name, "leased") != 0 ||
        process_read(pid, &engine) != SIGHT_IS ||
        process_children(pid, engine.uid, children, CHILDREN_MAX, &count) != SIGHT_IS || count != 1)
        proof_not_run(p, (const char *const[]){"leased-powers", NULL}, not_running);
    else
        judge_powers(p, pid, children[0].pid);
}

/* ---- what it answers to strangers ---- */

#define REQUEST_OF(host) " HTTP/1.1\r\nHost: " host "\r\nConnection: close\r\n"
#define BODY "{\"action\":\"heartbeat\",\"agent_id\":\"nobody\"}"

/* Each must be refused. */
struct request {
    const char *what, *text;
};

static const struct request without_credential[] = {
    {"GET /version", "GET /version" REQUEST_OF("localhost") "\r\n"},
    {"GET /metrics", "GET /metrics" REQUEST_OF("localhost") "\r\n"},
    {"GET /status.json", "GET /status.json" REQUEST_OF("localhost") "\r\n"},
    {"POST / (a heartbeat)", "POST /" REQUEST_OF("localhost") "Content-Type: application/json\r\n"
                                                              "Content-Length: 42\r\n\r\n" BODY},
};
_Static_assert(sizeof(BODY) - 1 == 42, "Content-Length");

static const struct request of_others[] = {
    {"GET /status.json for another name", "GET /status.json" REQUEST_OF("rebound.example") "\r\n"},
    {"GET /status.json from another site's page",
     "GET /status.json" REQUEST_OF("localhost") "Sec-Fetch-Site: cross-site\r\n\r\n"},
    {"POST /", "POST /" REQUEST_OF("localhost") "Content-Length: 0\r\n\r\n"},
};

/* Busy, or another fault of the request, would tell nothing. */
static bool is_refusal(int status)
{
    return status == 401 || status == 403 || status == 404 || status == 405;
}

static void try_request(struct proof *p, const char *id, const struct conf_listener *at,
                        const char *where, const struct request *r)
{
    struct buf answer = {0};
    char what[PATH_BYTES + 64];
    (void)snprintf(what, sizeof(what), "%s at %s", r->what, where);
    const char *problem = http_ask(at, r->text, &answer);
    const char *text = child_text(&answer);
    const bool is_leased =
        strncmp(text, "HTTP/1.1 ", 9) == 0 && strstr(text, "\"code\":\"") != NULL;
    const int status = strncmp(text, "HTTP/1.1 ", 9) == 0 ? atoi(text + 9) : 0;
    if (problem != NULL)
        proof_add(p, id, what, OUTCOME_NOT_RUN, "no answer: %s", problem);
    else if (status >= 200 && status < 300)
        proof_add(p, id, what, OUTCOME_FAIL, "answered %d", status);
    else if (is_leased && is_refusal(status))
        proof_add(p, id, what, OUTCOME_PASS, "answered %d", status);
    else
        proof_add(p, id, what, OUTCOME_NOT_RUN, "%s: %d",
                  is_leased ? "leased did not come to judge it"
                            : "what answers there is not leased",
                  status);
    buf_release(&answer);
}

static void format_place(const struct conf_listener *at, char out[static PATH_BYTES])
{
    if (at->unix_path[0] != '\0')
        (void)snprintf(out, PATH_BYTES, "unix:%s", at->unix_path);
    else
        permit_format(&at->address, out);
}

static void try_strangers(struct proof *p)
{
    const struct conf *conf = &p->ctl->conf;
    char where[PATH_BYTES];
    bool asked = false;
    for (size_t i = 0; i < conf->listen_count; i++) {
        if (conf->listen[i].proxy_group[0] != '\0') /* it answers only with the proxy's header */
            continue;
        asked = true;
        format_place(&conf->listen[i], where);
        for (size_t k = 0; k < sizeof(without_credential) / sizeof(without_credential[0]); k++)
            try_request(p, "no-credential", &conf->listen[i], where, &without_credential[k]);
    }
    if (!asked)
        proof_add(p, "no-credential", "Listen", OUTCOME_NOT_RUN,
                  "leased listens for a proxy alone");
}

static void try_page(struct proof *p)
{
    const struct conf *conf = &p->ctl->conf;
    char where[PATH_BYTES];
    if (!conf->has_metrics_listen) {
        proof_add(p, "page-host", "MetricsListen", OUTCOME_PASS, "it is not set: there is no page");
        return;
    }
    format_place(&conf->metrics_listen, where);
    for (size_t i = 0; i < sizeof(of_others) / sizeof(of_others[0]); i++)
        try_request(p, "page-host", &conf->metrics_listen, where, &of_others[i]);
}

/* ---- who reaches it ---- */

static void add_port(struct port_set *ports, const struct conf_listener *at)
{
    if (at->unix_path[0] == '\0')
        port_set_add(ports, at->address.low, at->address.low);
}

static void try_loopback(struct proof *p)
{
    static struct port_set ports; /* 8 KiB */
    const struct conf *conf = &p->ctl->conf;
    struct listening_sockets found;
    struct buf good = {0}, bad = {0};
    for (size_t i = 0; i < conf->listen_count; i++)
        add_port(&ports, &conf->listen[i]);
    if (conf->has_metrics_listen)
        add_port(&ports, &conf->metrics_listen);
    if (conf->allow_plain_http) {
        proof_add(p, "loopback-only", "AllowPlainHTTP", OUTCOME_PASS,
                  "it is yes, which the claim excepts");
        return;
    }
    if (listening_sockets_beyond_loopback(&ports, &found) != 0) {
        proof_add(p, "loopback-only", "the ports of leased", OUTCOME_NOT_RUN,
                  "the kernel's table cannot be read");
        return;
    }
    for (size_t i = 0; i < found.count; i++)
        buf_addf(&bad, "%s%s port %u", i > 0 ? ", " : "something listens on ", found.items[i].host,
                 found.items[i].port);
    buf_add(&good, "nothing listens beyond loopback on ");
    port_set_format(&ports, &good);
    proof_judge(p, "loopback-only", "the ports of leased", child_text(&bad),
                port_set_count(&ports) > 0 ? child_text(&good) : "it has no TCP port");
    buf_release(&good);
    buf_release(&bad);
}

void try_leased(struct proof *p)
{
    proof_show_progress(p, "leased");
    try_powers(p);
    try_strangers(p);
    try_page(p);
    try_loopback(p);
}
