/** What an identity provider says of whoever holds one of its tokens. */

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
