/** A loopback port whose kernel drops every SYN, as a firewall does: its listener is stopped and its backlog full. */
import { spawn } from 'node:child_process';
import { connect, type Socket } from 'node:net';

const LISTENER = "require('net').createServer().listen(0,'127.0.0.1',1,function(){console.log(this.address().port)})";

export interface DroppingPort {
  port: number;
  close(): void;
}

/** @param room how many connections the kernel still accepts before it drops the rest: 0 to 2. Only Linux drops. */
export async function startDroppingPort(room = 0): Promise<DroppingPort> {
  const child = spawn(process.execPath, ['-e', LISTENER], { stdio: ['ignore', 'pipe', 'inherit'] });
  const port = Number(await new Promise((resolve) => child.stdout.once('data', (data) => resolve(String(data)))));
  child.kill('SIGSTOP');
  // A backlog of 1 accepts two connections; one more hangs and shows that the queue is full.
  const fillers: Socket[] = [];
  for (let index = room; index < 2; index++) {
    const filler = connect(port, '127.0.0.1').on('error', () => {});
    fillers.push(filler);
    await new Promise((resolve) => filler.once('connect', resolve));
  }
  return {
    port,
    close: () => {
      for (const filler of fillers) filler.destroy();
      child.stdout.destroy();
      child.kill('SIGKILL');
    },
  };
}
