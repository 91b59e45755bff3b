/* SPDX-License-Identifier: ISC */
/* A systemd user unit and a launchd job, which hold a tunnel without anybody at a terminal. */
#include "leasectl/show/ssh_config.h"

#include "lib/conf/conf.h"

#include <string.h>

/* Where sshd refuses a key, an attempt more often counts against the client's whole address
 * (docs/sshd-facts.md 12). */
#define RESTART_S "30"

/* Adds what a service adds to the line: it can answer no question, so the host key must be the
 * pinned one. */
static void add_service_options(const struct ssh_client *client, struct buf *out)
{
    buf_add(out, " -o BatchMode=yes -o StrictHostKeyChecking=yes -o HostKeyAlias=");
    ssh_config_add_alias(client->conf, NULL, out);
}

void ssh_service_add_unit(const struct ssh_client *client, const char *line, struct buf *out)
{
    buf_addf(out,
             "[Unit]\n"
             "Description=SSH tunnel of lease '%s' through %s\n"
             "StartLimitIntervalSec=0\n\n"
             "[Service]\n"
             "ExecStart=/usr/bin/ssh",
             client->lease->name, client->conf->public_host);
    add_service_options(client, out);
    buf_addf(out,
             "%s\n"
             "Restart=always\n"
             "RestartSec=" RESTART_S "\n\n"
             "[Install]\n"
             "WantedBy=default.target\n",
             line + strlen("ssh"));
}

static void add_xml_text(const char *text, size_t len, struct buf *out)
{
    for (size_t i = 0; i < len; i++) {
        if (text[i] == '&')
            buf_add(out, "&amp;");
        else if (text[i] == '<')
            buf_add(out, "&lt;");
        else
            buf_add_mem(out, text + i, 1);
    }
}

/* Adds each word of a line; a word that needs it stands in double quotes as a whole. */
static void add_words(const char *line, struct buf *out)
{
    while (*(line += strspn(line, " ")) != '\0') {
        const bool quoted = *line == '"';
        const char *word = line + (quoted ? 1 : 0);
        const size_t len = strcspn(word, quoted ? "\"" : " ");
        buf_add(out, "        <string>");
        add_xml_text(word, len, out);
        buf_add(out, "</string>\n");
        line = word + len + (quoted && word[len] != '\0' ? 1 : 0);
    }
}

void ssh_service_add_plist(const struct ssh_client *client, const char *line, struct buf *out)
{
    struct buf options = {0};
    char name[SSH_SERVICE_NAME_BYTES];
    ssh_config_job_name(client->lease, name);
    add_service_options(client, &options);
    buf_addf(out,
             "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
             "<!DOCTYPE plist PUBLIC \"-//Apple//DTD PLIST 1.0//EN\" "
             "\"http://www.apple.com/DTDs/PropertyList-1.0.dtd\">\n"
             "<plist version=\"1.0\">\n"
             "<dict>\n"
             "    <key>Label</key>\n"
             "    <string>%s</string>\n"
             "    <key>ProgramArguments</key>\n"
             "    <array>\n"
             "        <string>/usr/bin/ssh</string>\n",
             name);
    if (buf_text(&options) != NULL)
        add_words(buf_text(&options), out);
    else
        out->failed = true;
    add_words(line + strlen("ssh"), out);
    buf_add(out, "    </array>\n"
                 "    <key>RunAtLoad</key>\n"
                 "    <true/>\n"
                 "    <key>KeepAlive</key>\n"
                 "    <true/>\n"
                 "    <key>ThrottleInterval</key>\n"
                 "    <integer>" RESTART_S "</integer>\n"
                 "</dict>\n"
                 "</plist>\n");
    buf_release(&options);
}
