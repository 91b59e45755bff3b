/* SPDX-License-Identifier: ISC */
/*
 * leased with an http process that a stranger has taken over: all of leased except leased/http/,
 * with an http_loop of its own. Each start of it sends one thing that http never sends, by the
 * number in the file `step` of the working directory, and waits to be killed; if it is not, it
 * makes the file `STEP.lives`. After the last step it sends well-formed requests, appends `NAME
 * CODE` to the file `answers`, and stays. The file `key` has a public key, `enrol` an enrolment
 * key.
 */
#include "leased/http/http.h"
#include "lib/wire/control.h"

#include <bsd/string.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PATIENCE_MS = 3000, EXTRA_BYTES = 64 };

/* Room for more than the largest valid packet. */
static union {
    struct control_request r;
    char bytes[sizeof(struct control_request) + EXTRA_BYTES];
} packet;

static char enrol[256];

static struct control_request *fill(const char *name)
{
    static char key[1024];
    struct control_request *r = &packet.r;
    FILE *f = fopen("key", "re");
    if (f == NULL || fgets(key, sizeof(key), f) == NULL)
        exit(EXIT_FAILURE);
    (void)fclose(f);
    memset(&packet, 0, sizeof(packet));
    control_request_init(r, CONTROL_REGISTER);
    (void)strlcpy(r->address, "192.0.2.7", sizeof(r->address));
    (void)control_request_set(r, CONTROL_AGENT_ID, name, strlen(name));
    (void)control_request_set(r, CONTROL_CREDENTIAL, enrol, strlen(enrol));
    (void)control_request_set(r, CONTROL_PUBLIC_KEY, key, strcspn(key, "\n"));
    return r;
}

static const char *const addresses[] = {
    "192.0.2.7\nrefused action=register client=192.0.2.8",
    "\033[2J",
    "192.0.2.7 ",
    "192.0.2.007",
    "0:0:0:0:0:0:0:1",
    "fe80::1%eth0",
    "localhost",
    "192.0.2.7:80",
};
enum { ADDRESSES = sizeof(addresses) / sizeof(addresses[0]) };

/* Makes the packet invalid in the way of that step. Returns its length, or -1: no more steps. */
static ssize_t spoil(unsigned step)
{
    struct control_request *r = fill("bad");
    if (step < ADDRESSES) {
        (void)strlcpy(r->address, addresses[step], sizeof(r->address));
        return (ssize_t)control_request_bytes(r);
    }
    ssize_t len = (ssize_t)control_request_bytes(r);
    switch (step - ADDRESSES) {
    case 0: /* the address has no NUL */
        memset(r->address, '1', sizeof(r->address));
        return len;
    case 1:
        r->action = 0;
        return len;
    case 2:
        r->action = CONTROL_ACTION__MAX;
        return len;
    case 3:
        r->action = UINT32_MAX;
        return len;
    case 4:
        r->text_bytes = 0;
        return len;
    case 5:
        r->text_bytes = UINT16_MAX;
        return len;
    case 6:
        r->at[CONTROL_HOSTNAME] = r->text_bytes;
        return len;
    case 7:
        r->at[CONTROL_HOST_KEYS] = UINT16_MAX;
        return len;
    case 8: /* the last text has no NUL */
        r->text[r->text_bytes - 1] = 'x';
        return len;
    case 9:
        return len - 1;
    case 10:
        return 1;
    case 11:
        return sizeof(packet);
    case 12: /* from MetricsListen, which is not configured */
        r->action = CONTROL_METRICS;
        r->on_metrics_listen = 1;
        return len;
    case 13:
        r->on_metrics_listen = 2;
        return len;
    case 14:
        r->is_admitted = 1;
        return len;
    case 15: /* http's own refusals: without a code, */
        r->action = CONTROL_REFUSED;
        r->count = 1;
        return len;
    case 16: /* with a code that does not exist, */
        r->action = CONTROL_REFUSED;
        r->code = CONTROL_CODE__MAX;
        r->count = 1;
        return len;
    case 17: /* with a count of 0, */
        r->action = CONTROL_REFUSED;
        r->code = CONTROL_BAD_REQUEST;
        return len;
    case 18: /* and in a request of another kind */
        r->code = CONTROL_BAD_REQUEST;
        r->count = 1;
        return len;
    case 19: /* the page from elsewhere than MetricsListen, */
        r->action = CONTROL_PAGE;
        return len;
    case 20:
        r->action = CONTROL_STATUS;
        return len;
    case 21: /* and what only its requests have in others */
        r->offsets[CONTROL_LIST_AUDIT] = 1;
        return len;
    case 22:
        r->at[CONTROL_FILTER] = r->at[CONTROL_AGENT_ID];
        return len;
    case 23:
        r->action = CONTROL_HEALTH;
        r->peer_port = 1;
        return len;
    case 24:
        r->peer_uid = 1;
        return len;
    case 25: /* joining from elsewhere than the join socket, which no process asks for, */
        r->action = CONTROL_JOIN;
        r->address[0] = '\0';
        return len;
    case 26: /* which has an address, */
        r->action = CONTROL_JOIN;
        r->peer_pid = 1;
        return len;
    case 27: /* or on MetricsListen; */
        r->action = CONTROL_JOIN;
        r->address[0] = '\0';
        r->peer_pid = 1;
        r->on_metrics_listen = 1;
        return len;
    case 28: /* and what only its requests have in others */
        r->peer_pid = 1;
        return len;
    case 29:
        r->wants_json = 1;
        return len;
    case 30: /* the end of the stream, as if http had ended */
        return 0;
    default:
        return -1;
    }
}

