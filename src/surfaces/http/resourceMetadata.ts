/** Where clients of MCP find who signs people in for this service: OAuth 2.0 Protected Resource Metadata (RFC 9728). */
import type Router from '@koa/router';
import { createRouter } from './router.ts';

interface ProtectedResource {
  /** Its address, which is also the audience of its tokens. */
  resource: string;
  issuer: string;
  scopes: readonly string[];
}

const PATH = '/.well-known/oauth-protected-resource';

/** @returns the address of the metadata, for the header of an answer that asks for a token */
export function metadataAddress(publicUrl: string): string {
  return `${publicUrl}${PATH}/mcp`;
}

export function resourceMetadataRoutes({ resource, issuer, scopes }: ProtectedResource): Router {
  const router = createRouter();
  for (const path of [PATH, `${PATH}/mcp`]) {
    router.get(path, (ctx) => {
      // It is public, and clients in browsers read it before they have anything to show.
      ctx.set('Access-Control-Allow-Origin', '*');
      ctx.body = {
        resource,
        authorization_servers: [issuer],
        scopes_supported: scopes,
        bearer_methods_supported: ['header'],
        resource_name: 'DexOps',
      };
    });
  }
  return router;
}
