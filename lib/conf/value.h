/* SPDX-License-Identifier: ISC */
/*
 * Parsers for the values of keywords of tunlease.conf(5). Each parses the words after the keyword
 * into field, whose type is in the comment of its line. Returns NULL; or why not, as a clause that
 * is printed after the last word, and field is unchanged.
 */
#ifndef TUNLEASE_CONF_VALUE_H
#define TUNLEASE_CONF_VALUE_H

#include <stddef.h>

typedef const char *(*value_fn)(void *field, char *const *words, size_t count);

const char *value_path(void *field, char *const *words, size_t count);     /* CONF_PATH_BYTES */
const char *value_name(void *field, char *const *words, size_t count);     /* CONF_NAME_BYTES */
const char *value_duration(void *field, char *const *words, size_t count); /* int64_t, seconds */
const char *value_duration_or_none(void *field, char *const *words, size_t count); /* none: 0 */
const char *value_bool(void *field, char *const *words, size_t count);             /* bool */
const char *value_proxy_header(void *field, char *const *words, size_t count);     /* its enum */
const char *value_session_refusal(void *field, char *const *words, size_t count);  /* its enum */
const char *value_copied_agents(void *field, char *const *words, size_t count);    /* its enum */
const char *value_permit(void *field, char *const *words, size_t count); /* struct permit */
const char *value_rule(void *field, char *const *words, size_t count);   /* struct ceiling_rules */
const char *value_bind_host(void *field, char *const *words, size_t count); /* CONF_TEXT_BYTES */
const char *value_listener(void *field, char *const *words, size_t count);  /* conf_listener */
const char *value_host(void *field, char *const *words, size_t count);      /* CONF_TEXT_BYTES */
const char *value_port(void *field, char *const *words, size_t count);      /* uint16_t */
const char *value_count(void *field, char *const *words, size_t count);     /* unsigned */
/* All words, joined by blanks: CONF_TEXT_BYTES. */
const char *value_text(void *field, char *const *words, size_t count);

#endif
