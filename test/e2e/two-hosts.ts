import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';

/** Two hosts on this machine: network namespaces of their own, joined by a virtual cable. */
export interface TwoHosts {
  readonly names: readonly [string, string];
  /** The cable's end at the first host. */
  readonly device: string;
  /** A command that takes the place of ssh. */
  readonly agent: string;
  /** Bytes that the first host has sent over the cable. */
  sent(): number;
  remove(): void;
}

/**
 * Makes them.
 * @param folder for the agent
 * @param rate of the cable in each direction, in the words of tc; without limit by default
 * @returns undefined where this process may not
 */
export function twoHosts(folder: string, rate?: string): TwoHosts | undefined {
  const id = process.pid.toString(36);
  const names = [`rn${id}a`, `rn${id}b`] as const;
  const devices = [`${names[0]}0`, `${names[1]}0`] as const;
  const ip = (...args: string[]): string => execFileSync('ip', args, { encoding: 'utf8', stdio: 'pipe' });
  const remove = (): void => {
    for (const name of names) {
      try {
        ip('netns', 'del', name);
      } catch {
        // it was not made
      }
      rmSync(`/etc/netns/${name}`, { recursive: true, force: true });
    }
  };
  try {
    for (const name of names) ip('netns', 'add', name);
    ip(
      'link',
      'add',
      devices[0],
      'netns',
      names[0],
      'type',
      'veth',
      'peer',
      'name',
      devices[1],
      'netns',
      names[1],
    );
    names.forEach((name, index) => {
      const device = devices[index] as string;
      ip('-n', name, 'addr', 'add', `10.77.0.${index + 1}/24`, 'dev', device);
      for (const each of ['lo', device]) ip('-n', name, 'link', 'set', each, 'up');
      if (rate) limit(name, device, rate);
      mkdirSync(`/etc/netns/${name}`, { recursive: true });
      const hosts = `127.0.0.1 localhost\n10.77.0.1 ${names[0]}\n10.77.0.2 ${names[1]}\n`;
      writeFileSync(`/etc/netns/${name}/hosts`, hosts);
    });
  } catch {
    remove();
    return undefined;
  }
  const agent = `${folder}/agent.sh`;
  writeFileSync(
    agent,
    `#!/bin/sh
# Called as ssh would be: options, host, command.
while [ "\${1#-}" != "$1" ]; do shift; done
host=$1; shift
exec ip netns exec $host unshare --uts --ipc sh -c "hostname $host; $*"
`,
  );
  chmodSync(agent, 0o755);
  const file = (name: string): string => `/sys/class/net/${devices[0]}/statistics/${name}`;
  return {
    names,
    device: devices[0],
    agent,
    sent: () =>
      Number(execFileSync('ip', ['netns', 'exec', names[0], 'cat', file('tx_bytes')], { encoding: 'utf8' })),
    remove,
  };
}

function limit(host: string, device: string, rate: string): void {
  const shape = ['root', 'tbf', 'rate', rate, 'burst', '128kb', 'latency', '20ms'];
  execFileSync('ip', ['netns', 'exec', host, 'tc', 'qdisc', 'add', 'dev', device, ...shape], {
    stdio: 'pipe',
  });
}

/** How a command is started as one rank on each host; the arguments are those of `ip`. */
export function launchersBetween({ agent, device, names }: TwoHosts) {
  const [first] = names;
  const as = (command: string, options: readonly string[]) => (program: readonly string[]) => [
    ...[
      'netns',
      'exec',
      first,
      'unshare',
      '--uts',
      '--ipc',
      'sh',
      '-c',
      `hostname ${first}; exec "$@"`,
      'sh',
    ],
    ...[command, ...options, '-np', '2', ...program],
  ];
  const openMpi = [
    ...['-host', names.map((name) => `${name}:1`).join(','), '--allow-run-as-root', '--bind-to', 'none'],
    ...['--mca', 'plm_rsh_agent', agent, '--mca', 'btl', 'tcp,self'],
    ...['--mca', 'btl_tcp_if_include', '10.77.0.0/24', '--mca', 'oob_tcp_if_include', '10.77.0.0/24'],
  ];
  const mpich = ['-launcher', 'ssh', '-launcher-exec', agent, '-iface', device, '-hosts', names.join(',')];
  return [
    { name: 'Open MPI', command: 'mpirun.openmpi', launch: as('mpirun.openmpi', openMpi) },
    { name: 'MPICH', command: 'mpirun.mpich', launch: as('mpirun.mpich', mpich) },
  ];
}
