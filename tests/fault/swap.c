/* SPDX-License-Identifier: ISC */
/* swap A B: exchanges two file names as fast as it can, until it is killed. */
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
            (void)usleep(100); /* one of them is missing for a moment */
    }
}
