/* SPDX-License-Identifier: ISC */
/* Does each agent's state belong to one host? */
#include "leasectl/ctl_store.h"
#include "leasectl/doctor/checks.h"
#include "lib/lease/agent_copies.h"
#include "lib/lease/time_text.h"
#include "lib/store/agents.h"
#include "lib/store/connection.h"

struct counting {
    struct doctor_run *d;
    unsigned found;
};

static int report_copied(void *arg, const char *name, const struct agent_copies *copies,
                         bool is_frozen)
{
    struct counting *counting = arg;
    struct doctor_run *d = counting->d;
    char at[TIME_TEXT_BYTES];
    if (!is_frozen && !agent_copies_are_recent(copies, d->ctl->now_s))
        return 0;
    counting->found++;
    time_format_local(copies->seen_s, at);
    doctor_report(d, RESULT_WARN, "copies",
                  "two hosts have the state of the agent '%s': at %s, and at %s; last seen %s",
                  name, copies->copy_from[0] != '\0' ? copies->copy_from : "an unknown address",
                  copies->other_from[0] != '\0' ? copies->other_from : "an unknown one", at);
    doctor_why(d, is_frozen ? "both are refused, and sshd refuses the key (CopiedAgents refuse)"
                            : "one of them is refused; whoever stole the state can be the agent "
                              "while its host is off");
    doctor_mend(d,
                "stop the one that is a copy; then 'leasectl agent reset %s', or 'leasectl invite "
                "%s --agent --replace' where the state may have been stolen",
                name, name);
    return 0;
}

void check_copies(struct doctor_run *d)
{
    char why[STORE_ERROR_BYTES];
    struct counting counting = {.d = d};
    if (ctl_open_read_silently(d->ctl, why) != EXIT_DONE) /* check_store_content has reported it */
        return;
    if (store_agents_copied(d->ctl->store, report_copied, &counting) != STORE_OK) {
        if (!d->store_reported) {
            doctor_report(d, RESULT_UNKNOWN, "copies",
                          "whether two hosts have the state of one agent was not asked: %s",
                          store_error(d->ctl->store));
            doctor_why(d, "a copy of an agent would not be named here");
            doctor_mend(d, "leasectl agents");
        }
    } else if (counting.found == 0) {
        doctor_report(d, RESULT_OK, "copies", "no agent was seen at two hosts");
    }
    ctl_close(d->ctl);
}
