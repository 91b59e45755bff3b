/* SPDX-License-Identifier: ISC */
#include "leased/engine/report.h"

#include "leased/requests/beats.h"
#include "leased/watch/listeners_cache.h"
#include "leased/watch/metrics.h"
#include "leased/watch/open_store.h"
#include "leased/watch/prometheus.h"
#include "leased/watch/sessions.h"
#include "lib/base/buf.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/session/process.h"
#include "lib/store/agents.h"
#include "lib/store/connection.h"
#include "lib/store/counts.h"
#include "lib/store/session_verdict.h"
#include "lib/store/version.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- metrics ---- */

static void add_process(struct buf *out)
{
    struct process self;
    FILE *f = fopen("/proc/self/statm", "re");
    long pages = 0;
    int64_t fds = -1; /* does not count the descriptor of the directory itself */
    if (f != NULL) {
        if (fscanf(f, "%*d %ld", &pages) != 1)
            pages = 0;
        (void)fclose(f);
    }
    DIR *dir = opendir("/proc/self/fd");
    for (const struct dirent *e; dir != NULL && (e = readdir(dir)) != NULL;)
        fds += e->d_name[0] != '.';
    if (dir != NULL)
        (void)closedir(dir);
    buf_addf(out,
             "# HELP process_resident_memory_bytes Resident memory of the engine.\n"
             "# TYPE process_resident_memory_bytes gauge\nprocess_resident_memory_bytes %lld\n"
             "# HELP process_open_fds Open descriptors of the engine.\n"
             "# TYPE process_open_fds gauge\nprocess_open_fds %" PRId64 "\n",
             (long long)pages * sysconf(_SC_PAGESIZE), fds);
    if (process_read(getpid(), &self) == SIGHT_IS)
        buf_addf(out,
                 "# HELP process_start_time_seconds Start of the engine, in Unix seconds.\n"
                 "# TYPE process_start_time_seconds gauge\nprocess_start_time_seconds %" PRId64
                 "\n",
                 clock_now_s() - clock_boot_ms() / 1000 +
                     (int64_t)self.start_ticks / sysconf(_SC_CLK_TCK));
}

static void add_counts(struct buf *out, const struct store_counts *c)
{
    static const char *const kinds[] = {"grant", "agent"};
    prometheus_header(out, "leases", "gauge", "Leases by state.");
    for (int k = 0; k < 2; k++)
        buf_addf(out,
                 "tunlease_leases{state=\"active\",kind=\"%s\"} %" PRId64 "\n"
                 "tunlease_leases{state=\"expired\",kind=\"%s\"} %" PRId64 "\n"
                 "tunlease_leases{state=\"revoked\",kind=\"%s\"} %" PRId64 "\n",
                 kinds[k], c->active[k], kinds[k], c->expired[k], kinds[k], c->revoked[k]);
    prometheus_value(out, "lease_next_expiry_timestamp_seconds", "gauge",
                     "End of the lease that ends next.", c->next_expiry_s);
    prometheus_header(out, "ports", "gauge",
                      "Listen ports: held by a lease, or in quarantine for a former holder.");
    buf_addf(out,
             "tunlease_ports{state=\"held\"} %" PRId64 "\ntunlease_ports{state=\"kept\"} %" PRId64
             "\n",
             c->ports_held, c->ports_quarantined);
    prometheus_value(out, "audit_rows", "gauge", "Rows of the audit.", c->audit_rows);
}

static void add_rows_changed(const struct report *r, struct buf *out)
{
    prometheus_header(
        out, "store_rows_changed_total", "counter",
        "Rows written to the store; settling: by flushing heartbeats into their leases.");
    buf_addf(out,
             "tunlease_store_rows_changed_total{by=\"settling\"} %" PRId64
             "\ntunlease_store_rows_changed_total{by=\"others\"} %" PRId64 "\n",
             r->beats->rows_flushed,
             store_rows_changed(r->open_store->store) - r->beats->rows_flushed);
}

