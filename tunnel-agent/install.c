/* SPDX-License-Identifier: ISC */
#include "tunnel-agent/install.h"

#include "lib/base/buf.h"
#include "lib/base/durable.h"
#include "lib/base/log.h"
#include "lib/lease/name.h"
#include "tunnel-agent/config/options.h"
#include "tunnel-agent/config/tunnels_conf.h"
#include "tunnel-agent/host/exit_code.h"
#include "tunnel-agent/host/platform.h"

#include <bsd/string.h>
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATH_BYTES = 1200 };

enum target { TARGET_NONE, TARGET_SYSTEMD_USER, TARGET_SYSTEMD, TARGET_LAUNCHD };

/* systemd.service(5), COMMAND LINES, and systemd.unit(5), SPECIFIERS. */
static void add_quoted(struct buf *out, const char *word)
{
    buf_add(out, " \"");
    for (; *word != '\0'; word++) {
        if (*word == '"' || *word == '\\')
            buf_add(out, "\\");
        if (*word == '$' || *word == '%')
            buf_add_mem(out, word, 1); /* doubled */
        buf_add_mem(out, word, 1);
    }
    buf_add(out, "\"");
}

static void add_xml(struct buf *out, const char *word)
{
    buf_add(out, "    <string>");
    for (; *word != '\0'; word++) {
        if (*word == '&')
            buf_add(out, "&amp;");
        else if (*word == '<')
            buf_add(out, "&lt;");
        else if (*word == '>')
            buf_add(out, "&gt;");
        else
            buf_add_mem(out, word, 1);
    }
    buf_add(out, "</string>\n");
}

static const char *user_name(void)
{
    const char *sudo = getenv("SUDO_USER");
    const struct passwd *me = getpwuid(getuid());
    if (sudo != NULL && login_name_problem(sudo) == NULL)
        return sudo;
    return me != NULL ? me->pw_name : "root";
}

/* One line that both systemd.exec(5)'s EnvironmentFile and sh(1) read as this value. */
static void add_variable(struct buf *out, const char *name, const char *value)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                "._/:@%+,-";
    buf_addf(out, "%s=", name);
    if (value[strspn(value, plain)] == '\0') {
        buf_addf(out, "%s\n", value);
    } else if (strchr(value, '\'') == NULL) {
        buf_addf(out, "'%s'\n", value);
    } else {
        buf_add(out, "\"");
        for (; *value != '\0'; value++) {
            if (strchr("\"\\$`", *value) != NULL)
                buf_add(out, "\\");
            buf_add_mem(out, value, 1);
        }
        buf_add(out, "\"\n");
    }
}

/* The environment that the service needs: the text of its file, the names in it, and the path. All
 * empty if the arguments say everything. */
struct variables {
    struct buf text, names;
    char path[PATH_BYTES];
};

static void config_path(enum target target, const char *what, const char *name, const char *suffix,
                        char out[static PATH_BYTES])
{
    const char *home = getenv("HOME"), *config = getenv("XDG_CONFIG_HOME");
    if (target == TARGET_SYSTEMD)
        (void)snprintf(out, PATH_BYTES, "/etc/%s/%s%s", what, name, suffix);
    else if (target != TARGET_LAUNCHD && config != NULL && config[0] == '/')
        (void)snprintf(out, PATH_BYTES, "%.900s/%s/%s%s", config, what, name, suffix);
    else
        (void)snprintf(out, PATH_BYTES, "%.900s/.config/%s/%s%s", home != NULL ? home : "", what,
                       name, suffix);
}

static void add_environment_file(const struct variables *v, struct buf *out)
{
    struct buf path = {0};
    if (v->path[0] == '\0')
        return;
    buf_add(out, "EnvironmentFile=");
    /* systemd expands specifiers in this path, but reads no quotes. */
    for (const char *p = v->path; *p != '\0'; p++)
        buf_addf(&path, *p == '%' ? "%%%%" : "%c", *p);
    buf_addf(out, "%s\n", buf_text_or(&path, ""));
    buf_release(&path);
}

static void format_unit(enum target target, const char *name, const char *self, char **args,
                        const struct variables *v, struct buf *out)
{
    buf_addf(out,
             "[Unit]\n"
             "Description=SSH tunnel %s\n"
             "Documentation=man:tunnel-agent(1)\n"
             "Wants=network-online.target\n"
             "After=network-online.target\n"
             "StartLimitIntervalSec=0\n\n"
             "[Service]\n"
             "Type=notify\n",
             name);
    add_environment_file(v, out);
    buf_add(out, "ExecStart=");
    struct buf line = {0};
    add_quoted(&line, self);
    buf_add(out, line.data != NULL ? line.data + 1 : "");
    buf_release(&line);
    buf_add(out, " -d");
    for (; *args != NULL; args++)
        add_quoted(out, *args);
    buf_addf(out,
             "\n%s%s%s"
             "Restart=on-failure\n"
             "RestartSec=5\n"
             "RestartPreventExitStatus=2\n"
             "WatchdogSec=60\n"
             "NoNewPrivileges=yes\n\n"
             "[Install]\n"
             "WantedBy=%s\n",
             target == TARGET_SYSTEMD ? "User=" : "", target == TARGET_SYSTEMD ? user_name() : "",
             target == TARGET_SYSTEMD ? "\n" : "",
             target == TARGET_SYSTEMD ? "multi-user.target" : "default.target");
}

