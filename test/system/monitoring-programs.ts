/** Prometheus and Alertmanager as a distribution ships them, on loopback, in a temporary folder, for as long as a test lasts. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { certificateAuthority } from '../support/certificates.ts';
import { until } from '../support/probe-postgres.ts';
import { closedPort } from '../support/probe-target.ts';

const programs = ['prometheus', 'prometheus-alertmanager'] as const;
type Program = (typeof programs)[number];

const absent = programs.filter((program) => spawnSync(program, ['--version']).error !== undefined);
/** Why the tests cannot run here; `undefined` when they can. */
export const monitoringMissing = absent.length === 0 ? undefined : `not installed: ${absent.join(', ')}`;

export const authority = certificateAuthority();
/** The account of the Prometheus behind TLS; the hash is bcrypt's of the password, of its lowest cost. */
export const account = { user: 'chaos', password: 'of the test' };
const accountHash = '$2b$04$7N/OMtexR4.kbQv1Re2qveg8UlwEsrnZGzctFUE0HAmr8nDWRZkoe';

export class Monitoring implements AsyncDisposable {
  readonly #folder = mkdtempSync(join(tmpdir(), 'chaos-test-monitoring-'));
  readonly #children = new Set<ChildProcess>();

  /** Scrapes `targets` and evaluates the rule ten times a second; alerts go to the Alertmanager on `alertmanager`. */
  async prometheus(options: {
    readonly targets: readonly number[];
    readonly alertmanager?: number;
    readonly secure?: boolean;
  }): Promise<Running> {
    const port = await closedPort();
    const folder = this.#subfolder(`prometheus-${port}`);
    const { targets, alertmanager, secure = false } = options;
    const address = (at: number): string => `'127.0.0.1:${at}'`;
    this.#write(folder, 'rules.yml', rules);
    this.#write(
      folder,
      'prometheus.yml',
      `global: { scrape_interval: 100ms, scrape_timeout: 100ms, evaluation_interval: 100ms }
rule_files: [rules.yml]
scrape_configs: [{ job_name: shop, static_configs: [{ targets: [${targets.map(address).join(', ')}] }] }]
${alertmanager === undefined ? '' : `alerting: { alertmanagers: [{ static_configs: [{ targets: [${address(alertmanager)}] }] }] }`}
`,
    );
    const certificate = authority.issue('127.0.0.1');
    this.#write(folder, 'server.pem', certificate.cert);
    this.#write(folder, 'server.key', certificate.key);
    this.#write(
      folder,
      'web.yml',
      `tls_server_config: { cert_file: server.pem, key_file: server.key }\nbasic_auth_users: { ${account.user}: '${accountHash}' }\n`,
    );
    const args = [
      `--config.file=${join(folder, 'prometheus.yml')}`,
      `--storage.tsdb.path=${join(folder, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
      '--rules.alert.resend-delay=100ms',
      ...(secure ? [`--web.config.file=${join(folder, 'web.yml')}`] : []),
    ];
    return this.#run('prometheus', args, port, `${secure ? 'https' : 'http'}://127.0.0.1:${port}`);
  }

  async alertmanager(): Promise<Running> {
    const port = await closedPort();
    const folder = this.#subfolder('alertmanager');
    this.#write(folder, 'alertmanager.yml', 'route: { receiver: nobody }\nreceivers: [{ name: nobody }]\n');
    const args = [
      `--config.file=${join(folder, 'alertmanager.yml')}`,
      `--storage.path=${join(folder, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
      '--cluster.listen-address=',
    ];
    return this.#run('prometheus-alertmanager', args, port, `http://127.0.0.1:${port}`);
  }

  #subfolder(name: string): string {
    const folder = join(this.#folder, name);
    mkdirSync(folder);
    return folder;
  }

  #write(folder: string, name: string, text: string): void {
    writeFileSync(join(folder, name), text, { mode: 0o600 });
  }

  async #run(program: Program, args: readonly string[], port: number, url: string): Promise<Running> {
    let child: ChildProcess;
    const start = async (): Promise<void> => {
      child = spawn(program, args, { stdio: 'ignore' });
      this.#children.add(child);
      // Refusing for want of an account is an answer as well.
      await until(async () => (await fetch(`http://127.0.0.1:${port}/-/ready`)).status !== 503);
    };
    const stop = async (): Promise<void> => {
      await ended(child);
      this.#children.delete(child);
    };
    await start();
    return { port, url, start, stop };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#children].map(ended));
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

export interface Running {
  readonly port: number;
  readonly url: string;
  start(): Promise<void>;
  stop(): Promise<void>;
}

function ended(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) return resolve();
    child.once('exit', () => resolve());
    child.kill('SIGKILL');
  });
}

const rules = `groups:
  - name: shop
    rules:
      - { alert: QueueTooLong, expr: shop_queue > 5, labels: { severity: page } }
`;
