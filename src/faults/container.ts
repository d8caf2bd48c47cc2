/** What the container faults share: which container, by which command, and how it is asked about. */
import * as z from 'zod';
import { shellQuote } from '../core/text.ts';

export const containerFields = () => ({
  container: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$/, { error: 'expected the name or id of a container: letters, digits and _ . -' })
    .meta({ description: 'Name or id of the container on the target.', examples: ['shop-checkout'] }),
  tool: z.enum(['auto', 'docker', 'podman']).default('auto').meta({
    description: 'The command that manages it. Default auto: docker where it knows the container, else podman.',
  }),
});

export interface ContainerChoice {
  readonly container: string;
  readonly tool: 'auto' | 'docker' | 'podman';
}

/**
 * `ask CONTAINER`: sets `id`, `state`, `pid` and `policy`; fails when `$tool` does not know it, or does not answer (`said`). Both commands may
 * warn of something before they answer, so the answer is the line that begins with an id.
 */
export const askFunction = `ask() {
  said=$(timeout 20 "$tool" container inspect -f '{{.Id}} {{.State.Status}} {{.State.Pid}} {{.HostConfig.RestartPolicy.Name}}' "$1" 2>&1) || return 1
  set -- $(printf '%s\\n' "$said" | grep '^[0-9a-f]\\{64\\} ')
  [ $# -ge 2 ] || return 1
  id=$1 state=$2 pid=\${3:-0} policy=\${4:-no}
}`;

/** Sets what {@link askFunction} sets and `tool`, or refuses; saves `tool` and `id`. */
export function lookContainer({ container, tool }: ContainerChoice): string {
  const name = shellQuote(container);
  return `${askFunction}
need timeout coreutils
tool= why=
for tool in ${tool === 'auto' ? 'docker podman' : tool}; do
  have "$tool" || { why="$why $tool is not installed;"; tool=; continue; }
  ask ${name} && break
  why="$why $tool: $(printf '%s\\n' "$said" | grep -v '^\\[' | tail -n 1);" tool=
done
[ -n "$tool" ] || refuse "no container "${name}":\${why%;}"
[ "$state" = running ] || refuse ${name}" is $state, not running"
save tool "$tool"; save id "$id"`;
}

/**
 * Asks about the very container that was found; a new one of the same name is another. `gone`: is that what `ask` failed for? Not any "no such":
 * newer dockers say it of their socket as well when the service is away ("connect: no such file or directory").
 */
export const askAgain = `${askFunction}
gone() { case $said in *[Nn]o\\ such\\ container*) return 0 ;; *) return 1 ;; esac; }
tool=@tool@`;
