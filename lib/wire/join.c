/* SPDX-License-Identifier: ISC */
#include "lib/wire/join.h"

#include "lib/base/buf.h"
#include "lib/base/text.h"
#include "lib/wire/control.h"
#include "lib/wire/document.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int join_request_format(const struct join_request *r, struct buf *out)
{
    char key[PUBKEY_TYPE_BYTES + PUBKEY_BASE64_BYTES];
    if (snprintf(key, sizeof(key), "%s %s", r->key_type, r->key_base64) >= (int)sizeof(key))
        return -1;
    return document_write(json_pack("{s:s,s:s,s:s,s:b,s:b}", "action", "join", "code", r->code,
                                    "public_key", key, "json", (int)r->json, "lease_only",
                                    (int)r->lease_only),
                          JSON_COMPACT, out);
}

const char join_other_action[] = "on this socket the only action is \"join\"";

static const char *parse_request(const json_t *root, struct control_request *ret)
{
    const char *action = json_string_value(json_object_get(root, "action"));
    const char *code = json_string_value(json_object_get(root, "code"));
    const char *key = json_string_value(json_object_get(root, "public_key"));
    const json_t *json = json_object_get(root, "json");
    const json_t *lease_only = json_object_get(root, "lease_only");
    if (action == NULL || strcmp(action, "join") != 0)
        return join_other_action;
    if (code == NULL || strlen(code) > JOIN_CODE_MAX ||
        control_request_set(ret, CONTROL_CREDENTIAL, code, strlen(code)) != 0)
        return "code is not a string of at most 64 bytes";
    if (key == NULL || strlen(key) >= PUBKEY_TYPE_BYTES + PUBKEY_BASE64_BYTES ||
        control_request_set(ret, CONTROL_PUBLIC_KEY, key, strlen(key)) != 0)
        return "public_key is not a string, or is too long";
    if (json != NULL && !json_is_boolean(json))
        return "json is neither true nor false";
    if (lease_only != NULL && !json_is_boolean(lease_only))
        return "lease_only is neither true nor false";
    ret->wants_json = json_is_true(json);
    ret->lease_only = json_is_true(lease_only);
    return NULL;
}

const char *join_request_parse(const char *body, size_t len, struct control_request *ret)
{
    json_t *root = NULL;
    const char *problem = len > JOIN_REQUEST_BYTES_MAX ? "the body is larger than 8 KiB"
                                                       : document_parse(body, len, &root);
    if (problem == NULL)
        problem = parse_request(root, ret);
    json_decref(root);
    return problem;
}

int join_answer_format(int exit, const char *text, struct buf *out)
{
    return document_write(json_pack("{s:i,s:s}", "exit", exit, "text", text), JSON_COMPACT, out);
}

/* Whether leased may answer it. */
static bool is_exit(json_int_t exit)
{
    return exit == JOIN_JOINED || exit == JOIN_NO_INVITE || exit == JOIN_CEILING ||
           exit == JOIN_TAKEN || exit == JOIN_UNAVAILABLE;
}

/* A newline is the only control character: the text is printed on the terminal of who joins. */
static bool is_fit_for_terminal(const char *text)
{
    size_t len = 1;
    for (; *text != '\0'; text += len) {
        len = 1;
        if (*text != '\n' && !text_char_is_printable(text, &len))
            return false;
    }
    return true;
}

static const char *parse_answer(const json_t *root, struct join_answer *ret)
{
    const json_t *exit = json_object_get(root, "exit");
    const char *text = json_string_value(json_object_get(root, "text"));
    if (!json_is_integer(exit) || !is_exit(json_integer_value(exit)))
        return "has no valid exit";
    if (text == NULL || *text == '\0' || strlen(text) > JOIN_TEXT_BYTES_MAX)
        return "has no text, or too long a one";
    if (!is_fit_for_terminal(text))
        return "has a text that is not fit for a terminal";
    char *copy = strdup(text);
    if (copy == NULL)
        return "does not fit in memory";
    *ret = (struct join_answer){.exit = (int)json_integer_value(exit), .text = copy};
    return NULL;
}

const char *join_answer_parse(const char *body, size_t len, struct join_answer *ret)
{
    json_t *root = NULL;
    if (len > JOIN_ANSWER_BYTES_MAX)
        return "is too long";
    if (document_parse(body, len, &root) != NULL)
        return "is not a JSON object";
    const char *problem = parse_answer(root, ret);
    json_decref(root);
    return problem;
}

void join_answer_release(struct join_answer *a)
{
    if (a->text != NULL)
        explicit_bzero(a->text, strlen(a->text));
    free(a->text);
    *a = (struct join_answer){.exit = JOIN_UNAVAILABLE};
}
