/** A container on a test host that sleeps: how each command makes one, from the folder /srv/box of the host, and how it is asked about. */

export type ContainerTool = 'podman' | 'docker';

/** Shell text that starts it. Docker takes no folder as it is, so the first time its service is started and an image made. */
export function startBox(tool: ContainerTool, name: string, restart = 'no'): string {
  const run = `${tool} run -d --name ${name} --restart ${restart} --network none --log-driver none`;
  const sleep = '/bin/busybox sleep 100000';
  if (tool === 'podman') return `${run} --rootfs /srv/box ${sleep}`;
  const image = 'docker image inspect box >/dev/null 2>&1 || tar -C /srv/box -c . | docker import - box';
  return `systemctl start docker && { ${image}; } && ${run} box ${sleep}`;
}

/** Shell text that prints its state and its main process. */
export function askBox(tool: ContainerTool, name: string): string {
  return `${tool} container inspect -f '{{.State.Status}} {{.State.Pid}}' ${name}`;
}