/* launchd has no EnvironmentFile, and everybody can read the plist. So a shell reads the file. */
static void format_plist(const char *name, const char *self, char **args, const struct variables *v,
                         struct buf *out)
{
    buf_addf(out,
             "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
             "<!-- untried: nobody has run this on macOS yet. ~/Library/LaunchAgents/%s.plist -->\n"
             "<!DOCTYPE plist PUBLIC \"-//Apple//DTD PLIST 1.0//EN\" "
             "\"http://www.apple.com/DTDs/PropertyList-1.0.dtd\">\n"
             "<plist version=\"1.0\">\n<dict>\n"
             "  <key>Label</key><string>%s</string>\n"
             "  <key>ProgramArguments</key>\n  <array>\n",
             name, name);
    if (v->path[0] != '\0') {
        add_xml(out, "/bin/sh");
        add_xml(out, "-c");
        add_xml(out, "set -a; . \"$0\"; exec \"$@\"");
        add_xml(out, v->path);
    }
    add_xml(out, self);
    add_xml(out, "-d");
    for (; *args != NULL; args++)
        add_xml(out, *args);
    buf_add(out, "  </array>\n"
                 "  <key>RunAtLoad</key><true/>\n"
                 "  <key>KeepAlive</key><dict><key>SuccessfulExit</key><false/></dict>\n"
                 "  <key>ThrottleInterval</key><integer>10</integer>\n"
                 "</dict>\n</plist>\n");
}

/* Makes all directories above path, as mkdir -p does. */
static int make_parents(const char *path)
{
    char dir[PATH_BYTES];
    (void)strlcpy(dir, path, sizeof(dir));
    for (char *slash = strchr(dir + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (mkdir(dir, 0755) != 0 && errno != EEXIST)
            return -1;
        *slash = '/';
    }
    return 0;
}

static bool file_has_text(const char *path, const char *text)
{
    size_t len = strlen(text);
    char *have = malloc(len + 2);
    FILE *f = fopen(path, "re");
    bool same = false;
    if (f != NULL && have != NULL)
        same = fread(have, 1, len + 1, f) == len && memcmp(have, text, len) == 0;
    if (f != NULL)
        (void)fclose(f);
    free(have);
    return same;
}

static int write_file(const char *path, const char *text, mode_t mode)
{
    char temp[PATH_BYTES + 8];
    if (access(path, F_OK) == 0) {
        if (file_has_text(path, text) && chmod(path, mode) == 0)
            return EXIT_DONE;
        log_error("'%s' exists with other contents: move it away, or use another --name", path);
        return EXIT_FAILED;
    }
    (void)snprintf(temp, sizeof(temp), "%s.new", path);
    (void)unlink(temp);
    int fd = make_parents(path) == 0
                 ? open(temp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode)
                 : -1;
    bool ok = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);
    ok = ok && fsync(fd) == 0;
    if (fd >= 0 && close(fd) != 0)
        ok = false;
    if (ok && rename(temp, path) == 0 && durable_name(path) == 0)
        return EXIT_DONE;
    log_error("cannot write '%s': %s", path, strerror(errno));
    (void)unlink(temp);
    return EXIT_FAILED;
}

static int write_unit(enum target target, const char *name, const char *text,
                      const struct variables *v)
{
    char path[PATH_BYTES];
    config_path(target, target == TARGET_SYSTEMD ? "systemd/system" : "systemd/user", name,
                ".service", path);
    if (v->path[0] != '\0' && write_file(v->path, buf_text(&v->text), 0600) != EXIT_DONE)
        return EXIT_FAILED;
    if (write_file(path, text, 0644) != EXIT_DONE)
        return EXIT_FAILED;
    if (v->path[0] != '\0')
        (void)printf("wrote %s (for you alone), with%s\n", v->path, buf_text(&v->names));
    (void)printf("wrote %s\n", path);
    if (target == TARGET_SYSTEMD)
        (void)printf("enable it:         systemctl daemon-reload && systemctl enable --now %s\n",
                     name);
    else
        (void)printf("enable it:         systemctl --user daemon-reload && systemctl --user enable "
                     "--now %s\n"
                     "without a login:   loginctl enable-linger %s\n",
                     name, user_name());
    return EXIT_DONE;
}

