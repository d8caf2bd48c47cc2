/** `direct-tcpip` of a lab host: a TCP connection made from the host, to loopback and nowhere else. */
import { connect } from 'node:net';
import type ssh2 from 'ssh2';

export function serveTunnel(
  accept: ssh2.AcceptConnection<ssh2.ServerChannel>,
  reject: ssh2.RejectConnection,
  request: ssh2.TcpipRequestInfo,
): void {
  if (!isLoopback(request.destIP)) {
    reject();
    return;
  }
  const socket = connect({ host: request.destIP, port: request.destPort, noDelay: true });
  socket.once('error', () => reject());
  socket.once('connect', () => {
    const channel = accept();
    socket.on('error', () => channel.close());
    socket.once('close', () => channel.close());
    channel.on('error', () => socket.destroy());
    channel.once('close', () => socket.destroy());
    channel.pipe(socket).pipe(channel);
  });
}

function isLoopback(address: string): boolean {
  return address === 'localhost' || address === '::1' || /^127(?:\.\d{1,3}){3}$/.test(address);
}
