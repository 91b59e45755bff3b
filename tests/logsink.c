/* SPDX-License-Identifier: ISC */
/* logsink: stands behind /dev/log in tests/sandbox, one line of a file per datagram. */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { DATAGRAM_BYTES = 65536 };

static int complain(const char *what, const char *name)
{
    fprintf(stderr, "logsink: %s '%s': %s\n", what, name, strerror(errno));
    return 1;
}

/* Copy in to out with control characters as \xNN; out holds 4 bytes for each of in. */
static size_t escape(const char *in, size_t len, char *out)
{
    static const char hex[] = "0123456789abcdef";
    size_t used = 0;

    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)in[i];

        if (c >= 0x20 && c != 0x7f) {
            out[used++] = in[i];
            continue;
        }
        out[used++] = '\\';
        out[used++] = 'x';
        out[used++] = hex[c >> 4];
        out[used++] = hex[c & 15];
    }
    return used;
}

int main(int argc, char *argv[])
{
    static char in[DATAGRAM_BYTES], out[4 * DATAGRAM_BYTES + 1];
    struct sockaddr_un addr = {.sun_family = AF_UNIX};
    int file, sock;

    if (argc != 3 || strlen(argv[1]) >= sizeof(addr.sun_path)) {
        fputs("usage: logsink SOCKET FILE\n", stderr);
        return 2;
    }
    memcpy(addr.sun_path, argv[1], strlen(argv[1]));
    file = open(argv[2], O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
    if (file < 0)
        return complain("cannot open", argv[2]);
    sock = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (sock < 0 || bind(sock, (const struct sockaddr *)&addr, sizeof(addr)) != 0 ||
        chmod(argv[1], 0666) != 0)
        return complain("cannot listen on", argv[1]);
    if (puts("ready") == EOF || fclose(stdout) != 0)
        return complain("cannot write to", "stdout");

    for (;;) {
        ssize_t got = recv(sock, in, sizeof(in), 0);
        size_t len, used;

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return complain("cannot receive on", argv[1]);
        len = (size_t)got;
        /* Some senders end the message with a newline or a NUL. */
        while (len > 0 && (in[len - 1] == '\n' || in[len - 1] == '\0'))
            len--;
        used = escape(in, len, out);
        out[used++] = '\n';
        /* One write, so that a reader never sees half a line. */
        if (write(file, out, used) != (ssize_t)used)
            return complain("cannot write to", argv[2]);
    }
}