static void write_down(const char *file, const char *text)
{
    int fd = open(file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    if (fd < 0 || write(fd, text, strlen(text)) < 0)
        exit(EXIT_FAILURE);
    (void)close(fd);
}

static void ask(int engine_fd, const char *what)
{
    static struct control_answer a;
    char line[128];
    struct pollfd answer = {.fd = engine_fd, .events = POLLIN};
    (void)send(engine_fd, &packet.r, control_request_bytes(&packet.r), MSG_NOSIGNAL);
    ssize_t n = poll(&answer, 1, PATIENCE_MS) > 0 ? recv(engine_fd, &a, sizeof(a), 0) : -1;
    (void)snprintf(line, sizeof(line), "%s %s\n", what,
                   n > 0 ? control_code_name((enum control_code)a.code) : "silence");
    write_down("answers", line);
}

static void set(enum control_field field, const char *value)
{
    if (control_request_set(&packet.r, field, value, strlen(value)) != 0)
        exit(EXIT_FAILURE);
}

/* Valid packets, but with texts that http would never pass on. */
static void ask_all(int engine_fd)
{
    char keys[4096] = "";
    const char *key = control_request_get(fill("good"), CONTROL_PUBLIC_KEY);
    for (int i = 0; i < CONTROL_HOST_KEYS_MAX + 1; i++) {
        (void)strlcat(keys, key, sizeof(keys));
        (void)strlcat(keys, "\n", sizeof(keys));
    }
    (void)fill("x client=198.51.100.1 code=ok: hello");
    ask(engine_fd, "name");
    (void)fill("x\nleased: forged");
    ask(engine_fd, "line");
    (void)fill("good");
    set(CONTROL_HOST_KEYS, keys);
    ask(engine_fd, "keys");
    (void)fill("good");
    set(CONTROL_HOSTNAME, "h\nadmin 1");
    ask(engine_fd, "hostname");
    (void)fill("good");
    set(CONTROL_USER, "li\nissued 1");
    ask(engine_fd, "user");
    (void)fill("good");
    set(CONTROL_TARGET, "\033]0;x\007");
    ask(engine_fd, "target");
    (void)fill("good");
    set(CONTROL_BIND_HOST, "\033[2J");
    ask(engine_fd, "bind_host");
    (void)fill("good");
    set(CONTROL_PUBLIC_KEY, "ssh-ed25519 AAAA\n");
    ask(engine_fd, "key");
    (void)fill("good");
    ask(engine_fd, "good");
}

int http_loop(const struct http_options *o)
{
    char name[32];
    struct pollfd never = {.fd = -1};
    unsigned step = 0;
    FILE *f;

    f = fopen("enrol", "re");
    if (f == NULL || fgets(enrol, sizeof(enrol), f) == NULL)
        return EXIT_FAILURE;
    (void)fclose(f);
    enrol[strcspn(enrol, "\n")] = '\0';
    f = fopen("step", "re");
    if (f != NULL) {
        if (fscanf(f, "%u", &step) != 1)
            return EXIT_FAILURE;
        (void)fclose(f);
    }
    f = fopen("step", "we");
    if (f == NULL || fprintf(f, "%u\n", step + 1) < 0 || fclose(f) != 0)
        return EXIT_FAILURE;
    ssize_t len = spoil(step);
    if (len < 0) {
        ask_all(o->engine_fd);
        write_down("done", "");
        (void)poll(&never, 0, -1);
        return EXIT_SUCCESS;
    }
    if (len == 0)
        (void)shutdown(o->engine_fd, SHUT_WR);
    else
        (void)send(o->engine_fd, &packet, (size_t)len, MSG_NOSIGNAL);
    (void)poll(&never, 0, PATIENCE_MS);
    (void)snprintf(name, sizeof(name), "%u.lives", step);
    write_down(name, "");
    return EXIT_SUCCESS; /* the engine starts the next one */
}
