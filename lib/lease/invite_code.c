/* SPDX-License-Identifier: ISC */
#include "lib/lease/invite_code.h"

#include <bsd/stdlib.h>
#include <ctype.h>
#include <stddef.h>
#include <string.h>

enum { GROUP = 4, LETTERS = 16 };

/* 32 of them, so that a letter is five bits, and each as likely as the others. */
static const char alphabet[] = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ";
_Static_assert(sizeof(alphabet) - 1 == 32, "five bits a letter");

/* Writes the letter of that number behind those before it, and the hyphen or the end behind it. */
static void put(char *out, size_t number, char letter)
{
    char *at = out + number + number / GROUP;
    at[0] = letter;
    at[1] = number + 1 == LETTERS ? '\0' : '-'; /* the next letter of a group takes its place */
}

void invite_code_make(char out[static INVITE_CODE_BYTES])
{
    unsigned char random[LETTERS];
    arc4random_buf(random, sizeof(random));
    for (size_t i = 0; i < LETTERS; i++)
        put(out, i, alphabet[random[i] % 32]);
    explicit_bzero(random, sizeof(random));
}

const char *invite_code_parse(const char *text, char out[static INVITE_CODE_BYTES])
{
    char code[INVITE_CODE_BYTES];
    const char *problem = NULL;
    size_t letters = 0;
    for (; problem == NULL && *text != '\0'; text++) {
        const int c = toupper((unsigned char)*text);
        if (c == '-')
            continue;
        if (strchr(alphabet, c) == NULL)
            problem = "has a letter that no code has: a code has 2-9 and A-Z without I and O";
        else if (letters == LETTERS)
            problem = "is longer than a code: a code has 16 letters and digits";
        else
            put(code, letters++, (char)c);
    }
    if (problem == NULL && letters < LETTERS)
        problem = "is shorter than a code: a code has 16 letters and digits";
    if (problem == NULL)
        memcpy(out, code, sizeof(code));
    explicit_bzero(code, sizeof(code));
    return problem;
}
