/**
 * The command line: which commands there are and what their help says. Every command's code is loaded only when it is called, so that
 * `--help` stays as quick as node itself.
 */
import { Command, CommanderError, Option } from 'commander';
import { RunAborted } from '../core/abort.ts';
import { ChaosError, describeError } from '../core/errors.ts';
import { exitUsage } from './exit-codes.ts';
import * as help from './help.ts';
import { FileMistakes } from './mistakes.ts';
import { processTerminal, type Terminal } from './terminal.ts';
import { version } from './version.ts';

/** Options every command understands. */
export interface GlobalOptions {
  readonly color: boolean;
  readonly json?: boolean;
  readonly project?: string;
}

/** Runs one command line to its end and gives the exit code. Never rejects, never exits. */
export async function main(argv: readonly string[]): Promise<number> {
  let exitCode = 0;
  const program = build((code) => {
    exitCode = code;
  });
  try {
    await program.parseAsync(argv, { from: 'user' });
    return exitCode;
  } catch (error) {
    return failure(error, processTerminal({ color: !argv.includes('--no-color') }), argv.includes('--json'));
  }
}

async function failure(error: unknown, terminal: Terminal, json: boolean): Promise<number> {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : exitUsage;
  if (error instanceof FileMistakes) {
    const { diagnosticsJson, renderDiagnostics } = await import('../views/diagnostics.ts');
    if (json) terminal.json(diagnosticsJson(error.diagnostics));
    else terminal.err(renderDiagnostics(error.diagnostics, { color: terminal.color }));
    return exitUsage;
  }
  if (error instanceof RunAborted && error.reason.kind === 'operator') {
    terminal.err(`${error.message} before anything was changed`);
    return error.reason.by === 'SIGINT' ? 130 : 143;
  }
  if (error instanceof ChaosError) {
    terminal.err(`chaos: ${describeError(error)} [${error.code}]`);
    if (error.hint !== undefined) terminal.err(`help: ${error.hint}`);
    return error.code === 'CHAOS_INTERNAL' ? 1 : error.code === 'CHAOS_REFUSED' ? 3 : exitUsage;
  }
  terminal.err(`chaos: this is a defect in chaos itself\n${error instanceof Error ? error.stack : String(error)}`);
  return 1;
}

type Settle = (exitCode: number) => void;

function build(settle: Settle): Command {
  const program = new Command('chaos');
  program
    .description(help.program.description)
    .version(version, '-V, --version', 'print the version')
    .option('--no-color', 'plain text; NO_COLOR is respected too')
    .option('--json', 'machine-readable output on stdout, one JSON object a line while a run is under way')
    .option('--project <dir>', 'the project folder (default: the nearest folder here or above with experiments/)')
    .helpOption('-h, --help', 'show this help')
    .helpCommand('help [command]', 'show the help of a command')
    .showSuggestionAfterError()
    .exitOverride()
    .configureOutput({ writeErr: (text) => processTerminal({ color: false }).err(text) })
    .addHelpText('after', help.program.after);
  addRunCommands(program, settle);
  addFileCommands(program, settle);
  addRecordCommands(program, settle);
  addLabCommands(program, settle);
  return program;
}

/** What an action gets: the terminal and the merged options. */
function context(command: Command): { terminal: Terminal; options: GlobalOptions & Record<string, unknown> } {
  const options = command.optsWithGlobals<GlobalOptions & Record<string, unknown>>();
  return { terminal: processTerminal(options), options };
}

const environmentOption = (): Option => new Option('-e, --env <name>', 'environment name or file (default: the embedded lab)');
const reportsOption = (): Option => new Option('--reports <dir>', 'where run folders are (default: reports/ of the project)');
const labOption = (): Option => new Option('--lab <id>', 'which running lab to use, when there are several');

function addRunCommands(program: Command, settle: Settle): void {
  program
    .command('run <experiment>')
    .summary('run an experiment: inject, measure, undo, report')
    .description(help.run.description)
    .addOption(environmentOption())
    .addOption(labOption())
    .option('--keep-lab', 'leave a lab that was started for this run running afterwards')
    .option('--plan-hash <hash>', 'refuse unless the plan made now has this hash (at least 8 characters, from chaos plan)')
    .option('-y, --yes', 'do not ask before starting')
    .option('--confirm <experiment>', 'consent to production, by typing the name of the experiment')
    .addOption(reportsOption())
    .addHelpText('after', help.run.after)
    .action(async (name: string, _options: unknown, command: Command) => {
      const { runCommand } = await import('./run.ts');
      settle(await runCommand(name, context(command)));
    });
  program
    .command('plan <experiment>')
    .summary('show what a run would do: targets, every command, every undo')
    .description(help.plan.description)
    .addOption(environmentOption())
    .addOption(labOption())
    .option('--confirm <experiment>', 'consent to production, by typing the name of the experiment')
    .addOption(reportsOption())
    .addHelpText('after', help.plan.after)
    .action(async (name: string, _options: unknown, command: Command) => {
      const { planCommand } = await import('./plan.ts');
      settle(await planCommand(name, context(command)));
    });
}

