/** Shell functions that the texts of several faults begin with: POSIX sh, `/proc` where there is one, else ps. */

/** `state_of PID`: one letter, empty when there is no such process. `alive PID`: there, and not a zombie waiting to be reaped. */
export const aliveFunction = `state_of() {
  if [ -r /proc/self/stat ]; then tr '\\n' ' ' 2>/dev/null <"/proc/$1/stat" | sed 's/.*) //' | cut -c1
  else ps -o stat= -p "$1" 2>/dev/null | cut -c1; fi
}
alive() { case $(state_of "$1" 2>/dev/null) in ''|Z|X) return 1 ;; esac; }`;

/** `nap`: sleeps 100 ms, or 1 s where sleep knows no fractions. */
export const napFunction = 'nap() { sleep 0.1 2>/dev/null || sleep 1; }';
