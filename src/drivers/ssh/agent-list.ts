/** The keys and certificates that an agent holds. ssh2 lists the keys only: it passes over what it cannot parse. */
import { connect } from 'node:net';
import { WireReader } from './wire.ts';

const requestIdentities = Buffer.from([0, 0, 0, 1, 11]);
const identitiesAnswer = 12;
/** An agent that asks its user something answers late; one that hangs must not keep a run. */
const answerWithinMs = 2_000;
/** As in OpenSSH's ssh-agent; the answer is refused beyond. */
const mostBytes = 256 * 1_024;

/** As they go over the wire. Empty, too, where the agent cannot be asked: whoever offers its keys says why. */
export function listAgent(socket: string): Promise<readonly Buffer[]> {
  return new Promise((resolve) => {
    let answer = Buffer.alloc(0);
    const stream = connect(socket);
    const end = (list: readonly Buffer[]): void => {
      stream.destroy();
      resolve(list);
    };
    stream.setTimeout(answerWithinMs, () => end([]));
    stream.on('error', () => end([]));
    stream.on('close', () => end([]));
    stream.on('data', (chunk: Buffer) => {
      answer = Buffer.concat([answer, chunk]);
      if (answer.length > mostBytes) end([]);
      else if (answer.length >= 4 && answer.length >= 4 + answer.readUInt32BE()) end(parseAnswer(answer.subarray(4)));
    });
    stream.write(requestIdentities);
  });
}

/** draft-miller-ssh-agent, section 4.4: byte 12, count, then key and comment for each. */
function parseAnswer(answer: Buffer): Buffer[] {
  if (answer[0] !== identitiesAnswer) return [];
  const list: Buffer[] = [];
  try {
    const reader = new WireReader(answer, 1);
    for (let left = reader.uint32(); left > 0; left--) {
      list.push(reader.string());
      reader.string();
    }
  } catch {
    // What was whole until here counts.
  }
  return list;
}
