/* SPDX-License-Identifier: ISC */
/* The agent's own key and name: made here once; the private key never leaves. */
#ifndef TUNLEASE_AGENT_SSH_KEY_H
#define TUNLEASE_AGENT_SSH_KEY_H

struct statedir;

enum { KEY_WHY_BYTES = 640 };

/*
 * The public key line of STATE/agent.pem, made with ssh-keygen when it is not there. To be freed;
 * NULL with a sentence in why.
 */
char *key_public(const struct statedir *state, char why[static KEY_WHY_BYTES]);

/* STATE/agent_id, or wanted (may be NULL), which is then kept; else one that is made up. To be
 * freed; NULL with a sentence in why. */
char *key_agent_id(const struct statedir *state, const char *wanted,
                   char why[static KEY_WHY_BYTES]);

/* `tunnel-agent key`. */
int key_show(int argc, char **argv);

#endif
