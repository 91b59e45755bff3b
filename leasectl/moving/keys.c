/* SPDX-License-Identifier: ISC */
#include "leasectl/moving/keys.h"

#include "leasectl/child.h"
#include "lib/base/text.h"

#include <stdbool.h>
#include <string.h>

enum {
    INPUT_BYTES = 60000, /* child_run writes its input at once, into a pipe */
    KEYGEN_MS = 30000,
};

/* Of an ed25519 key lib/lease has checked all that ssh-keygen would. */
static bool needs_asking(const struct move *m)
{
    return m->result == MOVE_LEASE && strcmp(m->today.key.type, "ssh-ed25519") != 0;
}

/* Takes the fingerprints, one a line, off what ssh-keygen says. It prints those that it takes, in
 * the order of its input. */
static void judge(struct move *moves, size_t count, const char *said)
{
    const char *rest = said, *line;
    int len = 0;
    line = text_next_line(&rest, &len);
    for (size_t i = 0; i < count; i++) {
        const char *fingerprint = moves[i].today.key.fingerprint;
        if (!needs_asking(&moves[i]))
            continue;
        if (line != NULL && memmem(line, (size_t)len, fingerprint, strlen(fingerprint)) != NULL)
            line = text_next_line(&rest, &len);
        else
            move_refuse(&moves[i], MOVE_DEAD,
                        "no ssh can use its key: 'ssh-keygen -l' does not take it");
    }
}

static int ask(struct ctl *ctl, struct move *moves, size_t count, const struct buf *input)
{
    const char *const argv[] = {"ssh-keygen", "-l", "-f", "-", NULL};
    struct child c;
    int code = EXIT_DONE;
    if (input->len == 0)
        return EXIT_DONE;
    if (buf_text(input) == NULL)
        return ctl_error(ctl, EXIT_FAILED, "out of memory");
    const int status = child_run(&c, argv, NULL, buf_text(input), KEYGEN_MS);
    if (status == CHILD_NOT_STARTED || status == CHILD_OUT_OF_TIME)
        code = ctl_error(ctl, EXIT_FAILED, "cannot check the keys: ssh-keygen %s",
                         status == CHILD_OUT_OF_TIME ? "did not end within 30 s"
                                                     : "cannot be started: install openssh-client");
    else if (status > 128 && status < 255) /* 255: it took none; less: a signal */
        code = ctl_error(ctl, EXIT_FAILED,
                         "cannot check the keys: ssh-keygen was killed by signal %d", status - 128);
    else
        judge(moves, count, child_text(&c.out_text));
    child_release(&c);
    return code;
}

int moves_check_keys(struct ctl *ctl, struct move *moves, size_t count)
{
    struct buf input = {0};
    size_t first = 0;
    int code = EXIT_DONE;
    for (size_t i = 0; code == EXIT_DONE && i < count; i++) {
        const struct pubkey *key = &moves[i].today.key;
        if (!needs_asking(&moves[i]))
            continue;
        if (input.len + strlen(key->base64) + sizeof(key->type) + 2 > INPUT_BYTES) {
            code = ask(ctl, moves + first, i - first, &input);
            buf_clear(&input);
            first = i;
        }
        buf_addf(&input, "%s %s\n", key->type, key->base64);
    }
    if (code == EXIT_DONE)
        code = ask(ctl, moves + first, count - first, &input);
    buf_release(&input);
    return code;
}
