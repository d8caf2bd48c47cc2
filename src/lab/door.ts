/** What the lab emulates instead of doing for real. It stands on the door: README, `chaos lab status`. */
export const labDoor: readonly string[] = [
  'All hosts are one machine: they share its kernel, clock, processor, memory, disk and process table; a full CPU is full for all of them.',
  'The network is loopback: no routers, no latency of its own; all addresses are 127.0.0.1 and differ by port.',
  'Every link from the load balancer to a checkout and from a checkout to a database is a TCP proxy. A stand-in for tc programs it: delay, jitter, loss and rate of what a host sends; a lost packet is one that comes late, as with TCP. Replication and what comes from outside do not pass through links.',
  'ip knows one interface, lab0; there is no firewall, no ifb, no root, so faults that need them are refused.',
  'SSH is real on the wire but answered inside one process: no PAM, no sudo, no real terminal, no session limits.',
  'There is no systemd: a small supervisor starts the load balancer and the checkout services again after 500 ms; nothing restarts PostgreSQL.',
  'Host accounts are not separate users: every host runs as the one who started the lab or, started by root, as one unprivileged account.',
  'PostgreSQL is real, primary and streaming standby, but runs with fsync off and small buffers: it survives kill -9, not a power failure.',
  'The shop has one table, one kind of order and no traffic but that of the probes.',
];
