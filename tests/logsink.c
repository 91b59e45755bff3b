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

enum { DATAGRAM_BYTES = 65536, AT_ONCE = 16 };

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
    static char in[AT_ONCE][DATAGRAM_BYTES], out[AT_ONCE * (4 * DATAGRAM_BYTES + 1)];
    static struct iovec texts[AT_ONCE];
    static struct mmsghdr packets[AT_ONCE];
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

    for (int i = 0; i < AT_ONCE; i++) {
        texts[i] = (struct iovec){.iov_base = in[i], .iov_len = sizeof(in[i])};
        packets[i].msg_hdr = (struct msghdr){.msg_iov = &texts[i], .msg_iovlen = 1};
    }
    for (;;) {
        /* What has come, as many as there are: a log that is slow slows who writes to it. */
        int got = recvmmsg(sock, packets, AT_ONCE, MSG_WAITFORONE, NULL);
        size_t used = 0;

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return complain("cannot receive on", argv[1]);
        for (int i = 0; i < got; i++) {
            size_t len = packets[i].msg_len;
            /* Some senders end the message with a newline or a NUL. */
            while (len > 0 && (in[i][len - 1] == '\n' || in[i][len - 1] == '\0'))
                len--;
            used += escape(in[i], len, out + used);
            out[used++] = '\n';
        }
        /* One write, so that a reader never sees half a line. */
        if (write(file, out, used) != (ssize_t)used)
            return complain("cannot write to", argv[2]);
    }
}
