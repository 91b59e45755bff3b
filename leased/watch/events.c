/* SPDX-License-Identifier: ISC */
#include "leased/watch/events.h"

#include <syslog.h>

const struct log_event event_session_ended = {"49d898898d3d4960bd5977adc1bbe84d", LOG_INFO};
const struct log_event event_session_stays = {"b726c7e4587841dabf18ec55406c7280", LOG_ERR};
const struct log_event event_join_ended = {"510f8b5c0003436fa82dc7abd8f919df", LOG_INFO};
const struct log_event event_join_stays = {"a28a7352d0034d8e8b91bf0966fc4ff5", LOG_ERR};
const struct log_event event_sight_lost = {"3757d45ada744f949d02362c685ac7dc", LOG_ERR};
const struct log_event event_tunnel_up = {"f305dc7da7c84a85ae913a8e1686964c", LOG_INFO};
const struct log_event event_tunnel_down = {"fec42107c84240aa9b260d1f9a7c2bad", LOG_INFO};
const struct log_event event_agent_registered = {"a41373f238b747a8b92072cd414fa185", LOG_INFO};
const struct log_event event_heartbeat = {"4bf7efd83e5d47ee81f46d0b353ba66b", LOG_INFO};
const struct log_event event_request_refused = {"5e96744f4b0548fe9fe80d955905c60f", LOG_INFO};
const struct log_event event_agent_copied = {"55c82d29c67b49b3b49ba9e29b3524a9", LOG_WARNING};
const struct log_event event_expires_soon = {"7f151821e3064da9b729efd34c47befe", LOG_INFO};
const struct log_event event_clock_jumped = {"81766abcfece4c7b876285656e48c160", LOG_WARNING};
const struct log_event event_audit_head = {"92e58691d94746b9a3dc30d8afd17a30", LOG_INFO};
const struct log_event event_store_unusable = {"6b68befbabd040b9a196072a542c35e6", LOG_ERR};
const struct log_event event_store_replaced = {"f69e974a8de7450783bb0d4a09f5a7bf", LOG_WARNING};
const struct log_event event_conf_refused = {"ba93b7975c1e48e78213b26a7c0b85bb", LOG_ERR};
const struct log_event event_conf_reloaded = {"c0efb0b5b96f4686976320f94e774076", LOG_INFO};
const struct log_event event_sockets_differ = {"84c03dcd73094dccb55bdace2fc7ed89", LOG_ERR};
const struct log_event event_cannot_join = {"5a19ce0b50e64c87a0979b354d4eeefd", LOG_WARNING};
const struct log_event event_joined = {"5a1e5186dd084dea9ee363ff9e54ecf9", LOG_INFO};
const struct log_event event_join_refused = {"1f81ce6c01bc4fa6b23021e5a8ec19cd", LOG_INFO};
const struct log_event event_stopping = {"7e22e6c678c14201bd18596157241534", LOG_INFO};
const struct log_event event_start_paused = {"dc08080e7bd5464597bf317fe4ca2db8", LOG_WARNING};
const struct log_event event_http_ended = {"11cde9c8208b4ff8a3db42691080841b", LOG_ERR};
