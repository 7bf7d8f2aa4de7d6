/**
 * Signs manifests with Ed25519 (RFC 8032) and checks signatures. The key is made on first use:
 *
 *     $CAPSTAN_ROOT/keys/signing.pem   private key (PKCS 8), readable by its owner only
 *     $CAPSTAN_ROOT/keys/signing.pub   public key (SPKI), to be given to others
 *
 * Neighbours: `manifest.ts` is what is signed.
 */
import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  sign,
  verify,
} from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as z from "zod";
import { systemErrorCode, UserError } from "../errors.ts";
import { capstanHome } from "../home.ts";
import { type ImageManifest, manifestSchema } from "./manifest.ts";

const signedSchema = z.strictObject({
  manifest: manifestSchema,
  /** PEM text. */
  publicKey: z.string(),
  /** Over the manifest as JSON without blanks; base64. */
  signature: z.string(),
});

export type SignedManifest = z.infer<typeof signedSchema>;

function keyFolder(env: NodeJS.ProcessEnv): string {
  return join(capstanHome(env), "keys");
}

function publicText(key: KeyObject): string {
  const publicKey = key.type === "private" ? createPublicKey(key) : key;
  return publicKey.export({ type: "spki", format: "pem" }).toString();
}

/** This user's private key, if there is one. */
function existingKey(env: NodeJS.ProcessEnv): KeyObject | undefined {
  try {
    return createPrivateKey(readFileSync(join(keyFolder(env), "signing.pem")));
  } catch (error) {
    if (systemErrorCode(error) === "ENOENT") return undefined;
    throw keyUnusable(join(keyFolder(env), "signing.pem"), error);
  }
}

function keyUnusable(path: string, error: unknown): UserError {
  return new UserError({
    code: "KeyUnusable",
    what: `cannot use the key ${path}`,
    why: error instanceof Error ? error.message : String(error),
    fix: "give an Ed25519 key as PEM text; capstan makes one of its own when there is none",
    cause: error,
  });
}

/** This user's private key; made when there is none. @throws UserError */
export function signingKey(env: NodeJS.ProcessEnv): KeyObject {
  const existing = existingKey(env);
  if (existing !== undefined) return existing;
  const { privateKey } = generateKeyPairSync("ed25519");
  const folder = keyFolder(env);
  const text = privateKey.export({ type: "pkcs8", format: "pem" });
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    // Fails if another process made one meanwhile; that one then counts.
    writeFileSync(join(folder, "signing.pem"), text, { mode: 0o600, flag: "wx" });
    writeFileSync(join(folder, "signing.pub"), publicText(privateKey));
    return privateKey;
  } catch (error) {
    const other = systemErrorCode(error) === "EEXIST" ? existingKey(env) : undefined;
    if (other !== undefined) return other;
    throw keyUnusable(folder, error);
  }
}

function signedBytes(manifest: ImageManifest): Buffer {
  return Buffer.from(JSON.stringify(manifest));
}

/** Signs a manifest. */
export function signManifest(manifest: ImageManifest, key: KeyObject): SignedManifest {
  const signature = sign(null, signedBytes(manifest), key).toString("base64");
  return { manifest, publicKey: publicText(key), signature };
}

/** What is trusted besides this user's own key: PEM files with public keys. */
export function trustedKeys(env: NodeJS.ProcessEnv, paths: readonly string[]): string[] {
  const own = existingKey(env);
  const given = paths.map((path) => {
    try {
      return publicText(createPublicKey(readFileSync(path)));
    } catch (error) {
      throw keyUnusable(path, error);
    }
  });
  return [...(own === undefined ? [] : [publicText(own)]), ...given];
}

/**
 * Reads a signed manifest and checks that one of the trusted keys signed it.
 * @param trusted public keys as PEM text
 * @throws UserError
 */
export function openSigned(path: string, text: string, trusted: readonly string[]): ImageManifest {
  const bad = (code: string, why: string, fix: string): UserError =>
    new UserError({ code, what: `cannot trust ${path}`, why, fix, exitStatus: 1 });
  let signed: SignedManifest;
  try {
    signed = signedSchema.parse(JSON.parse(text));
  } catch {
    throw bad("ManifestDamaged", "it is not a signed manifest", "build the image again");
  }
  const { manifest, publicKey, signature } = signed;
  if (!trusted.includes(publicKey)) {
    throw bad(
      "UnknownSigner",
      "it was signed with a key that is not trusted here",
      "get the signer's signing.pub in a way that you trust, and name it: --key signing.pub",
    );
  }
  const bytes = Buffer.from(signature, "base64");
  if (!verify(null, signedBytes(manifest), createPublicKey(publicKey), bytes)) {
    throw bad("BadSignature", "its contents were changed after it was signed", "do not use it");
  }
  return manifest;
}
