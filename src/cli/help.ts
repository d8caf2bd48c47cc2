/** The words of `--help`. Every example here is run by a test. */
export const program = {
  description:
    'Runs chaos-engineering game days: experiments in YAML, carried out inside a guarded blast radius, always undone, honestly judged.',
  after: `
Examples:
  chaos run db-failover            the main job: a real failover in the embedded lab, with a postmortem
  chaos plan db-failover           what that would do, command by command, with every undo
  chaos init                       start experiments/ in your own repository

A run: load -> plan -> guards -> prepare -> baseline -> inject -> observe -> rollback -> recovery -> verdict -> report.
Ctrl-C at any time stops the run and undoes everything.

Exit codes:
  0 held                                 5 refuted or aborted, rolled back clean
  1 internal error                       6 rollback incomplete or unknown (beats all others)
  2 bad usage or bad file                7 inconclusive or not tested, rolled back clean
  3 refused, nothing injected            130, 143 interrupted, rolled back clean
  4 not steady before start`,
};

export const run = {
  description: `Runs an experiment of experiments/ (by name, or a file) against an environment and writes
reports/<date>-<experiment>-<id>/ with the journal and the report.

Without --env the embedded lab is used: one that is already up, else one started for this run
and taken down afterwards (--keep-lab leaves it). Outside the lab the run asks for the
experiment's name before it starts, unless --yes is given.`,
  after: `
Ctrl-C once stops the run: everything injected is undone and verified, then the report is written.
While that goes on, a second Ctrl-C only says what would be left behind; a third one exits.
After kill -9 of the runner: chaos recover.

Examples:
  chaos run db-failover
  chaos run db-switchover --keep-lab
  chaos run experiments/checkout-kill.yaml --json
  chaos run db-failover --env staging --plan-hash 3f9a12cd`,
};

export const plan = {
  description: `Resolves the targets of an experiment and shows every command with its undo, the guards'
answers, SLOs, probes and time limits, and the plan's hash. Connects to read (who is primary?);
changes nothing. Without --env and without a running lab, a lab is started for it and taken down.`,
  after: `
The exit code is 3 when a guard would refuse the run.

Examples:
  chaos plan db-failover
  chaos plan checkout-kill --env staging
  chaos plan db-failover --json`,
};

export const validate = {
  description: `Checks experiment and environment files: all mistakes at once, with file, line and column.
Without files, everything in experiments/.`,
  after: `
Examples:
  chaos validate
  chaos validate db-failover
  chaos validate experiments/environments/staging.yaml --json`,
};

export const init = {
  description: `Makes a folder a chaos project: experiments/ with an example, environments/staging.yaml to fill in,
and JSON Schemas that editors pick up. Files that are there already are kept.`,
  after: `
Examples:
  chaos init
  chaos init ../our-game-days`,
};

export const status = {
  description: `Lists the runs in the reports folder: when, what, how they ended; unfinished ones first, with the
command that finishes them.`,
  after: `
Examples:
  chaos status
  chaos status --json`,
};

export const report = {
  description: `Folds the journal of a run into its report again, at any time, also after a crash. What people
wrote between the machine's blocks is kept. RUN is the id, the folder's name or its path.`,
  after: `
Examples:
  chaos report k3f9qz
  chaos report reports/2026-03-03-db-failover-k3f9qz`,
};

export const doctor = {
  description: `Connects to every host of an environment, 16 at a time, and shows what it finds: operating system, init
system, root or not, clock, free disk, and which faults cannot run there, why, and what to install.
Changes nothing. Exit code 0: every host can be reached and can carry a fuse; 3: some host cannot,
its sudo refuses, or its clock is more than a second off. Missing tools alone are no failure.`,
  after: `
Examples:
  chaos doctor --env staging
  chaos doctor --env staging --json`,
};

export const recover = {
  description: `Undoes what a runner that died left in effect, from its journal alone, verifies it, and finishes the
report. Without RUN: every run of the reports folder whose runner is gone, or that ended with
exit code 6. May be repeated; with nothing left it changes nothing.

With --sweep no journal is needed: every host of the environment is asked for fuses of any run;
those that no living runner holds are reverted, checked and removed, and whatever else carries
the mark of a fault is told. Exit code 6 when something is left or a host cannot be asked.`,
  after: `
Examples:
  chaos recover
  chaos recover k3f9qz
  chaos recover --sweep --env staging`,
};

export const lab = {
  description: `A small shop on loopback to practise on: load balancer, two checkout services, PostgreSQL primary and
streaming standby, each host a real SSH endpoint. No root, no Docker.`,
  after: `
Examples:
  chaos lab up
  chaos lab status
  chaos lab ssh db-a
  chaos lab down`,
};

export const labUp = {
  description: 'Starts a lab and leaves it running; its environment file is printed. Several labs can run side by side.',
  after: `
With --replication async a commit does not wait for the standby: a crash may lose acknowledged writes.

Examples:
  chaos lab up
  chaos lab up --replication async --postgres system`,
};

export const labDown = {
  description: 'Stops a lab (the only one, when no ID is given) and removes every process and file of it.',
  after: `
Examples:
  chaos lab down
  chaos lab down --all`,
};

export const labStatus = {
  description: `Shows hosts, services and database roles of a lab, and what it emulates instead of doing for real.
The exit code is 1 when something in it is not healthy.`,
  after: `
Examples:
  chaos lab status
  chaos lab status --json`,
};

export const labSsh = {
  description: 'Opens a shell on a host of the lab over SSH, or runs one command there and gives its exit code.',
  after: `
Examples:
  chaos lab ssh checkout-1
  chaos lab ssh db-a -- cat postgres.log`,
};
