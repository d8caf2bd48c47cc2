#!/usr/bin/env node
// Reads argv, sets the exit code; nothing else in the project does.
import { main } from './cli/main.ts';

process.exitCode = await main(process.argv.slice(2));
