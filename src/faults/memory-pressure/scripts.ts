/**
 * The shell texts of `memory-pressure`. The memory is that of a `tail` that waits for the end of a line of zeros: it needs no tool that a host
 * lacks, is really held and not cached, and is the first that the kernel kills when it runs out.
 */
import { sizeBytes } from '../fields.ts';
import type { HostScriptRequest, HostScripts } from '../host-fault/contract.ts';
import type { MemoryPressureParameters } from './schema.ts';

const reserveKb = 64 * 1_024;

const memory = `memory() { awk -v k="$1:" '$1 == k { print $2 }' /proc/meminfo; }`;

export function scripts({ parameters }: HostScriptRequest<MemoryPressureParameters>): HostScripts {
  return { look: look(parameters), inject, verify, undo: 'end_mine', check };
}

function look({ percent, size, leaveFree, allowOom }: MemoryPressureParameters): string {
  const asked =
    percent !== undefined
      ? `$((available - total * (100 - ${percent}) / 100))`
      : size !== undefined
        ? String(Math.ceil(sizeBytes(size) / 1_024))
        : `$((available - ${Math.ceil(sizeBytes(leaveFree ?? '0B') / 1_024)}))`;
  return `${memory}
total=$(memory MemTotal) available=$(memory MemAvailable)
[ -n "$total" ] && [ -n "$available" ] || refuse 'no MemAvailable in /proc/meminfo: the effect could not be measured'
fill=${asked}
[ "$fill" -gt 0 ] || refuse "$((100 - available * 100 / total)) % of its memory is used already: there is nothing to add"
${allowOom ? '' : `[ $((available - fill)) -ge ${reserveKb} ] || refuse "$((available - fill)) kB of $total kB would be left, less than 64MB: set allowOom: true if that is meant"`}
save fill "$fill"; save total "$total"; save before "$available"`;
}

const inject = `echo 1000 >/proc/$$/oom_score_adj 2>/dev/null
${memory}
held() { held=$((@before@ - $(memory MemAvailable))); }
hold() { { head -c $(($1 * 1024)) /dev/zero; while :; do sleep 1000; done; } </dev/null 2>/dev/null | tail -n 1 >/dev/null 2>&1 & }
# What the kernel counts as available moves while it is filled, so what is missing then is added.
missing=@fill@ times=0
while [ $missing -gt $((@fill@ / 20)) ] && [ $times -lt 4 ]; do
  hold $missing
  last=0 same=0
  while [ $same -lt 5 ]; do
    sleep 0.3 2>/dev/null || sleep 1
    held
    [ $held -lt $((@fill@ * 19 / 20)) ] || break
    if [ $held -gt $((last + 1024)) ]; then same=0; else same=$((same + 1)); fi
    last=$held
  done
  missing=$((@fill@ - held)) times=$((times + 1))
done
[ -n "$(mine)" ]`;

const verify = `${memory}
available=$(memory MemAvailable)
gained=$((@before@ - available))
echo "$gained kB more are used, asked @fill@ kB; $available kB of @total@ kB are available, @before@ kB before"
share=$(((@total@ - available) * 100 / @total@))
measure memoryUsed "$((share / 100)).$((share % 100 / 10))$((share % 10))"
[ -n "$(mine)" ] || { echo 'the process that holds it is gone'; exit 3; }
[ $gained -ge $((@fill@ * 8 / 10)) ] || exit 3`;

const check = `left=$(mine | wc -l)
echo "$((left)) processes of the fault are left; $(awk '/^MemAvailable:/ { print $2 }' /proc/meminfo) kB are available, @before@ kB before"
[ "$left" -eq 0 ] || exit 3`;