function addFileCommands(program: Command, settle: Settle): void {
  program
    .command('validate [files...]')
    .summary('check experiment and environment files')
    .description(help.validate.description)
    .addHelpText('after', help.validate.after)
    .action(async (files: string[], _options: unknown, command: Command) => {
      const { validateCommand } = await import('./validate.ts');
      settle(await validateCommand(files, context(command)));
    });
  program
    .command('init [dir]')
    .summary('start a project: experiments/, an environment, schemas for editors')
    .description(help.init.description)
    .addHelpText('after', help.init.after)
    .action(async (dir: string | undefined, _options: unknown, command: Command) => {
      const { initCommand } = await import('./init.ts');
      settle(await initCommand(dir, context(command)));
    });
}

function addRecordCommands(program: Command, settle: Settle): void {
  program
    .command('status')
    .summary('runs known here: how they ended, which are not finished')
    .description(help.status.description)
    .addOption(reportsOption())
    .addHelpText('after', help.status.after)
    .action(async (_options: unknown, command: Command) => {
      const { statusCommand } = await import('./status.ts');
      settle(await statusCommand(context(command)));
    });
  program
    .command('doctor')
    .summary('ask every host of an environment what it is ready for')
    .description(help.doctor.description)
    .option('-e, --env <name>', 'environment name or file')
    .addHelpText('after', help.doctor.after)
    .action(async (_options: unknown, command: Command) => {
      const { doctorCommand } = await import('./doctor.ts');
      settle(await doctorCommand(context(command)));
    });
  program
    .command('report <run>')
    .summary('make the report of a run again from its journal')
    .description(help.report.description)
    .addOption(reportsOption())
    .addHelpText('after', help.report.after)
    .action(async (run: string, _options: unknown, command: Command) => {
      const { reportCommand } = await import('./report.ts');
      settle(await reportCommand(run, context(command)));
    });
  program
    .command('recover [run]')
    .summary('undo what a runner that died left behind, and finish its report')
    .description(help.recover.description)
    .addOption(reportsOption())
    .option('--sweep', 'ask every host of --env for fuses of any run, without a journal')
    .option('-e, --env <name>', 'with --sweep: environment name or file')
    .option('--force', 'with --sweep: revert also what a living runner holds')
    .addHelpText('after', help.recover.after)
    .action(async (run: string | undefined, { sweep }: { readonly sweep?: boolean }, command: Command) => {
      if (sweep === true && run !== undefined) throw new ChaosError('CHAOS_USAGE', 'recover one run, or --sweep the hosts: not both');
      if (sweep === true) {
        const { sweepCommand } = await import('./sweep.ts');
        return settle(await sweepCommand(context(command)));
      }
      const { recoverCommand } = await import('./recover.ts');
      settle(await recoverCommand(run, context(command)));
    });
}

function addLabCommands(program: Command, settle: Settle): void {
  const lab = program
    .command('lab')
    .summary('the embedded practice system')
    .description(help.lab.description)
    .addHelpText('after', help.lab.after);
  lab
    .command('up')
    .summary('start a lab and leave it running')
    .description(help.labUp.description)
    .addOption(new Option('--replication <mode>', 'does a commit wait for the standby?').choices(['sync', 'async']).default('sync'))
    .option('--postgres <which>', 'embedded, system, or a folder with PostgreSQL >= 14 binaries (default: embedded, else system)')
    .option('--base-port <port>', 'first of 16 ports in a row to use, 1024-32752 (default: free ones)')
    .addHelpText('after', help.labUp.after)
    .action(async (_options: unknown, command: Command) => {
      const { labUpCommand } = await import('./lab.ts');
      settle(await labUpCommand(context(command)));
    });
  lab
    .command('down [id]')
    .summary('stop a lab and remove everything it made')
    .description(help.labDown.description)
    .option('--all', 'every lab of this machine')
    .addHelpText('after', help.labDown.after)
    .action(async (id: string | undefined, _options: unknown, command: Command) => {
      const { labDownCommand } = await import('./lab.ts');
      settle(await labDownCommand(id, context(command)));
    });
  lab
    .command('status [id]')
    .summary('what runs in the lab, and what it only emulates')
    .description(help.labStatus.description)
    .addHelpText('after', help.labStatus.after)
    .action(async (id: string | undefined, _options: unknown, command: Command) => {
      const { labStatusCommand } = await import('./lab.ts');
      settle(await labStatusCommand(id, context(command)));
    });
  lab
    .command('ssh <host> [command...]')
    .summary('a shell, or one command, on a host of the lab')
    .description(help.labSsh.description)
    .addOption(labOption())
    .addHelpText('after', help.labSsh.after)
    .action(async (host: string, words: string[], _options: unknown, command: Command) => {
      const { labSshCommand } = await import('./lab.ts');
      settle(await labSshCommand(host, words, context(command)));
    });
}
