/* SPDX-License-Identifier: ISC */
/*
 * A keeper: the child of a program that runs a command (command.h). It holds what the command
 * needs, and gives that back when the command has ended or the program was killed. It has a session
 * of its own, so that neither a terminal's signals nor a stop of the program reach it, and SIGTERM
 * and its like stay blocked in it: it ends when the program says so.
 *
 * Program and keeper are tied by a socket pair. The program sends the command's process group, and
 * 0 when the command has ended; a keeper that reads an end without that 0 knows that the program
 * was killed.
 */
#ifndef TUNLEASE_BASE_KEEPER_H
#define TUNLEASE_BASE_KEEPER_H

#include <stdbool.h>
#include <sys/types.h>

struct keeper {
    pid_t pid; /* 0: none */
    int tie;   /* this side's end of the socket pair; -1: closed */
};

/* Calls run(ctx, tie) in a child, which exits with what run returns. 0, or -1 with errno. */
int keeper_start(struct keeper *k, int (*run)(void *ctx, int tie), void *ctx);

/* Sends one number through a tie. A failure is that of an other side that has ended. */
void tie_send(int tie, int number);

/* What a tie says. */
enum tie_word {
    TIE_NUMBER, /* *ret_number */
    TIE_CUT,    /* the other side has ended */
    TIE_LATE,   /* nothing within the time */
};
/* Waits up to timeout_ms for the next word; -1: for ever. */
enum tie_word tie_read(int tie, int timeout_ms, int *ret_number);

/* Waits for the keeper's end, and closes the tie. Its exit status, or 128 + the signal. */
int keeper_wait(struct keeper *k);

/* In the keeper, when the tie was cut: kills what is left of the command. group 0: nothing is. */
void keeper_kill_group(pid_t group);

#endif
