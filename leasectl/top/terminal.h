/* SPDX-License-Identifier: ISC */
/*
 * The terminal while it shows a view: its other screen, without echo, key by key. Whatever ends
 * this program, the terminal is as it was before: a guard, a process of its own, waits for its end
 * and restores it where the program itself could not, as after SIGKILL.
 */
#ifndef TUNLEASE_LEASECTL_TOP_TERMINAL_H
#define TUNLEASE_LEASECTL_TOP_TERMINAL_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include <termios.h>

struct terminal {
    struct termios before;
    bool is_shown; /* the other screen, and key by key */
    pid_t guard;
    int guard_fd; /* no child may keep it: the guard waits for its last copy to close */
};

/* Standard input and output must be a terminal. 0, or -1 with errno; nothing has changed then. */
int terminal_start(struct terminal *t);
/* Shows the other screen; or the one from before, until terminal_show. */
int terminal_show(struct terminal *t);
void terminal_hide(struct terminal *t);
/* Restores it, and ends the guard. */
void terminal_end(struct terminal *t);

/* At least 1 each. */
void terminal_size(size_t *ret_rows, size_t *ret_columns);

/* Writes all, and waits as long as the terminal takes nothing. 0, or -1 with errno: the terminal is
 * gone; or EINTR: a signal came, and a part may be written. */
int terminal_write(const char *text, size_t len);

#endif
