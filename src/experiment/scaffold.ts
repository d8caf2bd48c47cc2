/** What `chaos init` writes: a project to start from, in which everything validates. Nothing that exists is ever overwritten. */
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { ProbeRegistry } from '../environment/schema.ts';
import { environmentJsonSchema, experimentJsonSchema, schemaText } from './json-schema.ts';
import type { FaultRegistry } from './schema.ts';

export interface ScaffoldedFile {
  /** Relative to the folder, with slashes. */
  readonly path: string;
  readonly state: 'created' | 'kept';
}

/** Writes the files that are missing into `folder`, in the order in which to look at them. */
export function scaffold(folder: string, faults: FaultRegistry, probes: ProbeRegistry): ScaffoldedFile[] {
  const files = {
    'experiments/environments/staging.yaml': environmentExample,
    'experiments/web-restart.yaml': experimentExample,
    'runbooks/web-restart.md': runbookExample,
    'experiments/schema/experiment.schema.json': schemaText(experimentJsonSchema(faults)),
    'experiments/schema/environment.schema.json': schemaText(environmentJsonSchema(probes)),
  };
  return Object.entries(files).map(([name, content]) => ({ path: name, state: writeNew(path.join(folder, name), content) }));
}

function writeNew(file: string, content: string): 'created' | 'kept' {
  mkdirSync(path.dirname(file), { recursive: true });
  try {
    // Fails on anything that is there, a dangling link included.
    writeFileSync(file, content, { flag: 'wx' });
    return 'created';
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return 'kept';
    throw error;
  }
}

const environmentExample = `# yaml-language-server: $schema=../schema/environment.schema.json
# One place where experiments may run: its hosts, what is measured, and what is never touched.
apiVersion: chaos/v1
kind: Environment
name: staging
tier: staging                   # lab | dev | staging | production; production needs more consent

ssh:                            # defaults for all hosts; a host may have its own
  user: deploy
  knownHosts: ~/.ssh/known_hosts
  # identityFile: ~/.ssh/id_ed25519     # without it, the SSH agent's keys are used

hosts:
  web-1: { address: web-1.staging.example, groups: [web] }
  web-2: { address: web-2.staging.example, groups: [web] }
  bastion: { address: bastion.staging.example, protected: true }     # never a target

probes:
  shop: { http: { url: "https://shop.staging.example/healthz", rate: 10/s, timeout: 2s } }

slos:                           # warning is noted, severe is no longer steady, fatal aborts the run and rolls back
  shop-errors: { probe: shop, measure: error-rate, window: 10s, fatal: "> 5%" }
  shop-latency: { probe: shop, measure: p99, window: 30s, warning: "> 500ms", fatal: "> 2s" }

guards:                         # no experiment can go beyond these
  maxTargets: 1
  maxShare: 50%
  # abort: { bad: 5, of: 100, consecutive: 3 }    # when bad samples stop a run; raised where the baseline asks for it

# Secrets never stand here: write "\${env:NAME}" or "\${file:PATH}" where a text needs one.
`;

const experimentExample = `# yaml-language-server: $schema=schema/experiment.schema.json
# Look first:  chaos plan web-restart --env staging
# Then run it: chaos run web-restart --env staging
apiVersion: chaos/v1
kind: Experiment
name: web-restart               # the same as the file's name
title: One web server process dies and comes back
owner: web-team
tags: [example]
runbook: ../runbooks/web-restart.md
hypothesis: >
  When one web server process is killed, its supervisor starts it again within 10 s and users notice nothing.

steadyState:
  baseline: 15s                 # the SLOs must hold this long before anything is done
  slos: [shop-errors, shop-latency]
  recovery: { within: 60s, hold: 10s }

method:
  - fault: process-kill
    on: { group: web, count: 1 }
    with: { pidFile: /run/web.pid }
    expect: { restartedWithin: "<= 10s" }
  - wait: 20s                   # keep measuring

limits: { maxTargets: 1, maxShare: 50%, maxDuration: 5m }
`;

const runbookExample = `# A web server process is down

## How it shows
Errors or slow answers on one of the web servers; the others carry on.

## What to do
1. Look at the service's state and its log on the host.
2. Start it again if its supervisor has not.
3. Watch the error rate until it has been normal for a minute.

## Exercised by
\`chaos run web-restart\`. Note here what the last game day taught.
`;
