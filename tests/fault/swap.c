/* SPDX-License-Identifier: ISC */
/* swap A B: exchanges two names as fast as it goes, until it is killed. */
#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    if (argc != 3)
        errx(2, "usage: swap A B");
    for (;;) {
        if (renameat2(AT_FDCWD, argv[1], AT_FDCWD, argv[2], RENAME_EXCHANGE) != 0)
            (void)usleep(100); /* one is away for a moment */
    }
}
