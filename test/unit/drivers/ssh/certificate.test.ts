/** Reading certificates of OpenSSH; that sshd takes them is shown by test/integration/ssh/certificates.test.ts. */
import { describe, expect, test } from 'vitest';
import { doubtsAbout, parseCertificate, readCertificate } from '../../../../src/drivers/ssh/certificate.ts';
import { WireReader, wireNumber, wireString } from '../../../../src/drivers/ssh/wire.ts';

// Made by ssh-keygen for this test: -n deploy,sre -V 20260101120000:20260201120000 (UTC) -O source-address=192.0.2.0/24 -O no-pty
const text =
  'ssh-ed25519-cert-v01@openssh.com AAAAIHNzaC1lZDI1NTE5LWNlcnQtdjAxQG9wZW5zc2guY29tAAAAIMNpkYWSBW1benbt7dkUJZBbCdRfiF0q0J56yWpZah97AAAAIH9j/J+1UrGTiVYk6XrQtlxQsaavO9gLVDx3d7a+lcwPAAAAAAAAAAcAAAABAAAACm1lQGV4YW1wbGUAAAARAAAABmRlcGxveQAAAANzcmUAAAAAaVZhwAAAAABpf0BAAAAAJgAAAA5zb3VyY2UtYWRkcmVzcwAAABAAAAAMMTkyLjAuMi4wLzI0AAAAcAAAABVwZXJtaXQtWDExLWZvcndhcmRpbmcAAAAAAAAAF3Blcm1pdC1hZ2VudC1mb3J3YXJkaW5nAAAAAAAAABZwZXJtaXQtcG9ydC1mb3J3YXJkaW5nAAAAAAAAAA5wZXJtaXQtdXNlci1yYwAAAAAAAAAAAAAAMwAAAAtzc2gtZWQyNTUxOQAAACChP5ivzlwHlCjmKdSD4kJ4uotieS3NCS75pjgtGhWexQAAAFMAAAALc3NoLWVkMjU1MTkAAABAJ7cE98L/xQkK0bcZoaoJnJ+3VXcYZkByWAfqaTm4XPetpQI+BOQH9THOr2hi8Ev6JPk0af4zvcDbocpZUDEEAw==';
const key = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIH9j/J+1UrGTiVYk6XrQtlxQsaavO9gLVDx3d7a+lcwP';
const authority = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKE/mK/OXAeUKOYp1IPiQni6i2J5Lc0JLvmmOC0aFZ7F';
const inside = Date.UTC(2026, 0, 15);

function blobOf(line: string): Buffer {
  return Buffer.from(line.split(' ')[1] ?? '', 'base64');
}

function certificate(): Exclude<ReturnType<typeof parseCertificate>, Error> {
  const answer = parseCertificate(text);
  if (answer instanceof Error) throw answer;
  return answer;
}

describe('a certificate', () => {
  test('is read with the key it certifies, its holders, its time and its authority', () => {
    expect(certificate()).toEqual({
      blob: blobOf(text),
      keyType: 'ssh-ed25519',
      publicKey: blobOf(key),
      kind: 'user',
      keyId: 'me@example',
      principals: ['deploy', 'sre'],
      validAfter: Date.UTC(2026, 0, 1, 12),
      validBefore: Date.UTC(2026, 1, 1, 12),
      sourceAddress: '192.0.2.0/24',
      authority: blobOf(authority),
    });
  });

  test('cut anywhere is damaged, never half read', () => {
    const blob = blobOf(text);

    for (let length = 40; length < blob.length; length++) expect(readCertificate(blob.subarray(0, length))).toBeInstanceOf(Error);
  });

  test('of a type that cannot be used, and what is none, say so', () => {
    const token = wireString('sk-ssh-ed25519-cert-v01@openssh.com');

    expect(readCertificate(token)).toMatchObject({
      message: expect.stringContaining('sk-ssh-ed25519-cert-v01@openssh.com, which') as string,
    });
    expect(parseCertificate(key)).toMatchObject({ message: 'is not a certificate' });
    expect(parseCertificate('')).toMatchObject({ message: 'is not a certificate' });
  });
});

describe('what is doubtful about a certificate', () => {
  const bound = 'may only be used from 192.0.2.0/24';

  test('is told of its time, to the second', () => {
    const { validAfter, validBefore } = certificate();

    expect(doubtsAbout(certificate(), 'sre', validAfter)).toEqual([bound]);
    expect(doubtsAbout(certificate(), 'sre', validAfter - 1)).toEqual(['is not valid before 2026-01-01T12:00:00Z', bound]);
    expect(doubtsAbout(certificate(), 'sre', validBefore - 1)).toEqual([bound]);
    expect(doubtsAbout(certificate(), 'sre', validBefore)).toEqual(['expired at 2026-02-01T12:00:00Z', bound]);
  });

  test('is told of its principals', () => {
    expect(doubtsAbout(certificate(), 'root', inside)).toEqual(['is for "deploy", "sre", not for the user root', bound]);
    expect(doubtsAbout({ ...certificate(), principals: [] }, 'root', inside)).toEqual(['names no principal', bound]);
  });

  test('is nothing where it is good for ever', () => {
    const { sourceAddress: _, ...free } = certificate();

    expect(doubtsAbout({ ...free, validBefore: Number.POSITIVE_INFINITY }, 'deploy', inside)).toEqual([]);
  });
});

test.each([
  [
    [0x7f, 1],
    [0, 0, 0, 2, 0x7f, 1],
  ],
  [
    [0x80, 1],
    [0, 0, 0, 3, 0, 0x80, 1],
  ],
  [
    [0, 0, 5],
    [0, 0, 0, 1, 5],
  ],
  [
    [0, 0],
    [0, 0, 0, 0],
  ],
])('the number %j goes over the wire as %j', (bytes, wire) => {
  expect([...wireNumber(Buffer.from(bytes))]).toEqual(wire);
});

test('reading past the end is an error', () => {
  expect(() => new WireReader(Buffer.from([0, 0, 0, 9, 1])).string()).toThrow(RangeError);
});
