/* SPDX-License-Identifier: ISC */
#include "leasectl/doctor/asked.h"

#include "leasectl/child.h"
#include "leasectl/doctor/place.h"
#include "lib/base/array.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

enum { WRONGS_MAX = 4096 };

static void release(struct wrong_setting *w)
{
    buf_release(&w->logins);
    buf_release(&w->from);
    buf_release(&w->what);
}

static void add_login(struct buf *logins, const char *login)
{
    struct buf quoted = {0};
    buf_addf(&quoted, "'%s'", login);
    if (strstr(child_text(logins), child_text(&quoted)) == NULL)
        buf_addf(logins, "%s%s", logins->len > 0 ? ", " : "", child_text(&quoted));
    buf_release(&quoted);
}

/* Adds w, or its login where the same was found before. Takes what w owns. */
static void add(struct asked *a, struct wrong_setting *w)
{
    for (size_t i = 0; i < a->wrong_count; i++) {
        struct wrong_setting *old = &a->wrongs[i];
        if (old->check == w->check && strcmp(child_text(&old->what), child_text(&w->what)) == 0) {
            add_login(&old->logins, a->c->login);
            release(w);
            return;
        }
    }
    struct wrong_setting *items =
        array_grow(a->wrongs, a->wrong_count, &a->wrong_cap, sizeof(*items), WRONGS_MAX);
    if (items == NULL) {
        a->lost = true;
        release(w);
        return;
    }
    a->wrongs = items;
    add_login(&w->logins, a->c->login);
    items[a->wrong_count++] = *w;
}

void asked_add_wrong(struct asked *a, enum result result, const char *check, const char *keyword,
                     const char *why, const char *fmt, ...)
{
    struct wrong_setting w = {.result = result, .check = check, .why = why};
    va_list ap;
    a->wrong++;
    w.line = place_find(a->d, keyword, a->c);
    if (w.line != NULL && place_is_ours(w.line)) {
        if (a->d->dropin_differs)
            return;
        w.line = NULL; /* as setup writes it: so the files mean something else than we think */
    }
    connection_add_words(a->all, a->c, &w.from);
    va_start(ap, fmt);
    buf_vaddf(&w.what, fmt, ap);
    va_end(ap);
    place_add(a->d, w.line, &w.what);
    add(a, &w);
}

void asked_report(struct asked *a)
{
    for (size_t i = 0; i < a->wrong_count; i++) {
        struct wrong_setting *w = &a->wrongs[i];
        doctor_report(a->d, w->result, w->check, "for %s%s %s", child_text(&w->logins),
                      child_text(&w->from), child_text(&w->what));
        doctor_why(a->d, "%s", w->why);
        place_mend_line(a->d, w->line,
                        "leasectl setup; if it stays, another Match block comes before ours");
        release(w);
    }
    if (a->lost) {
        doctor_report(a->d, RESULT_UNKNOWN, "sshd",
                      "not every setting was compared, or is named here: memory ran out");
        doctor_why(a->d, "another setting may be wrong, too");
        doctor_mend(a->d, "run 'leasectl doctor' again");
    }
    free(a->wrongs);
    a->wrongs = NULL;
    a->wrong_count = a->wrong_cap = 0;
}
