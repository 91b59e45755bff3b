/* SPDX-License-Identifier: ISC */
/*
 * All that only some systems have. Where one has it not, the answer is "not known" and the program
 * works without it.
 */
#ifndef TUNLEASE_AGENT_HOST_PLATFORM_H
#define TUNLEASE_AGENT_HOST_PLATFORM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* In a child, after fork: it is killed when its parent dies, however that dies. */
void platform_die_with_parent(pid_t parent);

/* Milliseconds that go on while the machine sleeps; elsewhere the wall clock's. */
int64_t platform_awake_ms(void);

/* Who listens on this port (any address of it): "python3, pid 123", "" when that is not known. */
void platform_port_holder(uint16_t port, char *out, size_t size);

/* Is it this process that listens on the port, on IPv4? True as well where that is not known. */
bool platform_listens(pid_t pid, uint16_t port);

enum platform_carrier {
    CARRIER_UNKNOWN,
    CARRIER_SSH,    /* an ssh has the connection: ours, or the one of a jump host */
    CARRIER_PLUGIN, /* another program (ProxyCommand): others' data may be on it as well */
};

/* The TCP connection that a process of this group has, where it has one: right after its login that
 * is ssh's own, later it may be one that it forwards. 0: not known. */
unsigned long platform_connection(pid_t group, enum platform_carrier *ret_carrier);

/* What the kernel knows of that connection. False: nothing, or it is gone. */
struct platform_traffic {
    int64_t silent_ms;    /* since the last segment came in, be it a mere acknowledgement */
    int64_t acked_bytes;  /* by the other side */
    int64_t unsent_bytes; /* written here, and not acknowledged yet */
    int64_t taken_bytes;  /* received, and read by the program here */
    uint32_t sent_again;  /* segments, since it began: the path loses some, or is dead */
};
bool platform_traffic(unsigned long connection, struct platform_traffic *ret);

/* The path of this program, or NULL when not known. To be freed. */
char *platform_self(void);

#endif
