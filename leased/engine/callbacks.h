/* SPDX-License-Identifier: ISC */
/* Functions of leased's main program that the engine calls. The engine gets them as pointers, so
 * that it needs no header of the main program. */
#ifndef TUNLEASE_LEASED_ENGINE_CALLBACKS_H
#define TUNLEASE_LEASED_ENGINE_CALLBACKS_H

#include <stdbool.h>
#include <sys/types.h>

struct api_keys;
struct conf;

/* Filled in before engine_loop; arg is passed to each function. */
struct engine_callbacks {
    void *arg;
    /* Forks the http process. Returns its pid, with our end of the packets in *ret_fd; or -1 with
     * errno. Called again after that process has ended. */
    pid_t (*start_http)(void *arg, const struct conf *conf, int *ret_fd);
    /* Reads the configuration again into *conf and *keys, which hold the current one. False: the
     * new one cannot be used, which is logged, and both stay as they are. */
    bool (*reload)(void *arg, struct conf *conf, struct api_keys *keys);
};

#endif
