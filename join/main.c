/* SPDX-License-Identifier: ISC */
/*
 * join: who runs `ssh join@GATEWAY CODE` with an open invite's code gets a lease for the key that
 * he logged in with. It is the ForceCommand of that login, and its shell.
 *
 *  - MUST NOT look at argv, start a program, or print a byte that the client chose: whoever has any
 *    key and an open invite to find can run it.
 *  - MUST NOT decide anything. leased judges the code, and takes the key from pam_tunnel's
 * registry; what is passed on from here only has to equal it.
 *  - MUST say whether something may have been spent, since a code is good once.
 */
#include "join/command.h"
#include "join/confine.h"
#include "join/exchange.h"
#include "join/key_file.h"
#include "lib/base/clock.h"
#include "lib/session/join_session.h"
#include "lib/wire/join.h"

#include <bsd/string.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

enum {
    PROMPT_MS = 1000,     /* who types sees what is asked for; a script has sent it by then */
    TYPE_MS = 25000,      /* leased ends the connection 30 s after it began */
    LEASED_MS = 10000,    /* leased answers within 5 s, even if it cannot write its store */
    NO_INVITE_MS = 1000,  /* before a wrong code is answered, so that it is slow to guess */
    DEADLINE_S = 40,      /* the alarm, in case one of the waits above does not end */
    EXIT_NOT_PRINTED = 1, /* the answer could not be printed; what it says holds */
};

static const char not_by_sshd[] =
    "join does nothing by itself: sshd runs it for who joins with an invite, see join(8)\n";

static const char usage[] =
    "give the code of your invite, and nothing else: ssh join@GATEWAY CODE [--json]\n";

static const char prompt[] = "The code of your invite, then Enter:\n";

static const char not_reached[] =
    "this gateway cannot take invites now: its service leased does not answer. Nothing was spent:\n"
    "run the same line again later, or tell the gateway's admin.\n";

static const char not_now[] = "this gateway cannot take invites now: its service leased could not "
                              "decide. Nothing was spent:\n"
                              "run the same line again later, or tell the gateway's admin.\n";

static const char lost[] = "no answer came from this gateway's service leased, so the invite may "
                           "be spent or not. Run the\n"
                           "same line again within 10 minutes, with the same key: if it is spent, "
                           "you get the answer then.\n";

static const char out_of_time[] = "this took too long: run the same line again\n";

static int say(int fd, const char *text)
{
    for (size_t len = strlen(text); len > 0;) {
        ssize_t n = write(fd, text, len);
        if (n < 0 && errno != EINTR)
            return -1;
        if (n > 0) {
            text += n;
            len -= (size_t)n;
        }
    }
    return 0;
}

static int refuse(enum join_exit status, const char *text)
{
    (void)say(STDERR_FILENO, text);
    return status;
}

static void at_deadline(int sig)
{
    (void)sig;
    (void)!write(STDERR_FILENO, out_of_time, sizeof(out_of_time) - 1);
    _exit(JOIN_UNAVAILABLE);
}

static void start_deadline(void)
{
    const struct sigaction sa = {.sa_handler = at_deadline};
    sigset_t alarm_only;
    (void)sigaction(SIGALRM, &sa, NULL);
    (void)sigemptyset(&alarm_only);
    (void)sigaddset(&alarm_only, SIGALRM);
    (void)sigprocmask(SIG_UNBLOCK, &alarm_only, NULL);
    (void)alarm(DEADLINE_S);
}

/* Waits until the client has sent something, or closed its side. */
static bool input_comes(int64_t until_ms)
{
    struct pollfd p = {.fd = STDIN_FILENO, .events = POLLIN};
    int64_t left_ms = until_ms - clock_monotonic_ms();
    return left_ms > 0 && poll(&p, 1, (int)left_ms) == 1;
}

/* Reads up to the first newline, the end, or more than a code can have. Returns the bytes before
 * that; -1: nothing came in time, or it cannot be read. */