/* Checks the arguments now, so that the unit does not exit 2 at the next boot. */
static int check_arguments(int argc, char **argv, struct variables *ret)
{
    const char *variable;
    struct options o;
    struct tunnels_conf conf;
    char why[TUNNELS_CONF_WHY_BYTES];
    if (options_parse(argc, argv, &o, why) != 0) {
        log_error("%s", why);
        return -1;
    }
    if (o.credential_is_visible)
        log_warn("warning: everybody could read the key or token in the unit: put it into a file "
                 "of your own (mode 0600), and write --api-key @FILE or --token @FILE");
    if (o.mode == OPTIONS_FILE && o.conf_file[0] != '/')
        log_warn("warning: '%s' is no absolute path, and the service starts elsewhere",
                 o.conf_file);
    int rc = 0;
    for (size_t i = 0; (variable = options_variable(&o, i)) != NULL; i++) {
        const char *value = getenv(variable);
        if (strpbrk(value, "\r\n") != NULL) {
            log_error("%s holds a line end", variable);
            rc = -1;
        }
        if ((value[0] == '@' && value[1] != '/') ||
            (strcmp(variable, "STATE_DIR") == 0 && value[0] != '/'))
            log_warn("warning: %s is no absolute path, and the service starts elsewhere", variable);
        add_variable(&ret->text, variable, value);
        buf_addf(&ret->names, " %s", variable);
    }
    if (rc == 0 && o.conf_file != NULL) {
        rc = tunnels_conf_read(o.conf_file, &conf, why);
        if (rc == 0)
            tunnels_conf_release(&conf);
        else
            log_error("%s", why);
    }
    options_release(&o);
    return rc;
}

static int usage(const char *why)
{
    log_error("%s: see 'tunnel-agent --help'", why);
    return EXIT_USAGE;
}

int install_service(int argc, char **argv)
{
    enum target target = TARGET_NONE;
    const char *name = "tunnel-agent";
    bool write_it = false;
    int i = 1;
    for (; i < argc && strcmp(argv[i], "--") != 0; i++) {
        if (strcmp(argv[i], "--systemd-user") == 0)
            target = TARGET_SYSTEMD_USER;
        else if (strcmp(argv[i], "--systemd") == 0)
            target = TARGET_SYSTEMD;
        else if (strcmp(argv[i], "--launchd") == 0)
            target = TARGET_LAUNCHD;
        else if (strcmp(argv[i], "--write") == 0)
            write_it = true;
        else if (strcmp(argv[i], "--name") == 0 && i + 1 < argc)
            name = argv[++i];
        else
            return usage("install has an argument that it does not know");
    }
    if (target == TARGET_NONE || i == argc)
        return usage("install takes --systemd-user, --systemd or --launchd, then -- and the "
                     "arguments of the service (none, where its environment says all)");
    if (lease_name_problem(name) != NULL)
        return usage("--name takes letters, digits and . _ @ -");
    if (write_it && target == TARGET_LAUNCHD)
        return usage("--launchd is printed only: nobody has tried it yet");
    for (int k = i + 1; k < argc; k++)
        if (strpbrk(argv[k], "\r\n") != NULL)
            return usage("an argument holds a line end");
    char *self = platform_self();
    struct buf text = {0};
    struct variables v = {.path = ""};
    int code = EXIT_USAGE;
    /* options_parse skips argv[0], which is the `--` here. */
    if (check_arguments(argc - i, argv + i, &v) != 0)
        goto out;
    code = EXIT_FAILED;
    if (v.text.len > 0)
        config_path(target, "tunnel-agent", name, ".env", v.path);
    const char *path = self != NULL ? self : "tunnel-agent";
    if (target == TARGET_LAUNCHD)
        format_plist(name, path, argv + i + 1, &v, &text);
    else
        format_unit(target, name, path, argv + i + 1, &v, &text);
    if (buf_text(&text) == NULL || v.text.failed || v.names.failed)
        log_error("out of memory");
    else if (write_it)
        code = write_unit(target, name, buf_text(&text), &v);
    else
        code = fputs(buf_text(&text), stdout) >= 0 ? EXIT_DONE : EXIT_FAILED;
    if (code == EXIT_DONE && !write_it && v.path[0] != '\0')
        log_info("it reads%s from '%s', one NAME=VALUE a line, mode 0600%s", buf_text(&v.names),
                 v.path, target == TARGET_LAUNCHD ? "" : ": --write makes that file, too");
out:
    buf_release(&text);
    buf_release(&v.text);
    buf_release(&v.names);
    free(self);
    return code;
}
