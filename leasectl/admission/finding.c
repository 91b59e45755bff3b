/* SPDX-License-Identifier: ISC */
#include "leasectl/admission/finding.h"

#include "lib/base/array.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

const char *admission_layer_name(enum admission_layer layer)
{
    static const char *const names[ADMISSION_LAYER__MAX] = {"sshd", "account", "pam", "lease"};
    return names[layer];
}

void finding_add(struct admission_findings *f, enum admission_layer layer,
                 enum admission_effect effect, const char *rule, const char *fmt, ...)
{
    va_list ap;
    struct admission_finding *items =
        array_grow(f->items, f->count, &f->cap, sizeof(*items), SIZE_MAX);
    if (items == NULL) {
        f->failed = true;
        return;
    }
    f->items = items;
    struct admission_finding *added = &items[f->count++];
    *added = (struct admission_finding){.layer = layer, .effect = effect, .rule = rule};
    va_start(ap, fmt);
    buf_vaddf(&added->what, fmt, ap);
    va_end(ap);
}

void finding_why(struct admission_findings *f, const char *fmt, ...)
{
    va_list ap;
    if (f->count == 0)
        return;
    va_start(ap, fmt);
    buf_vaddf(&f->items[f->count - 1].why, fmt, ap);
    va_end(ap);
}

void finding_mend(struct admission_findings *f, const char *fmt, ...)
{
    va_list ap;
    if (f->count == 0)
        return;
    va_start(ap, fmt);
    buf_vaddf(&f->items[f->count - 1].mend, fmt, ap);
    va_end(ap);
}

const struct admission_finding *finding_first(const struct admission_findings *f,
                                              enum admission_effect effect)
{
    for (size_t i = 0; i < f->count; i++)
        if (f->items[i].effect == effect)
            return &f->items[i];
    return NULL;
}

void findings_release(struct admission_findings *f)
{
    for (size_t i = 0; i < f->count; i++) {
        buf_release(&f->items[i].what);
        buf_release(&f->items[i].why);
        buf_release(&f->items[i].mend);
    }
    free(f->items);
    *f = (struct admission_findings){0};
}
