/* SPDX-License-Identifier: ISC */
#include "lib/base/nearest.h"

#include "lib/base/buf.h"
#include "lib/base/text.h"

#include <string.h>

/* In a short word a second mistake leaves too little of it. */
static unsigned mistakes_allowed(size_t len)
{
    return len < 2 || len > NEAREST_WORD_BYTES ? 0 : len < 4 ? 1 : len < 8 ? 2 : 3;
}

static unsigned min(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

/* The edits that make b of a, of which one may exchange two neighbours. Both have at most
 * NEAREST_WORD_BYTES. */
static unsigned count_mistakes(const char *a, const char *b)
{
    unsigned rows[3][NEAREST_WORD_BYTES + 1]; /* of the first i - 2, i - 1 and i letters of a */
    size_t a_len = strlen(a), b_len = strlen(b);
    for (size_t k = 0; k <= b_len; k++)
        rows[0][k] = (unsigned)k;
    for (size_t i = 1; i <= a_len; i++) {
        unsigned *row = rows[i % 3];
        const unsigned *above = rows[(i + 2) % 3], *two_above = rows[(i + 1) % 3];
        row[0] = (unsigned)i;
        for (size_t k = 1; k <= b_len; k++) {
            char x = text_lower(a[i - 1]), y = text_lower(b[k - 1]);
            row[k] = min(above[k - 1] + (x != y), min(above[k], row[k - 1]) + 1);
            if (i > 1 && k > 1 && x == text_lower(b[k - 2]) && y == text_lower(a[i - 2]))
                row[k] = min(row[k], two_above[k - 2] + 1);
        }
    }
    return rows[a_len % 3][b_len];
}

void nearest_init(struct nearest *n, const char *typed)
{
    *n = (struct nearest){.typed = typed};
    n->mistakes = mistakes_allowed(strlen(typed));
}

void nearest_offer(struct nearest *n, const char *word)
{
    size_t len = strlen(n->typed);
    if (mistakes_allowed(len) == 0 || strlen(word) > NEAREST_WORD_BYTES)
        return;
    unsigned mistakes = strncmp(word, n->typed, len) == 0 ? 1 : count_mistakes(n->typed, word);
    if (mistakes > n->mistakes)
        return;
    if (mistakes < n->mistakes)
        n->count = 0;
    for (size_t i = 0; i < n->count; i++)
        if (strcmp(n->words[i], word) == 0)
            return;
    n->mistakes = mistakes;
    if (n->count < NEAREST_WORDS_MAX)
        n->words[n->count++] = word;
}

void nearest_add_question(const struct nearest *n, const char *before, struct buf *out)
{
    for (size_t i = 0; i < n->count; i++)
        buf_addf(out, "%s'%s%s'",
                 i == 0             ? " (did you mean "
                 : i + 1 < n->count ? ", "
                                    : " or ",
                 before, n->words[i]);
    if (n->count > 0)
        buf_add(out, "?)");
}
