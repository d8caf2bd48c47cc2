import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { fingerprint, hostKeysOf, keyType, matchesName, parseKnownHosts } from '../../../../src/drivers/ssh/known-hosts.ts';
import { generateKeyPair } from '../../../../src/lab/ssh-keys.ts';

const sshKeygen = ['/usr/bin/ssh-keygen', '/usr/local/bin/ssh-keygen'].find((path) => existsSync(path));
const one = generateKeyPair().public;
const two = generateKeyPair().public;
const blob = (line: string): Buffer => Buffer.from(line.split(' ')[1] ?? '', 'base64');
const known = (text: string, address: string, port = 22) => hostKeysOf(parseKnownHosts(text, 'known_hosts'), address, port);

describe('a known_hosts file', () => {
  test('knows a host by name, and by [name]:port on another port', () => {
    const text = `web.example ${one}\n[web.example]:2222 ${two}\n`;

    expect(known(text, 'web.example').judge(blob(one))).toEqual({ kind: 'known' });
    expect(known(text, 'WEB.example').judge(blob(one))).toEqual({ kind: 'known' });
    expect(known(text, 'web.example', 2222).judge(blob(two))).toEqual({ kind: 'known' });
    expect(known(text, 'web.example', 2222).judge(blob(one))).toMatchObject({ kind: 'changed', entry: { line: 2 } });
  });

  test('lets a host on another port be known by its bare name, but never calls it changed then', () => {
    expect(known(`web.example ${one}`, 'web.example', 2222).judge(blob(one))).toEqual({ kind: 'known' });
    expect(known(`web.example ${one}`, 'web.example', 2222).judge(blob(two))).toEqual({ kind: 'unknown' });
  });

  test('says unknown for a host it does not name, and offers every algorithm', () => {
    expect(known(`web.example ${one}`, 'db.example').judge(blob(one))).toEqual({ kind: 'unknown' });
    expect(known(`web.example ${one}`, 'db.example').algorithms).toEqual([]);
  });

  test('understands wildcards and exceptions', () => {
    const text = `*.example,!bad.example,10.0.0.? ${one}`;

    expect(known(text, 'web.example').judge(blob(one)).kind).toBe('known');
    expect(known(text, '10.0.0.7').judge(blob(one)).kind).toBe('known');
    expect(known(text, 'bad.example').judge(blob(one)).kind).toBe('unknown');
    expect(known(text, '10.0.0.77').judge(blob(one)).kind).toBe('unknown');
  });

  test('a revoked key is refused wherever else it is known', () => {
    expect(known(`web.example ${one}\n@revoked * ${one}`, 'web.example').judge(blob(one))).toMatchObject({
      kind: 'revoked',
      entry: { line: 2 },
    });
  });

  test('a host known by a certificate authority alone is told apart from an unknown one', () => {
    const text = `@cert-authority *.example ${one}`;

    expect(known(text, 'web.example').judge(blob(two))).toMatchObject({ kind: 'authority' });
    expect(known(`${text}\nweb.example ${two}`, 'web.example').judge(blob(two)).kind).toBe('known');
  });

  test('limits the algorithms to the types of the known keys', () => {
    expect(known(`web.example ssh-rsa AAAA\nweb.example ${one}`, 'web.example').algorithms).toEqual([
      'rsa-sha2-512',
      'rsa-sha2-256',
      'ssh-ed25519',
    ]);
  });

  test('passes over comments, blank lines, unknown markers and lines cut short', () => {
    const text = `\n# a comment\n@future web.example ${one}\nweb.example ssh-ed25519\r\n  web.example ${two} someone's comment\r\n`;

    expect(parseKnownHosts(text, 'f')).toHaveLength(1);
    expect(known(text, 'web.example').judge(blob(two)).kind).toBe('known');
  });

  test.skipIf(sshKeygen === undefined)('understands what ssh-keygen hashed, and prints its fingerprints', () => {
    const folder = mkdtempSync(join(tmpdir(), 'chaos-known-'));
    const file = join(folder, 'known_hosts');
    writeFileSync(file, `web.example ${one}\n[127.0.0.1]:2201 ${two}\n`);
    execFileSync(sshKeygen ?? '', ['-H', '-f', file], { stdio: 'ignore' });
    const text = execFileSync('cat', [file], { encoding: 'utf8' });
    const printed = execFileSync(sshKeygen ?? '', ['-l', '-f', '-'], { input: one, encoding: 'utf8' });
    rmSync(folder, { recursive: true });

    expect(text).not.toContain('web.example');
    expect(known(text, 'web.example').judge(blob(one)).kind).toBe('known');
    expect(known(text, '127.0.0.1', 2201).judge(blob(two)).kind).toBe('known');
    expect(known(text, '127.0.0.1', 2202).judge(blob(two)).kind).toBe('unknown');
    expect(printed).toContain(fingerprint(blob(one)));
  });
});

test('a name without wildcards matches itself and nothing else', () => {
  const name = fc.stringMatching(/^[a-z0-9.-]{1,20}$/);
  fc.assert(fc.property(name, name, (a, b) => matchesName(a, b) === (a === b)));
});

test('no text makes the parser throw', () => {
  fc.assert(
    fc.property(
      fc.string(),
      fc.string(),
      (text, name) => hostKeysOf(parseKnownHosts(text, 'f'), name, 22).judge(Buffer.from(name)).kind !== 'known',
    ),
  );
});

test('the key type is read from the key itself, also from a broken one', () => {
  expect(keyType(blob(one))).toBe('ssh-ed25519');
  expect(keyType(Buffer.alloc(0))).toBe('');
  expect(keyType(Buffer.from([255, 255, 255, 255, 1]))).toHaveLength(1);
});
