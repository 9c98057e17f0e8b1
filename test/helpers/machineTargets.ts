/**
 * Plays any number of machines with a node_exporter each, machine N at `/machine/N/metrics`, on pages so small that one process
 * serves ten thousand of them. Run as a program it prints `listening PORT` and serves until it is stopped.
 */
import { createServer } from 'node:http';

const GIB = 1024 ** 3;
const BOOTED_S = Date.now() / 1000 - 86_400;

/** Machine N is 7·N % busy, has 13·N % of its memory and 17·N % of its disk in use, each modulo 100. */
function page(index: number): string {
  const upS = Date.now() / 1000 - BOOTED_S;
  const busy = (index * 7) % 100;
  const memory = 16 * GIB;
  const disk = 512 * GIB;
  const root = 'device="/dev/nvme0n1p2",fstype="ext4",mountpoint="/"';
  return [
    `node_cpu_seconds_total{cpu="0",mode="idle"} ${(upS * (100 - busy)) / 100}`,
    `node_cpu_seconds_total{cpu="0",mode="iowait"} 0`,
    `node_cpu_seconds_total{cpu="0",mode="user"} ${(upS * busy) / 100}`,
    `node_memory_MemTotal_bytes ${memory}`,
    `node_memory_MemAvailable_bytes ${memory * (1 - ((index * 13) % 100) / 100)}`,
    `node_memory_SwapTotal_bytes 0`,
    `node_memory_SwapFree_bytes 0`,
    ...['avail_bytes', 'free_bytes'].map(
      (field) => `node_filesystem_${field}{${root}} ${disk * (1 - ((index * 17) % 100) / 100)}`,
    ),
    `node_filesystem_size_bytes{${root}} ${disk}`,
    `node_filesystem_readonly{${root}} 0`,
    `node_filesystem_device_error{${root}} 0`,
    `node_filesystem_files{${root}} 1000000`,
    `node_filesystem_files_free{${root}} 900000`,
    `node_boot_time_seconds ${BOOTED_S}`,
    `node_uname_info{nodename="own-name-${index}",sysname="Linux"} 1`,
    `node_pressure_cpu_waiting_seconds_total ${upS / 100}`,
    `node_pressure_io_waiting_seconds_total ${upS / 200}`,
    `node_pressure_memory_waiting_seconds_total 0`,
    `node_vmstat_pswpin 0`,
    `node_vmstat_pswpout 0`,
    `node_network_receive_errs_total{device="eth0"} 0`,
    `node_network_transmit_errs_total{device="eth0"} 0`,
    `node_timex_offset_seconds 0.001`,
    `node_timex_sync_status 1`,
    '',
  ].join('\n');
}

const server = createServer((request, response) => {
  const [, index] = /^\/machine\/(\d+)\/metrics$/.exec(request.url ?? '') ?? [];
  if (index === undefined)
    return void response.writeHead(404, { 'content-type': 'text/html' }).end('<h1>no machine</h1>');
  response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4' }).end(page(Number(index)));
});
server.listen(0, '127.0.0.1', 1024, () => {
  const address = server.address();
  if (address !== null && typeof address === 'object') process.stdout.write(`listening ${address.port}\n`);
});
process.once('SIGTERM', () => process.exit(0));
