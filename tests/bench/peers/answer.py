#!/usr/bin/python3 -I
# SPDX-License-Identifier: ISC
"""answer.py PORT LINE: the server that curl asks. It answers every request with LINE and looks
nothing up, so that the figure is the cost of curl and a request alone."""
import socket
import sys

body = sys.argv[2].encode() + b"\n"
answer = b"HTTP/1.0 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body
listener = socket.create_server(("127.0.0.1", int(sys.argv[1])))
print("ready", flush=True)
while True:
    connection, _ = listener.accept()
    with connection:
        if connection.recv(4096):
            connection.sendall(answer)
