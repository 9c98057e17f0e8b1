/** The agent for machines: scripts that install it, its archives with their checksums, and updates for those that have it. */
import type Router from '@koa/router';
import type { Context } from 'koa';
import type { UpdateOffer } from '../../../core/enrolment/agentUpdates.ts';
import { AppError } from '../../../core/errors.ts';
import type { AgentBuild, AgentReleases } from '../../../core/ports/enrolmentPorts.ts';
import type { Endpoint } from '../../../domain/fleet/endpoint.ts';
import { createRouter } from '../router.ts';
import { authenticateAgent, type EndpointOf } from './agentCaller.ts';
import { powershellScript, shellScript } from './installScripts.ts';

interface AgentDownloadOptions {
  releases: AgentReleases;
  /** PUBLIC_URL; empty without one. */
  publicUrl: string;
  endpointOf: EndpointOf;
  offer(endpoint: Endpoint, running: string, failed: string | null): Promise<UpdateOffer | null>;
}

export function agentDownloadRoutes({ releases, publicUrl, endpointOf, offer }: AgentDownloadOptions): Router {
  const router = createRouter();
  const build = async (): Promise<AgentBuild> => {
    const found = await releases.current();
    if (found) return found;
    throw new AppError('not_found', 'This service has no agent to give: run npm run agent:build where it is deployed.');
  };
  const send = async (ctx: Context, file: string) => {
    const found = await releases.open(file);
    if (!found) throw new AppError('not_found', `There is no ${file}; /agent/SHA256SUMS lists what there is.`);
    ctx.type = 'application/octet-stream';
    ctx.length = found.bytes;
    ctx.body = found.stream;
  };

  router.get('/agent/install.sh', async (ctx) => {
    ctx.type = 'text/x-shellscript';
    ctx.body = shellScript(addressOf(ctx, publicUrl), (await build()).archives);
  });
  router.get('/agent/install.ps1', async (ctx) => {
    ctx.type = 'text/plain';
    ctx.body = powershellScript(addressOf(ctx, publicUrl), (await build()).archives);
  });
  router.get('/agent/SHA256SUMS', async (ctx) => {
    const { archives, update } = await build();
    ctx.type = 'text/plain';
    ctx.body = [...Object.values(archives), update].map(({ file, sha256 }) => `${sha256}  ${file}\n`).join('');
  });
  router.get('/agent/archives/:file', (ctx) => send(ctx, String(ctx.params.file)));

  router.get('/agent/v1/update', async (ctx) => {
    const { endpoint } = await authenticateAgent(ctx.headers, endpointOf);
    const found = await offer(endpoint, versionIn(ctx, 'version') ?? '', versionIn(ctx, 'failed'));
    if (found) ctx.body = found;
    else ctx.status = 204;
  });
  router.get('/agent/v1/update/:version', async (ctx) => {
    await authenticateAgent(ctx.headers, endpointOf);
    const { version, update } = await build();
    if (ctx.params.version !== version) throw new AppError('not_found', `Version ${version} is the current one.`);
    await send(ctx, update.file);
  });
  return router;
}

function versionIn(ctx: Context, field: string): string | null {
  const value = ctx.query[field];
  return typeof value === 'string' && /^[\w.+-]{1,64}$/.test(value) ? value : null;
}

/** Where the machine that asks reaches the service: what was configured, or what it called itself. */
function addressOf(ctx: Context, publicUrl: string): string {
  if (publicUrl !== '') return publicUrl;
  if (/^[\w.-]+(:\d{1,5})?$|^\[[0-9a-f:]+\](:\d{1,5})?$/i.test(ctx.host)) return `${ctx.protocol}://${ctx.host}`;
  throw new AppError('invalid', 'The Host header is no address.');
}
