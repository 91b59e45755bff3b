#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""socks PORT: asks the SOCKS5 proxy of an ssh -D on 127.0.0.1 for each line `HOST PORT` of its input, and
prints the line with `reached` (the far side sent something) or `refused` before it. A HOST is bytes as the
client sends them to sshd, which no address that ssh itself parses could be: \\n, \\x00 and the like are undone."""
import socket
import sys

WAIT_S = 30


def read(connection, count):
    got = b""
    while len(got) < count:
        more = connection.recv(count - len(got))
        if not more:
            raise EOFError
        got += more
    return got


def reached(proxy, host, port):
    with socket.create_connection(("127.0.0.1", proxy), WAIT_S) as connection:
        try:
            connection.sendall(b"\5\1\0")
            read(connection, 2)
            connection.sendall(b"\5\1\0\3" + bytes([len(host)]) + host + port.to_bytes(2, "big"))
            # ssh says yes before sshd was asked.
            read(connection, 10)
            return bool(connection.recv(64))
        except (EOFError, ConnectionResetError, BrokenPipeError):
            return False


def main():
    for line in sys.stdin:
        host, port = line.rstrip("\n").rsplit(" ", 1)
        sent = host.encode().decode("unicode_escape").encode("latin-1")
        print("reached" if reached(int(sys.argv[1]), sent, int(port)) else "refused", host, port, flush=True)


main()
