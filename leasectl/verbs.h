/* SPDX-License-Identifier: ISC */
/* The verbs of leasectl: their table with the help texts, and their functions. */
#ifndef TUNLEASE_LEASECTL_VERBS_H
#define TUNLEASE_LEASECTL_VERBS_H

struct ctl;

/* run gets the verb's name as argv[0], and returns an exit_code. */
struct verb {
    const char *name;
    int (*run)(struct ctl *ctl, int argc, char **argv); /* NULL: main does it */
    const char *usage; /* after "leasectl "; its grammar is in leasectl/usage.h */
    const char *help;  /* what it does and its options */
};

extern const struct verb verbs[];

int cmd_agent(struct ctl *ctl, int argc, char **argv);
int cmd_agents(struct ctl *ctl, int argc, char **argv);
int cmd_audit(struct ctl *ctl, int argc, char **argv);
int cmd_backup(struct ctl *ctl, int argc, char **argv);
int cmd_delete(struct ctl *ctl, int argc, char **argv);
int cmd_doctor(struct ctl *ctl, int argc, char **argv);
int cmd_explain(struct ctl *ctl, int argc, char **argv);
int cmd_export(struct ctl *ctl, int argc, char **argv);
int cmd_freeze(struct ctl *ctl, int argc, char **argv);
int cmd_grant(struct ctl *ctl, int argc, char **argv);
int cmd_import(struct ctl *ctl, int argc, char **argv);
int cmd_invite(struct ctl *ctl, int argc, char **argv);
int cmd_key(struct ctl *ctl, int argc, char **argv);
int cmd_kill(struct ctl *ctl, int argc, char **argv);
int cmd_lint(struct ctl *ctl, int argc, char **argv);
int cmd_list(struct ctl *ctl, int argc, char **argv);
int cmd_login(struct ctl *ctl, int argc, char **argv);
int cmd_prove(struct ctl *ctl, int argc, char **argv);
int cmd_renew(struct ctl *ctl, int argc, char **argv);
int cmd_restore(struct ctl *ctl, int argc, char **argv);
int cmd_run(struct ctl *ctl, int argc, char **argv);
int cmd_revoke(struct ctl *ctl, int argc, char **argv);
int cmd_sessions(struct ctl *ctl, int argc, char **argv);
int cmd_set(struct ctl *ctl, int argc, char **argv);
int cmd_setup(struct ctl *ctl, int argc, char **argv);
int cmd_show(struct ctl *ctl, int argc, char **argv);
int cmd_ssh_config(struct ctl *ctl, int argc, char **argv);
int cmd_sshd_config(struct ctl *ctl, int argc, char **argv);
int cmd_thaw(struct ctl *ctl, int argc, char **argv);
int cmd_token(struct ctl *ctl, int argc, char **argv);
int cmd_top(struct ctl *ctl, int argc, char **argv);
int cmd_verify(struct ctl *ctl, int argc, char **argv);

#endif
