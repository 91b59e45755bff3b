/* SPDX-License-Identifier: ISC */
#include "leasectl/probe/cause.h"

#include "leasectl/admission/admission.h"

#include <stdio.h>
#include <string.h>

/* The forward of an attempt. What leads to a unix socket, a tun device or a session is no forward
 * that can be asked about. */
static enum admission_forward forward_of(const struct cause_question *q, const char **ret_typed)
{
    static const struct {
        const char *id;
        enum admission_forward forward;
    } forwards[] = {{"open", ADMISSION_OPEN},     {"other-port", ADMISSION_OPEN},
                    {"stdio", ADMISSION_OPEN},    {"dynamic", ADMISSION_OPEN},
                    {"listen", ADMISSION_LISTEN}, {"reverse", ADMISSION_LISTEN}};
    for (size_t i = 0; i < sizeof(forwards) / sizeof(forwards[0]) && q->attempt != NULL; i++) {
        if (strcmp(forwards[i].id, q->attempt->id) != 0)
            continue;
        const bool permitted = q->attempt->must_allow;
        *ret_typed = forwards[i].forward == ADMISSION_OPEN
                         ? (permitted ? q->target->open : q->target->other)
                         : (permitted ? q->target->listen : q->target->free_port);
        return forwards[i].forward;
    }
    return ADMISSION_NO_FORWARD;
}

/* Whether a layer refuses it, and which. */
static bool ask(const struct cause_question *q, struct buf *why, struct buf *mend)
{
    struct admission_question question = {.login = q->lease->login};
    if (q->lease->key_count > 0)
        question.key = &q->lease->keys[0].pub;
    question.forward = forward_of(q, &question.typed);
    question.addr = q->to->from[0] != '\0' ? q->to->from : NULL;
    /* That explain cannot ask is no error of verify's: the row stands without it. */
    const bool was_muted = q->ctl->muted;
    q->ctl->muted = true;
    const bool found = admission_why(q->ctl, &q->to->sshd, &question, why, mend);
    q->ctl->muted = was_muted;
    return found && buf_text(why) != NULL && buf_text(mend) != NULL;
}

void cause_add(const struct cause_question *q, struct buf *text)
{
    struct buf why = {0}, mend = {0};
    if (!ask(q, &why, &mend))
        buf_add(text, "; nothing that 'leasectl explain' asks refuses it: see 'leasectl doctor'");
    else
        buf_addf(text, "; %s%s%s", buf_text(&why), mend.len > 0 ? "; mend: " : "", buf_text(&mend));
    buf_release(&why);
    buf_release(&mend);
}

void cause_add_of_hole(const struct cause_question *q, struct buf *text)
{
    struct buf why = {0}, mend = {0};
    const char *typed = NULL;
    if (q->attempt != NULL && forward_of(q, &typed) == ADMISSION_NO_FORWARD)
        buf_add(text, "; see 'leasectl doctor'");
    else if (!ask(q, &why, &mend))
        buf_add(text,
                "; no setting that 'leasectl explain' asks refuses it: see 'leasectl doctor'");
    else
        buf_addf(text,
                 "; though %s: the akc that sshd runs, or the sshd that answered, is not the one "
                 "that was asked: see 'leasectl doctor'",
                 buf_text(&why));
    buf_release(&why);
    buf_release(&mend);
}