static ssize_t read_line(char *line, size_t room, bool ask)
{
    const int64_t start_ms = clock_monotonic_ms();
    size_t len = 0;
    if (ask && !input_comes(start_ms + PROMPT_MS))
        (void)say(STDERR_FILENO, prompt);
    while (len < room) {
        if (!input_comes(start_ms + TYPE_MS))
            return -1;
        ssize_t n = read(STDIN_FILENO, line + len, room - len);
        if (n < 0)
            return -1;
        const char *end = memchr(line + len, '\n', (size_t)n);
        if (end != NULL)
            return end - line;
        if (n == 0)
            break;
        len += (size_t)n;
    }
    return (ssize_t)len;
}

static const char *read_code(bool ask, char ret_code[static JOIN_CODE_MAX + 1])
{
    char line[JOIN_CODE_MAX + 2]; /* a line of that length, its end, and one byte too many */
    ssize_t len = read_line(line, sizeof(line), ask);
    if (len > 0 && line[len - 1] == '\r')
        len--;
    const char *problem =
        len < 0 ? "no code came" : command_parse_line(line, (size_t)len, ret_code);
    explicit_bzero(line, sizeof(line));
    return problem;
}

static int say_no_key(const char *why)
{
    char text[512];
    (void)snprintf(
        text, sizeof(text),
        "this gateway cannot take invites now: its sshd does not say which key you have "
        "(%s).\nNothing was spent. Its admin runs 'leasectl setup --join', and 'leasectl "
        "doctor' says what is wrong.\n",
        why);
    return refuse(JOIN_UNAVAILABLE, text);
}

/* Waits so long after start_ms. */
static void wait_since(int64_t start_ms, int64_t wait_ms)
{
    int64_t left_ms = 0;
    while ((left_ms = start_ms + wait_ms - clock_monotonic_ms()) > 0)
        (void)poll(NULL, 0, (int)left_ms);
}

static int join(const struct join_request *request)
{
    const int64_t start_ms = clock_monotonic_ms();
    struct join_answer answer = {.exit = JOIN_UNAVAILABLE};
    int status = JOIN_UNAVAILABLE;

    switch (exchange_join(JOIN_SOCKET, request, LEASED_MS, &answer)) {
    case EXCHANGE_NOT_SENT:
        status = refuse(JOIN_UNAVAILABLE, not_reached);
        break;
    case EXCHANGE_REFUSED:
        status = refuse(JOIN_UNAVAILABLE, not_now);
        break;
    case EXCHANGE_LOST:
        status = refuse(JOIN_UNAVAILABLE, lost);
        break;
    case EXCHANGE_ANSWERED:
        status = answer.exit;
        if (status == JOIN_NO_INVITE) {
            /* Who comes meanwhile and finds no place may have this one: pam_tunnel sees it. */
            (void)prctl(PR_SET_NAME, JOIN_REFUSED_NAME);
            wait_since(start_ms, NO_INVITE_MS);
        }
        if (say(status == JOIN_JOINED ? STDOUT_FILENO : STDERR_FILENO, answer.text) != 0)
            status = EXIT_NOT_PRINTED;
        break;
    }
    join_answer_release(&answer);
    return status;
}

int main(void)
{
    struct join_request request = {.json = false};
    struct command command;
    struct auth_info key;
    /* These texts stay where they are when the environment is cleared. */
    const char *original = getenv("SSH_ORIGINAL_COMMAND");
    const char *key_path = getenv("SSH_USER_AUTH");

    if (getenv("SSH_CONNECTION") == NULL)
        return refuse(JOIN_USAGE, not_by_sshd);
    confine_self();
    start_deadline();
    if (command_parse(original, &command) != NULL)
        return refuse(JOIN_USAGE, usage);
    const char *problem = key_file_read(key_path, getuid(), &key);
    if (problem != NULL)
        return say_no_key(problem);
    if (command.code[0] == '\0' && read_code(!command.json, command.code) != NULL)
        return refuse(JOIN_USAGE, usage);

    (void)strlcpy(request.code, command.code, sizeof(request.code));
    request.key_type = key.key_type;
    request.key_base64 = key.key_base64;
    request.json = command.json;
    request.lease_only = command.lease_only;
    return join(&request);
}
