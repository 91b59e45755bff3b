/* SPDX-License-Identifier: ISC */
/*
 * What Frama-C's libc lacks: what the manual page promises, and what it demands. Nothing is
 * computed: every answer that the contract allows is tried.
 */
#ifndef TUNLEASE_PROOF_STUBS_H
#define TUNLEASE_PROOF_STUBS_H

#include <stddef.h>

/* memmem(3) */
/*@ requires haystack_len > 0 ==> \valid_read((char *)haystack + (0 .. haystack_len - 1));
    requires needle_len > 0 ==> \valid_read((char *)needle + (0 .. needle_len - 1));
    assigns \result \from haystack, indirect:haystack_len, indirect:needle_len,
        indirect:((char *)haystack)[0 .. haystack_len - 1],
        indirect:((char *)needle)[0 .. needle_len - 1];
    ensures \result == \null || (haystack <= \result <= haystack + (haystack_len - needle_len)); */
void *memmem(const void *haystack, size_t haystack_len, const void *needle, size_t needle_len);

#endif
