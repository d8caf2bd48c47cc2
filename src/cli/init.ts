/** `chaos init`: makes a folder a chaos project without touching what is there. */
import { join, relative, resolve } from 'node:path';
import { scaffold } from '../experiment/scaffold.ts';
import { faultRegistry } from '../faults/registry.ts';
import { probeRegistry } from '../probes/registry.ts';
import type { Terminal } from './terminal.ts';

export async function initCommand(
  dir: string | undefined,
  { terminal, options }: { readonly terminal: Terminal; readonly options: { readonly json?: boolean } },
): Promise<number> {
  const root = resolve(dir ?? '.');
  const files = scaffold(root, faultRegistry, probeRegistry);
  if (options.json === true) terminal.json({ version: 1, files });
  else for (const { path, state } of files) terminal.err(`${state.padEnd(7)} ${relative(process.cwd(), join(root, path))}`);
  terminal.err('next: fill in experiments/environments/staging.yaml, then chaos validate and chaos plan');
  return 0;
}
