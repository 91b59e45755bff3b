/* SPDX-License-Identifier: ISC */
#include "lib/store/turn.h"

#include "lib/lease/agent_counter.h"

#include <string.h>

enum { NUMBER_BYTES = 8, TURN_BYTES = NUMBER_BYTES + AGENT_NONCE_BYTES };

void bind_turn(sqlite3_stmt *s, const char *param, const struct agent_counter *counter)
{
    uint8_t turn[TURN_BYTES];
    if (counter->number == 0)
        return; /* what is not bound is NULL */
    for (int i = 0; i < NUMBER_BYTES; i++)
        turn[i] = (uint8_t)((uint64_t)counter->number >> 8 * (NUMBER_BYTES - 1 - i));
    memcpy(turn + NUMBER_BYTES, counter->nonce, AGENT_NONCE_BYTES);
    /* Copied, which bind_blob does not do. */
    (void)sqlite3_bind_blob(s, sqlite3_bind_parameter_index(s, param), turn, sizeof(turn),
                            SQLITE_TRANSIENT);
}

void column_turn(sqlite3_stmt *s, int column, struct agent_counter *ret)
{
    const uint8_t *turn = sqlite3_column_blob(s, column);
    uint64_t number = 0;
    *ret = (struct agent_counter){.number = 0};
    if (turn == NULL || sqlite3_column_bytes(s, column) != TURN_BYTES)
        return;
    for (int i = 0; i < NUMBER_BYTES; i++)
        number = number << 8 | turn[i];
    if (number == 0 || number > (uint64_t)AGENT_COUNTER_MAX)
        return;
    ret->number = (int64_t)number;
    memcpy(ret->nonce, turn + NUMBER_BYTES, AGENT_NONCE_BYTES);
}
