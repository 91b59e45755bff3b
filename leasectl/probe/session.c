/* SPDX-License-Identifier: ISC */
#include "leasectl/probe/session.h"

#include "leasectl/child.h"
#include "leasectl/probe/greeter.h"
#include "lib/base/clock.h"

#include <bsd/string.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char mark[] = "tun42lease";

enum attempt_verdict try_session(struct ssh_args *a, const struct attempt_target *t,
                                 const char *const words[4], const char *input,
                                 char evidence[static ATTEMPT_EVIDENCE_BYTES])
{
    char socket_path[ATTEMPT_WORD_BYTES + 16], agent_env[ATTEMPT_WORD_BYTES + 32];
    const char *env[] = {ssh_env[0], NULL, NULL};
    struct child c;
    struct greeter agent = {.pid = -1};
    enum attempt_verdict v;
    size_t i = 0;

    (void)snprintf(socket_path, sizeof(socket_path), "%s/agent.sock", t->work_dir);
    for (; i < 4 && words[i] != NULL && strcmp(words[i], "--") != 0; i++) {
        if (strcmp(words[i], "-A") == 0) {
            /* The socket must exist: without one the client ignores -A, and a refusal would mean
             * nothing. (With IdentityAgent=none it ignores -A, too.) */
            (void)greeter_start(&agent, 0, socket_path);
            (void)snprintf(agent_env, sizeof(agent_env), "SSH_AUTH_SOCK=%s", socket_path);
            env[1] = agent_env;
        }
        ssh_add_arg(a, words[i]);
    }
    ssh_add_arg(a, t->host);
    for (i++; i < 4 && words[i] != NULL; i++)
        ssh_add_arg(a, words[i]);
    (void)child_run(&c, a->argv, env, input, ATTEMPT_MS);
    if (strstr(child_text(&c.out_text), mark) != NULL) {
        v = ATTEMPT_ALLOWED;
        (void)strlcpy(evidence, "it ran there", ATTEMPT_EVIDENCE_BYTES);
    } else {
        v = connection_verdict(&c) != ATTEMPT_ALLOWED ? connection_verdict(&c) : ATTEMPT_REFUSED;
        const char *answer = child_text(&c.out_text);
        if (v == ATTEMPT_REFUSED && *answer != '\0')
            quote_ssh_line(answer, evidence);
        else
            quote_last_words(&c, evidence);
    }
    child_release(&c);
    greeter_stop(&agent);
    (void)unlink(socket_path);
    return v;
}

enum attempt_verdict try_sftp(struct ssh_args *a, const struct attempt_target *t,
                              char evidence[static ATTEMPT_EVIDENCE_BYTES])
{
    /* SSH_FXP_INIT, version 3; the answer is SSH_FXP_VERSION, 2 (draft-ietf-secsh-filexfer-02). */
    static const char init[] = {0, 0, 0, 5, 1, 0, 0, 0, 3};
    struct child c;
    enum attempt_verdict v;
    int64_t end_ms = clock_monotonic_ms() + ATTEMPT_MS;

    ssh_add_arg(a, "-s");
    ssh_add_arg(a, t->host);
    ssh_add_arg(a, "sftp");
    if (child_start(&c, a->argv, ssh_env) != 0)
        return ATTEMPT_UNCLEAR;
    (void)!write(c.in, init, sizeof(init));
    while (c.out_text.len < 5 && !child_pump(&c, 100) && clock_monotonic_ms() < end_ms)
        continue;
    if (c.out_text.len >= 5 && c.out_text.data[0] == 0 && c.out_text.data[4] == 2) {
        v = ATTEMPT_ALLOWED;
        (void)strlcpy(evidence, "the sftp server answered", ATTEMPT_EVIDENCE_BYTES);
    } else {
        v = connection_verdict(&c) != ATTEMPT_ALLOWED ? connection_verdict(&c) : ATTEMPT_REFUSED;
        if (v == ATTEMPT_REFUSED && c.out_text.len > 0)
            quote_ssh_line(child_text(&c.out_text), evidence);
        else
            quote_last_words(&c, evidence);
    }
    child_release(&c);
    return v;
}
