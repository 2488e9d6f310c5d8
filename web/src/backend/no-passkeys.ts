/**
 * Stands in the build for supabase-js' passkeys, which nobody signs in with here: a thirtieth of what is loaded first. Named as
 * supabase-js names it.
 */
function refuse(): never {
  throw new Error("the portal is built without passkeys");
}

export class WebAuthnApi {}
export const browserSupportsWebAuthn = (): boolean => false;
export const webAuthnAbortService = { createNewAbortSignal: refuse, cancelCeremony: (): void => undefined };
export {
  refuse as createCredential,
  refuse as deserializeCredentialCreationOptions,
  refuse as deserializeCredentialRequestOptions,
  refuse as getCredential,
  refuse as serializeCredentialCreationResponse,
  refuse as serializeCredentialRequestResponse,
};
