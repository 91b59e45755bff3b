/* SPDX-License-Identifier: ISC */
/* Prometheus' text format, and histograms for it. Names of metrics are passed without `tunlease_`.
 */
#ifndef TUNLEASE_LEASED_WATCH_PROMETHEUS_H
#define TUNLEASE_LEASED_WATCH_PROMETHEUS_H

#include <stdint.h>

struct buf;

enum { LATENCY_BUCKETS = 10 };

struct histogram {
    uint64_t buckets[LATENCY_BUCKETS + 1], count;
    double sum_s;
};

void histogram_add(struct histogram *h, double seconds);

/* The HELP and TYPE lines of a metric. */
void prometheus_header(struct buf *out, const char *name, const char *type, const char *help);

/* A metric with one value and no labels, with its HELP and TYPE lines. */
void prometheus_value(struct buf *out, const char *name, const char *type, const char *help,
                      int64_t n);

/* label: `action="register"` and so on, or "". */
void prometheus_histogram(struct buf *out, const char *name, const char *label,
                          const struct histogram *h);

#endif
