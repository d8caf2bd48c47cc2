/** What the faults on systemd services share. */
import * as z from 'zod';
import { shellQuote } from '../core/text.ts';

/** No template instance of a path (`\\x2d`): its name could not be carried through a shell as it is. */
export const unitField = () =>
  z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9_.:-]*(?:@[A-Za-z0-9_.:-]*)?$/, {
      error: (issue) => `expected the name of a service such as nginx or nginx.service, got ${JSON.stringify(issue.input)}`,
    })
    .meta({ description: 'The systemd service, with or without `.service`.', examples: ['nginx'] });

export function unitName(unit: string): string {
  return unit.endsWith('.service') ? unit : `${unit}.service`;
}

/** Refuses what could not be given back: a unit that is not there, masked, not active, or one that carries us. Defines `property NAME`. */
export function lookService(unit: string): string {
  const name = shellQuote(unitName(unit));
  return `need systemctl systemd
[ -d /run/systemd/system ] || refuse 'systemd does not run here'
[ "$(id -u)" = 0 ] || refuse 'needs root: log in as root, or set become: sudo in the environment'
property() { systemctl show -p "$1" ${name} | cut -d= -f2-; }
case ${name} in ssh.service|sshd.service|dbus.service|systemd-*|init.scope) refuse ${shellQuote(`${unitName(unit)} carries the runner's own way in, or the system itself`)} ;; esac
load=$(property LoadState) active=$(property ActiveState)
[ "$load" = loaded ] || refuse ${name}" is $load here"
[ "$active" = active ] || refuse ${name}" is $active: there is nothing to take away"`;
}
