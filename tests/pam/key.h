/* SPDX-License-Identifier: ISC */
/* The one key of these tests, and what akc --check prints for it. */
#ifndef TUNLEASE_TESTS_PAM_KEY_H
#define TUNLEASE_TESTS_PAM_KEY_H

#define KEY_TYPE "ssh-ed25519"
#define KEY_BASE64 "AAAAC3NzaC1lZDI1NTE5AAAAIAcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcH"
#define KEY_LINE "publickey " KEY_TYPE " " KEY_BASE64 "\n"
#define KEY_SOURCE "192.0.2.7"

#define CHECK_LINE                                                                                 \
    "lease_id=17 name=alice listen=0 max_sessions=0 expires_s=4102444800 "                         \
    "fp=SHA256:gNSIRW+2Iyiuvsdp/bgjy38bvWHw6wQm3tuoXrl3WjQ open_permits=127.0.0.1:8009 "           \
    "listen_permits=\n"

#endif