static void add_sight(const struct report *r, struct buf *out)
{
    const bool sees_sessions = r->sessions->has_registry && !r->sessions->registry_unreadable &&
                               !r->sessions->unseen.may_be_any;
    prometheus_header(
        out, "sight_lost", "gauge",
        "1 if the store, sessions or listeners cannot be seen: no such session is ended, and no "
        "new port is given.");
    buf_addf(out,
             "tunlease_sight_lost{of=\"store\"} %d\ntunlease_sight_lost{of=\"sessions\"} %d\n"
             "tunlease_sight_lost{of=\"listeners\"} %d\n",
             r->open_store->is_lost, !sees_sessions, r->listeners->is_unreadable);
    prometheus_value(out, "sessions_unseen", "gauge",
                     "Sessions in the registry that cannot be seen.",
                     (int64_t)r->sessions->unseen.count);
    prometheus_value(out, "sessions_overdue", "gauge",
                     "Sessions that cannot be seen and whose lease has ended: they are not ended.",
                     (int64_t)r->sessions->unseen.overdue);
}

static void add_sessions(struct report *r, struct buf *out)
{
    const struct metrics *m = r->metrics;
    prometheus_value(out, "sessions", "gauge", "Live sessions in the registry.",
                     (int64_t)r->sessions->judged.count);
    add_sight(r, out);
    prometheus_value(out, "sessions_ending", "gauge",
                     "Sessions of dead leases that are being ended.",
                     (int64_t)r->sessions->endings.count);
    prometheus_value(out, "unregistered_sessions", "gauge",
                     "Processes of tunnel logins that are in no registry entry: nothing ends them.",
                     unregistered_count(&r->unregistered));
    prometheus_value(out, "sessions_opened_total", "counter", "Sessions seen to open.",
                     (int64_t)m->opened);
    prometheus_header(out, "sessions_ended_total", "counter", "Sessions ended, by reason.");
    for (int v = SESSION_ALLOWED + 1; v < SESSION_NOT_JUDGED; v++)
        buf_addf(out, "tunlease_sessions_ended_total{reason=\"%s\"} %" PRIu64 "\n",
                 session_verdict_name((enum session_verdict)v), m->ended[v]);
    prometheus_header(out, "revocation_latency_seconds", "histogram",
                      "From the sweep that found a session dead to its end.");
    prometheus_histogram(out, "revocation_latency_seconds", "", &m->revocation_s);
}

static void add_requests(const struct metrics *m, struct buf *out)
{
    char label[64];
    prometheus_header(out, "http_requests_total", "counter", "Answers, by action and code.");
    for (int a = CONTROL_REGISTER; a < CONTROL_ACTION__MAX; a++)
        for (int c = 0; c < CONTROL_CODE__MAX; c++)
            /* From 0 on where somebody watches for the first one. */
            if (m->requests[a][c] != 0 || (c == CONTROL_COPIED && a <= CONTROL_HEARTBEAT))
                buf_addf(out,
                         "tunlease_http_requests_total{action=\"%s\",code=\"%s\"} %" PRIu64 "\n",
                         control_action_name((enum control_action)a),
                         control_code_name((enum control_code)c), m->requests[a][c]);
    prometheus_header(out, "http_request_duration_seconds", "histogram",
                      "From the engine's receipt of a request to its answer.");
    for (int a = CONTROL_REGISTER; a <= CONTROL_HEARTBEAT; a++) {
        (void)snprintf(label, sizeof(label), "action=\"%s\"",
                       control_action_name((enum control_action)a));
        prometheus_histogram(out, "http_request_duration_seconds", label, &m->request_s[a]);
    }
}

static void write_metrics(struct report *r, struct buf *out)
{
    const struct metrics *m = r->metrics;

    prometheus_header(out, "build_info", "gauge", "The version that runs.");
    buf_addf(out, "tunlease_build_info{version=\"%s\",schema=\"%d\"} 1\n", TUNLEASE_VERSION,
             STORE_VERSION);
    lease_count_begin(&r->leases);
    if (r->leases.is_known)
        add_counts(out, &r->leases.counted);
    add_sessions(r, out);
    add_requests(m, out);
    prometheus_value(out, "heartbeat_last_timestamp_seconds", "gauge", "The newest heartbeat.",
                     m->last_heartbeat_s);
    prometheus_value(out, "sweep_last_success_timestamp_seconds", "gauge",
                     "When sessions were last judged against the store.", m->last_sweep_s);
    prometheus_value(out, "store_errors_total", "counter", "Queries of the store that failed.",
                     (int64_t)m->store_errors);
    if (!r->open_store->is_lost)
        add_rows_changed(r, out);
    prometheus_value(out, "http_restarts_total", "counter",
                     "Times that the http process was started again.", (int64_t)m->http_restarts);
    prometheus_value(out, "log_lines_lost_total", "counter",
                     "Lines of the log that were lost, since the log did not accept them in time.",
                     (int64_t)log_lost());
    add_process(out);
}

