/* SPDX-License-Identifier: ISC */
/* Shared by the fuzz targets: MUST, and checks of text that do not use the code under test. */
#ifndef TUNLEASE_TESTS_FUZZ_FUZZ_H
#define TUNLEASE_TESTS_FUZZ_FUZZ_H

#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Crashes if condition is false; libFuzzer then saves the input. */
#define MUST(condition, text)                                                                      \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            (void)fprintf(stderr, "%s:%d: not so: %s\n  for: %s\n", __FILE__, __LINE__,            \
                          #condition, text);                                                       \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

/* The input as a C string, to be freed. As in an argument, it ends at the first NUL. */
static inline char *fuzz_text(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);
    if (text == NULL)
        abort();
    if (size > 0)
        memcpy(text, data, size);
    text[size] = '\0';
    return text;
}

/* The input in a buffer of exactly its size, to be freed, so that the sanitizer sees a read past
 * its end. */
static inline void *fuzz_exact(const uint8_t *data, size_t size)
{
    void *exact = malloc(size > 0 ? size : 1);
    if (exact == NULL)
        abort();
    if (size > 0)
        memcpy(exact, data, size);
    return exact;
}

/* Makes a directory for files, in memory where that is possible. */
static inline void fuzz_make_dir(char dir[static 64])
{
    (void)snprintf(dir, 64, "/dev/shm/fuzz.XXXXXX");
    if (mkdtemp(dir) != NULL)
        return;
    (void)snprintf(dir, 64, "/tmp/fuzz.XXXXXX");
    if (mkdtemp(dir) == NULL)
        abort();
}

static inline void fuzz_write_file(const char *file, const void *mem, size_t len)
{
    int fd = open(file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0 || write(fd, mem, len) != (ssize_t)len)
        abort();
    (void)close(fd);
}

/* True if s is printable ASCII, as everything but free text has to be. */
static inline bool fuzz_is_plain(const char *s)
{
    for (; *s != '\0'; s++)
        if (*s < 0x20 || *s > 0x7e)
            return false;
    return true;
}

/* The next code point of *s; -1 if it is not in its shortest form, or not valid. A second
 * implementation of RFC 3629, which computes values where text.c compares bytes. */
static inline int32_t fuzz_code_point(const char **s)
{
    static const int32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    const unsigned char *p = (const unsigned char *)*s;
    size_t len = p[0] < 0x80       ? 1
                 : p[0] >> 5 == 6  ? 2
                 : p[0] >> 4 == 14 ? 3
                 : p[0] >> 3 == 30 ? 4
                                   : 0;
    if (len == 0)
        return -1;
    int32_t value = len == 1 ? p[0] : p[0] & (0x7f >> len);
    for (size_t i = 1; i < len; i++) {
        if (p[i] >> 6 != 2)
            return -1;
        value = value << 6 | (p[i] & 0x3f);
    }
    *s += len;
    bool surrogate = value >= 0xd800 && value <= 0xdfff;
    return value < least[len] || value > 0x10ffff || surrogate ? -1 : value;
}

/* True if s is UTF-8 that can neither control a terminal nor forge a line: no C0, DEL, C1, U+2028,
 * U+2029 or bidirectional control. */
static inline bool fuzz_is_harmless(const char *s)
{
    while (*s != '\0') {
        int32_t c = fuzz_code_point(&s);
        if (c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0x61c || c == 0x200e || c == 0x200f ||
            (c >= 0x2028 && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069))
            return false;
    }
    return true;
}

#endif
