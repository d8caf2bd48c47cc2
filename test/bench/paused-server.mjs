// A server whose latency is set: most answers after 5 ms, some after 50 or 200 ms, and pauses in which it does nothing at all. `GET /log`
// gives the moments at which answers were written, on the clock that all processes of a machine share, and begins anew.
import { createServer } from 'node:http';

/** Since the first request: when it pauses, and for how long, ms. */
const pauses = [5, 10, 15, 20, 25].map((second) => [second * 1_000, 100]).concat([[30_000, 2_000]]);
const still = new Int32Array(new SharedArrayBuffer(4));
const now = () => Number(process.hrtime.bigint()) / 1e6;
let written = [];

const delayOf = (n) => (n % 100 === 37 ? 200 : n % 25 === 11 ? 50 : 5);

const server = createServer((request, response) => {
  if (request.url === '/log') {
    response.end(JSON.stringify(written));
    written = [];
    return;
  }
  if (written.length === 0) for (const [at, ms] of pauses) setTimeout(() => Atomics.wait(still, 0, 0, ms), at);
  const n = written.push(0) - 1;
  setTimeout(() => {
    written[n] = now();
    response.end('ok');
  }, delayOf(n));
});
server.keepAliveTimeout = 60_000;
server.listen(0, '127.0.0.1', () => console.log(server.address().port));
