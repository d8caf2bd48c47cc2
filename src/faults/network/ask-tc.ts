/**
 * Questions to a host's `tc` that change nothing, whoever asks and whatever the `tc` is. `chaos doctor` and the faults' own look ask the same ones,
 * so the two cannot say different things. Each leaves its answer in `why`, empty for yes.
 */
export interface Asked {
  readonly kind: string;
  readonly options: string;
}

/** There is no such parent, so the kernel has nothing to change; it tells before whether the login may, and `tc` itself whether it knows the words. */
const change = ({ kind, options }: Asked): string => `tc qdisc change dev lo parent fffe:1 ${kind} ${options} 2>&1`;

/** What `why` is then. */
export const denied = '$(id -un) may not program the network here';

/** May this login program the network? A `tc` that programs something else than the kernel may let everybody. */
export const mayProgram = `case $(${change({ kind: 'pfifo', options: 'limit 1' })}) in
  *ermitted*) why="${denied}" ;;
  *) why= ;;
esac`;

/** Does `tc` take these words? `denied`: whoever asks may not know. */
export function takesWords(asked: Asked): string {
  return `why=$(${change(asked)})
case $why in
  *'What is "'*|*'No distribution data'*|*'llegal "'*|*'illegal value'*|*'unknown parameter'*) why="tc does not take these parameters here: $(echo "$why" | head -n 1)" ;;
  *'kind is unknown'*) why="tc has no ${asked.kind} here" ;;
  *ermitted*) why=denied ;;
  *) why= ;;
esac`;
}

/** Has the kernel this discipline? Tried in a network of its own, which is gone with the command; where there can be none nobody knows. */
export function kernelHas({ kind, options }: Asked): string {
  return `why=$(unshare -n tc qdisc add dev lo root ${kind} ${options} 2>&1)
case $why in
  *'kind is unknown'*) why="this kernel has no sch_${kind} ($(echo "$why" | head -n 1))" ;;
  *) why= ;;
esac`;
}

/** Is there a side on which packets arrive? A change of what is not there is refused in other words where there could be one. */
export const hasIngress = `case $(tc qdisc change dev lo handle ffff: ingress 2>&1) in
  *'kind is unknown'*) why='tc has no ingress side here' ;;
  *) why= ;;
esac`;
