/* SPDX-License-Identifier: ISC */
#include "leased/watch/prometheus.h"

#include "lib/base/buf.h"

#include <inttypes.h>
#include <stddef.h>

static const double bounds_s[LATENCY_BUCKETS] = {0.001, 0.0025, 0.005, 0.01, 0.025,
                                                 0.05,  0.1,    0.5,   1,    5};

void histogram_add(struct histogram *h, double seconds)
{
    size_t i = 0;
    while (i < LATENCY_BUCKETS && seconds > bounds_s[i])
        i++;
    h->buckets[i]++;
    h->count++;
    h->sum_s += seconds;
}

void prometheus_header(struct buf *out, const char *name, const char *type, const char *help)
{
    buf_addf(out, "# HELP tunlease_%s %s\n# TYPE tunlease_%s %s\n", name, help, name, type);
}

void prometheus_value(struct buf *out, const char *name, const char *type, const char *help,
                      int64_t n)
{
    prometheus_header(out, name, type, help);
    buf_addf(out, "tunlease_%s %" PRId64 "\n", name, n);
}

void prometheus_histogram(struct buf *out, const char *name, const char *label,
                          const struct histogram *h)
{
    uint64_t total = 0;
    const char *comma = label[0] != '\0' ? "," : "";
    for (size_t i = 0; i < LATENCY_BUCKETS; i++) {
        total += h->buckets[i];
        buf_addf(out, "tunlease_%s_bucket{%s%sle=\"%g\"} %" PRIu64 "\n", name, label, comma,
                 bounds_s[i], total);
    }
    buf_addf(out, "tunlease_%s_bucket{%s%sle=\"+Inf\"} %" PRIu64 "\n", name, label, comma,
             h->count);
    buf_addf(out, label[0] != '\0' ? "tunlease_%s_sum{%s} %g\n" : "tunlease_%s_sum%s %g\n", name,
             label, h->sum_s);
    buf_addf(out,
             label[0] != '\0' ? "tunlease_%s_count{%s} %" PRIu64 "\n"
                              : "tunlease_%s_count%s %" PRIu64 "\n",
             name, label, h->count);
}
