/* SPDX-License-Identifier: ISC */
#include "leasectl/traffic/inet_diag.h"

#include "lib/base/array.h"
#include "lib/base/tcp_table.h"

#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { ANSWER_BYTES = 32768, CONNECTIONS_MAX = 1000000 };

/* What a process can have open and carry data with; listeners carry none. */
enum {
    WANTED_STATES = 1U << TCP_ESTABLISHED_STATE | 1U << TCP_SYN_SENT_STATE |
                    1U << TCP_FIN_WAIT1_STATE | 1U << TCP_FIN_WAIT2_STATE |
                    1U << TCP_CLOSE_WAIT_STATE
};

struct dump {
    struct inet_counter_list *out;
    size_t cap;
    bool done;
    int why; /* errno, once it has failed */
};

static int ask(int fd, unsigned char family)
{
    struct {
        struct nlmsghdr header;
        struct inet_diag_req_v2 body;
    } request = {.header = {.nlmsg_len = sizeof(request),
                            .nlmsg_type = SOCK_DIAG_BY_FAMILY,
                            .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP},
                 .body = {.sdiag_family = family,
                          .sdiag_protocol = IPPROTO_TCP,
                          .idiag_ext = 1U << (INET_DIAG_INFO - 1),
                          .idiag_states = WANTED_STATES}};
    const struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
    ssize_t n =
        sendto(fd, &request, sizeof(request), 0, (const struct sockaddr *)&kernel, sizeof(kernel));
    return n == (ssize_t)sizeof(request) ? 0 : -1;
}

static int64_t smaller(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

/* An older kernel sends a shorter struct. */
static void read_info(const struct rtattr *attr, struct inet_counters *c)
{
    struct tcp_info info = {.tcpi_state = 0};
    size_t bytes = RTA_PAYLOAD(attr);
    memcpy(&info, RTA_DATA(attr), bytes < sizeof(info) ? bytes : sizeof(info));
    c->idle_ms = smaller(info.tcpi_last_data_sent, info.tcpi_last_data_recv);
    c->has_bytes =
        bytes >= offsetof(struct tcp_info, tcpi_bytes_received) + sizeof(info.tcpi_bytes_received);
    c->received = info.tcpi_bytes_received;
    c->sent = info.tcpi_bytes_acked;
}

static void add_message(struct dump *dump, struct nlmsghdr *header)
{
    const struct inet_diag_msg *msg = NLMSG_DATA(header);
    if (header->nlmsg_len < NLMSG_LENGTH(sizeof(*msg)) || msg->idiag_inode == 0)
        return;
    struct inet_counters c = {.inode = msg->idiag_inode,
                              .cookie =
                                  (uint64_t)msg->id.idiag_cookie[1] << 32 | msg->id.idiag_cookie[0],
                              .state = msg->idiag_state};
    unsigned rest = header->nlmsg_len - (unsigned)NLMSG_LENGTH(sizeof(*msg));
    for (const struct rtattr *attr = (const struct rtattr *)(msg + 1); RTA_OK(attr, rest);
         attr = RTA_NEXT(attr, rest))
        if (attr->rta_type == INET_DIAG_INFO)
            read_info(attr, &c);
    struct inet_counters *items =
        array_grow(dump->out->items, dump->out->count, &dump->cap, sizeof(*items), CONNECTIONS_MAX);
    if (items == NULL) {
        dump->why = errno;
        return;
    }
    dump->out->items = items;
    items[dump->out->count++] = c;
}

static void read_answer(struct dump *dump, char *answer, size_t bytes)
{
    struct nlmsghdr *header = (struct nlmsghdr *)(void *)answer;
    unsigned rest = (unsigned)bytes;
    for (; NLMSG_OK(header, rest) && !dump->done && dump->why == 0;
         header = NLMSG_NEXT(header, rest)) {
        if (header->nlmsg_type == NLMSG_DONE) {
            dump->done = true;
        } else if (header->nlmsg_type == NLMSG_ERROR) {
            const struct nlmsgerr *error = NLMSG_DATA(header);
            dump->why = header->nlmsg_len >= NLMSG_LENGTH(sizeof(*error)) && error->error < 0
                            ? -error->error
                            : EPROTO;
        } else if (header->nlmsg_type == SOCK_DIAG_BY_FAMILY) {
            add_message(dump, header);
        }
    }
}

static int read_family(int fd, unsigned char family, struct dump *dump)
{
    _Alignas(struct nlmsghdr) char answer[ANSWER_BYTES];
    dump->done = false;
    dump->why = ask(fd, family) == 0 ? 0 : errno;
    while (!dump->done && dump->why == 0) {
        struct sockaddr_nl from = {.nl_pid = 0};
        socklen_t from_bytes = sizeof(from);
        ssize_t n = recvfrom(fd, answer, sizeof(answer), 0, (struct sockaddr *)&from, &from_bytes);
        if (n < 0 && errno != EINTR)
            dump->why = errno;
        else if (n == 0)
            dump->why = EPROTO;
        else if (n > 0 && from.nl_pid == 0) /* 0 is the kernel: nobody else is listened to */
            read_answer(dump, answer, (size_t)n);
    }
    errno = dump->why;
    return dump->why == 0 ? 0 : -1;
}

static int compare_inode(const void *a, const void *b)
{
    const struct inet_counters *x = a, *y = b;
    return x->inode < y->inode ? -1 : x->inode > y->inode;
}

int inet_counters_read(struct inet_counter_list *ret)
{
    struct inet_counter_list out = {.items = NULL};
    struct dump dump = {.out = &out};
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
    if (fd < 0)
        return -1;
    int rc = read_family(fd, AF_INET, &dump);
    if (rc == 0 && read_family(fd, AF_INET6, &dump) != 0)
        rc = dump.why == ENOENT ? 0 : -1; /* no IPv6 */
    int why = errno;
    (void)close(fd);
    if (rc != 0) {
        inet_counter_list_release(&out);
        errno = why;
        return -1;
    }
    if (out.count > 1)
        qsort(out.items, out.count, sizeof(out.items[0]), compare_inode);
    *ret = out;
    return 0;
}

const struct inet_counters *inet_counters_find(const struct inet_counter_list *list, uint64_t inode)
{
    const struct inet_counters key = {.inode = inode};
    return list->count > 0 ? bsearch(&key, list->items, list->count, sizeof(key), compare_inode)
                           : NULL;
}

void inet_counter_list_release(struct inet_counter_list *list)
{
    free(list->items);
    *list = (struct inet_counter_list){.items = NULL};
}
