/* SPDX-License-Identifier: ISC */
/*
 * The one table of attempts: what a holder of a tunnel key might try, each made with the real ssh
 * client against the running sshd, and judged by what came back. leasectl verify, the end-to-end
 * tests and the demo all run these.
 *
 * An attempt that must be refused aims at something that would answer: a refusal then shows the
 * policy, not a dead service.
 */
#ifndef TUNLEASE_LEASECTL_PROBE_ATTEMPT_H
#define TUNLEASE_LEASECTL_PROBE_ATTEMPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum attempt_verdict {
    ATTEMPT_ALLOWED,     /* it did what was tried; evidence says how that showed */
    ATTEMPT_REFUSED,     /* by policy */
    ATTEMPT_DOWN,        /* policy let it through, and nothing answered there */
    ATTEMPT_NO_LOGIN,    /* sshd took no key: nothing could be tried */
    ATTEMPT_UNREACHABLE, /* no sshd answered */
    ATTEMPT_UNCLEAR,     /* cannot be tried here, or nothing that we understand came back */
};

const char *attempt_verdict_name(enum attempt_verdict v);

enum { ATTEMPT_EVIDENCE_BYTES = 256, ATTEMPT_WORD_BYTES = 300 };

/* Whom to connect to, and what the words in braces of the table stand for. "" where none. */
struct attempt_target {
    const char *host;
    uint16_t port;
    const char *login;
    const char *key_file;
    const char *known_hosts;            /* a file, pinned */
    const char *work_dir;               /* ours alone: sockets go here */
    char open[ATTEMPT_WORD_BYTES];      /* {open}: a permitted HOST:PORT */
    char respelled[ATTEMPT_WORD_BYTES]; /* {respelled}: the same place in words not permitted */
    char other[ATTEMPT_WORD_BYTES];  /* {other}: HOST:PORT not permitted, where something answers */
    char listen[ATTEMPT_WORD_BYTES]; /* {listen}: a permitted HOST:PORT to bind */
    char free_port[8];               /* {free}: a port not permitted that could be bound */
    char socket[ATTEMPT_WORD_BYTES]; /* {socket}: a unix socket on the gateway that answers */
};

struct attempt {
    const char *id;   /* such as "other-port" */
    char check;       /* A, B or C, as in verify */
    bool must_allow;  /* else it must be refused */
    const char *what; /* for people */
};

extern const size_t attempt_count;
const struct attempt *attempt_at(size_t i); /* i below attempt_count */

/* Its number, or -1. */
int attempt_find(const char *id);

/* Makes attempt number i. Takes up to ten seconds. */
enum attempt_verdict attempt_make(size_t i, const struct attempt_target *target,
                                  char evidence[static ATTEMPT_EVIDENCE_BYTES]);

/*
 * A TCP service on 127.0.0.1 (port 0: any free one) and, when path is not NULL, one on a unix
 * socket that anybody may use; both greet whoever connects and close. In a child that dies with us.
 */
struct greeter {
    int pid;
    uint16_t port;
};
int greeter_start(struct greeter *g, uint16_t port, const char *path);
void greeter_stop(struct greeter *g);

/* A TCP port of 127.0.0.1 that nothing uses now; 0 when there is none. */
uint16_t attempt_free_port(void);

#endif