/* Changes when a cached text is no longer true, even if that was so only for a moment. */
static unsigned visibility_version(const struct report *r)
{
    return r->sessions->visibility_changes + r->unregistered.rescans;
}

/* Until when a text is reused. A report scans all processes of the host, so one text serves
 * everyone who asks within a second, or within twenty times as long as it took to write. */
static int64_t next_report_ms(int64_t since_ms)
{
    const int64_t now_ms = clock_monotonic_ms(), took_ms = now_ms - since_ms;
    return now_ms + (took_ms > 50 ? 20 * took_ms : 1000);
}

void report_metrics(struct report *r, struct buf *out)
{
    struct report_text *t = &r->metrics_text;
    const int64_t now_ms = clock_monotonic_ms();
    if (now_ms >= t->until_ms || t->visibility_version != visibility_version(r) ||
        buf_text(&t->text) == NULL) {
        buf_clear(&t->text);
        t->visibility_version = visibility_version(r);
        write_metrics(r, &t->text);
        t->until_ms = next_report_ms(now_ms);
    }
    if (buf_text(&t->text) != NULL)
        buf_add(out, buf_text(&t->text));
}

static bool write_health(struct report *r, struct buf *out)
{
    struct agent nobody;
    int64_t unregistered = unregistered_count(&r->unregistered);
    size_t before = out->len;
    if (!open_store_check(r->open_store)) {
        buf_addf(out, "the store cannot be used: %s\n", open_store_problem(r->open_store));
    } else {
        enum store_rc rc = store_agent_find(r->open_store->store, "", &nobody);
        if (rc != STORE_OK && rc != STORE_NONE)
            buf_addf(out, "the store cannot be read: %s\n", store_error(r->open_store->store));
    }
    if (!r->sessions->has_registry || r->sessions->registry_unreadable)
        buf_add(out, "the session registry cannot be read\n");
    if (r->sessions->unseen.may_be_any) {
        unseen_format(&r->sessions->unseen, out);
        buf_add(out, "\n");
    }
    if (r->listeners->is_unreadable)
        buf_add(out, "what listens cannot be read: no new agent gets a port\n");
    if (clock_monotonic_ms() - r->sessions->swept_ms > 3 * SWEEP_MS)
        buf_add(out, "sessions were not judged for more than 30 s\n");
    if (unregistered > 0)
        buf_addf(out,
                 "%" PRId64
                 " connections of tunnel logins are in no registry entry: is pam_tunnel in "
                 "sshd's stack?\n",
                 unregistered);
    if (out->len != before)
        return false;
    buf_add(out, "ok\n");
    return true;
}

/* Every agent asks this every few seconds, to know whether its tunnel is up. */
bool report_health(struct report *r, struct buf *out)
{
    struct report_text *t = &r->health_text;
    const int64_t now_ms = clock_monotonic_ms();
    if (now_ms >= t->until_ms || t->visibility_version != visibility_version(r) ||
        buf_text(&t->text) == NULL || t->was_lost != r->open_store->is_lost) {
        buf_clear(&t->text);
        t->visibility_version = visibility_version(r);
        t->was_lost = r->open_store->is_lost;
        t->is_healthy = write_health(r, &t->text);
        t->until_ms = next_report_ms(now_ms);
    }
    if (buf_text(&t->text) != NULL)
        buf_add(out, buf_text(&t->text));
    return t->is_healthy;
}

int report_start(struct report *r, struct event_base *base)
{
    return lease_count_start(&r->leases, base, r->open_store) == 0 &&
                   unregistered_start(&r->unregistered, base, r->sessions) == 0
               ? 0
               : -1;
}
