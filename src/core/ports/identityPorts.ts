/** What an identity provider says of people, how it is asked, and the sessions of those who signed in there. */

/** Signed by the provider, for this service, and not over yet. */
export interface TokenClaims {
  /** The provider's name for the person or program. */
  subject: string;
  /** In lower case, and only where the provider has verified it. */
  email: string | null;
  groups: readonly string[];
  scopes: readonly string[];
}

export interface TokenVerifier {
  /** @throws AppError `unauthenticated` for a token that is not good, `unavailable` while the provider's keys cannot be had */
  verify(token: string): Promise<TokenClaims>;
}

/** A person as the provider knows them now. */
export interface SignedInPerson extends Omit<TokenClaims, 'scopes'> {
  /** How to call them in a sentence. */
  name: string;
  /** Asks the provider for the person again; null where it gives none. */
  refreshToken: string | null;
}

/** What has to come back from the provider unchanged, so that an answer belongs to the question of this very browser. */
interface SignInChecks {
  state: string;
  nonce: string;
  /** Of PKCE (RFC 7636). */
  verifier: string;
}

/** A sign-in on a device without a browser (RFC 8628), to be finished in one elsewhere. */
interface DeviceSignIn {
  deviceCode: string;
  userCode: string;
  /** Where the person types the code, and the same with the code in it. */
  address: string;
  completeAddress: string | null;
  expiresInS: number;
  /** Least time between two questions whether it is done. */
  intervalS: number;
}

/** Signs people in. Each method fails with AppError `unavailable` while the provider does not answer. */
export interface SignInProvider {
  /** @param consent whether the person is asked once more for what a refresh token needs */
  begin(consent: boolean): Promise<{ address: string; checks: SignInChecks }>;
  /** @param query the provider's answer. @throws AppError `unauthenticated` for one that is not good, `denied` for a no */
  complete(query: string, checks: SignInChecks): Promise<SignedInPerson>;
  beginDevice(): Promise<DeviceSignIn>;
  /** Null while the person has not answered. @throws AppError `denied` for a no, `unauthenticated` once it is too late */
  completeDevice(deviceCode: string): Promise<SignedInPerson | null>;
  /** The same person as they are known now; null when the provider lets them in no more. */
  renew(refreshToken: string, subject: string): Promise<SignedInPerson | null>;
  /** The provider forgets the token, if it can. */
  revoke(refreshToken: string): Promise<void>;
}

/** Keeps a text so that only this service can read it. */
export interface Sealer {
  seal(text: string): string;
  /** Null for what this service did not seal. */
  open(sealed: string): string | null;
}

export const SESSION_CHANNELS = ['page', 'cli'] as const;

/** Somebody who is signed in by the provider. Its secret is kept as a digest alone. */
export interface SignInSession {
  id: number;
  subject: string;
  name: string;
  email: string | null;
  groups: readonly string[];
  channel: (typeof SESSION_CHANNELS)[number];
  /** What the browser or program called itself. */
  client: string;
  /** Sealed. */
  refreshToken: string | null;
  createdAt: Date;
  expiresAt: Date;
  /** To the minute. */
  lastUsedAt: Date;
  /** When the provider last said that the person may be here. */
  confirmedAt: Date;
  /** From when on the provider is asked before the session counts again. */
  confirmAfter: Date;
}

export interface SignInSessionRepository {
  add(session: Omit<SignInSession, 'id'>, digest: string): Promise<SignInSession>;
  /** Of those that are valid. `sharesEmail`: somebody else is signed in under the same address. */
  byDigest(digest: string, now: Date): Promise<{ session: SignInSession; sharesEmail: boolean } | null>;
  /** The newest that is valid under an address; null where there is none, or where it is the address of several people. */
  byEmail(email: string, now: Date): Promise<SignInSession | null>;
  /** Those that are valid, newest first; of one person where a subject is given. */
  list(subject: string | null, now: Date): Promise<SignInSession[]>;
  /** Takes the next question to the provider; false where somebody else has taken it. */
  takeConfirmation(session: Pick<SignInSession, 'id' | 'confirmAfter'>, until: Date): Promise<boolean>;
  update(
    id: number,
    patch: Partial<Omit<SignInSession, 'id' | 'subject' | 'channel' | 'client' | 'createdAt'>>,
  ): Promise<void>;
  /** Forgets a session. The one that it was, without its refresh token; null when there is no valid one. */
  end(id: number, now: Date): Promise<SignInSession | null>;
}
