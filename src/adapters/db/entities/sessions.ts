/** The table of people who are signed in. */
import { defineEntity, p } from '@mikro-orm/core';
import type { SignInSession } from '../../../core/ports/identityPorts.ts';
import { word } from './columns.ts';

export const SignInSessionRow = defineEntity({
  name: 'SignInSession',
  tableName: 'sign_in_session',
  properties: {
    id: p.integer().primary(),
    digest: p.string().length(64),
    subject: p.string(),
    name: p.string(),
    email: p.string().length(320).nullable(),
    groups: p.json<readonly string[]>(),
    channel: word<SignInSession['channel']>(),
    client: p.string(),
    refreshToken: p.text().nullable(),
    createdAt: p.datetime(3),
    expiresAt: p.datetime(3),
    lastUsedAt: p.datetime(3),
    confirmedAt: p.datetime(3),
    confirmAfter: p.datetime(3),
  },
  uniques: [{ name: 'sign_in_session_digest', properties: ['digest'] }],
  indexes: [
    { name: 'sign_in_session_subject', properties: ['subject'] },
    { name: 'sign_in_session_email', properties: ['email'] },
    { name: 'sign_in_session_expiry', properties: ['expiresAt'] },
  ],
});
