/* SPDX-License-Identifier: ISC */
#include "tunnel-agent/exec/memory_key.h"

#include "lib/base/buf.h"
#include "lib/base/clock.h"
#include "tunnel-agent/host/exchange.h"
#include "tunnel-agent/host/process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

enum { START_MS = 5000, MAKE_MS = 10 * 1000, POLL_MS = 5 };

static bool make_paths(struct memory_key *k, const struct statedir *state)
{
    int pid = (int)getpid();
    int a = snprintf(k->socket, sizeof(k->socket), "%s/%d-agent", state->run, pid);
    int b = snprintf(k->fifo, sizeof(k->fifo), "%s/%d-key", state->run, pid);
    (void)snprintf(k->public_half, sizeof(k->public_half), "%s.pub", k->fifo);
    return a > 0 && (size_t)a < sizeof(k->socket) && b > 0 && (size_t)b < sizeof(k->fifo);
}

static bool answers(const char *path)
{
    struct sockaddr_un un;
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    bool ok = fd >= 0 && exchange_unix_address(path, &un) == 0 &&
              connect(fd, (struct sockaddr *)&un, sizeof(un)) == 0;
    if (fd >= 0)
        (void)close(fd);
    return ok;
}

static int start_agent(struct memory_key *k)
{
    const char *const argv[] = {"ssh-agent", "-D", "-a", k->socket, NULL};
    int64_t end_ms = clock_monotonic_ms() + START_MS;
    siginfo_t info = {0};
    pid_t pid = process_start_tied(argv);
    if (pid < 0)
        return -1;
    k->agent = pid;
    while (!answers(k->socket)) {
        if (clock_monotonic_ms() > end_ms ||
            (waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
             info.si_pid == pid))
            return -1;
        (void)poll(NULL, 0, POLL_MS);
    }
    return 0;
}

/* ---- in a child, whose group is killed when it takes too long ---- */

static pid_t start_with_input(const char *const argv[], int input, const char *path)
{
    pid_t pid = fork();
    if (pid != 0)
        return pid;
    if (path != NULL)
        input = open(path, O_RDONLY); /* waits for the writer */
    if (input < 0 || dup2(input, STDIN_FILENO) < 0)
        _exit(PROCESS_NOT_STARTED);
    (void)execvp(argv[0], (char *const *)(uintptr_t)argv);
    _exit(PROCESS_NOT_STARTED);
}

static bool ends_well(pid_t pid)
{
    int status = 0;
    while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    return pid > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* ssh-keygen asks whether it may write to a file that is there, which the FIFO is. */
static int make_key(void *ctx)
{
    const struct memory_key *k = ctx;
    const char *const keygen[] = {"ssh-keygen", "-q", "-t", "ed25519", "-N", "",
                                  "-C",         "",   "-f", k->fifo,   NULL};
    const char *const add[] = {"ssh-add", "-q", "-", NULL};
    static const char yes[] = "y\n";
    int answer[2];
    if (pipe(answer) != 0 || write(answer[1], yes, sizeof(yes) - 1) < 0 ||
        setenv("SSH_AUTH_SOCK", k->socket, 1) != 0)
        return PROCESS_NOT_STARTED;
    pid_t writer = start_with_input(keygen, answer[0], NULL);
    pid_t reader = start_with_input(add, -1, k->fifo);
    (void)close(answer[1]);
    bool made = ends_well(writer);
    if (!made && reader > 0)
        (void)kill(reader, SIGKILL); /* it may still wait for a writer */
    bool added = ends_well(reader);
    (void)unlink(k->fifo);
    return made && added ? 0 : 1;
}

static int run_make_key(struct memory_key *k)
{
    struct buf question = {0}; /* ssh-keygen's */
    int code = process_run_call(make_key, k, MAKE_MS, &question);
    buf_release(&question);
    return code == 0 ? 0 : -1;
}

int memory_key_make(struct memory_key *k, const struct statedir *state, char why[static WHY_BYTES])
{
    *k = (struct memory_key){.agent = 0};
    if (!make_paths(k, state)) {
        (void)snprintf(why, WHY_BYTES, "the state directory's path is too long for a socket in it");
        return -1;
    }
    if (start_agent(k) != 0) {
        (void)snprintf(why, WHY_BYTES, "cannot start ssh-agent, which is to hold the key");
        return -1;
    }
    if (mkfifo(k->fifo, 0600) != 0 || run_make_key(k) != 0) {
        (void)snprintf(why, WHY_BYTES,
                       "cannot make a key with ssh-keygen and give it to ssh-agent");
        return -1;
    }
    return 0;
}

void memory_key_agent_ended(struct memory_key *k)
{
    k->agent = 0;
    if (k->socket[0] == '\0')
        return;
    (void)unlink(k->socket);
    (void)unlink(k->fifo);
    (void)unlink(k->public_half);
}

void memory_key_release(struct memory_key *k)
{
    int status;
    if (k->agent > 0) {
        process_signal(k->agent, SIGKILL); /* it has nothing to save */
        (void)process_reap(k->agent, true, &status);
    }
    memory_key_agent_ended(k);
}
