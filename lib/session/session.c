/* SPDX-License-Identifier: ISC */
#include "lib/session/session.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

const char *session_unseen_reason(int unseen_why)
{
    switch (unseen_why) {
    case EXDEV:
        return "it is of another pid namespace, such as a container's";
    case ENOENT:
    case EPERM:
    case EACCES:
        return "/proc hides it (hidepid)";
    default:
        return strerror(unseen_why);
    }
}

void session_set_unseen(struct session *s, int why)
{
    s->sight = SESSION_UNSEEN;
    s->unseen_why = why;
}

void session_release(struct session *s)
{
    free(s->opens);
    free(s->listens);
    *s = (struct session){.pid = 0};
}
