/**
 * `capstan image verify IMAGE`: checks every file of an image, its kernel and what it starts against
 * the signed manifest beside it. Neighbours: `../manifest/manifest.ts`, `../manifest/signing.ts`.
 */
import { readFileSync } from "node:fs";
import { withFilesOf } from "../disk/look-inside.ts";
import { systemErrorCode, UserError } from "../errors.ts";
import { Pacer } from "../image/erofs/pacer.ts";
import { describeImage, type ImageManifest, manifestDifferences } from "../manifest/manifest.ts";
import { manifestPathOf } from "../manifest/manifest-path.ts";
import { type PackedFile, packedDifferences, packedFiles } from "../manifest/packed-files.ts";
import { openSigned, trustedKeys } from "../manifest/signing.ts";
import { abortOnSignals } from "../run/signals.ts";
import { type CommandDefinition, type CommandInput, optionList, optionText } from "./command.ts";

/** Differences that are listed; the rest is counted. */
const mostListed = 20;

/** The command as data. */
export const imageVerifyCommand: CommandDefinition = {
  name: "image verify",
  summary: "check an image against its signed manifest",
  parameters: "<image>",
  options: [
    {
      flags: "--manifest <file>",
      description: "the manifest; by default IMAGE.manifest.json",
    },
    {
      flags: "--key <file>",
      description: "trust this public key, besides your own",
      repeats: true,
    },
  ],
  notes: `capstan image build writes the manifest and signs it with the key in $CAPSTAN_ROOT/keys
(~/.capstan/keys), which is made on first use; signing.pub there is for others.

Exit status:
  0      the image is what the manifest says, and the signature is right
  1      it is not
  125    wrong usage, or the image cannot be read`,
  examples: [
    "capstan image verify app.qcow2",
    "capstan image verify --key their-signing.pub app.vmdk",
  ],
  completes: "file",
  run: verifyImage,
};

function readManifest(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    throw new UserError({
      code: "NoManifest",
      what: "there is no manifest to check against",
      why: error instanceof Error ? error.message : String(error),
      fix: "name it with --manifest, or build the image again",
      cause: error,
    });
  }
}

async function verifyImage({ args, options, env }: CommandInput): Promise<number> {
  const [path = ""] = args;
  const manifestPath = optionText(options, "manifest") ?? manifestPathOf(path);
  const trusted = trustedKeys(env, optionList(options, "key"));
  const wanted = openSigned(manifestPath, readManifest(manifestPath), trusted);
  const differences = await abortOnSignals((signal) => {
    return wanted.packed === undefined
      ? diskDifferences(path, wanted, signal)
      : outputDifferences(path, wanted.packed, signal);
  });
  if (differences.length > 0) throw mismatch(path, differences);
  const files = wanted.fileSystem.files.length;
  const report = { path, files, diskSha256: wanted.diskSha256 };
  process.stdout.write(
    options.json === true
      ? `${JSON.stringify(report)}\n`
      : `${path}: ${files} files, kernel and signature are right\n`,
  );
  return 0;
}

/** How a disk differs, whatever its format. */
function diskDifferences(
  path: string,
  wanted: ImageManifest,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const pacer = new Pacer(signal);
  return withFilesOf(path, async (root, inside) => {
    return manifestDifferences(
      wanted,
      await describeImage({ ...inside, root }, () => pacer.pause()),
    );
  });
}

/** How an archive or a folder differs, byte for byte. */
async function outputDifferences(
  path: string,
  wanted: readonly PackedFile[],
  signal: AbortSignal,
): Promise<readonly string[]> {
  try {
    return packedDifferences(wanted, await packedFiles(path, signal));
  } catch (error) {
    if (systemErrorCode(error) === undefined) throw error;
    throw new UserError({
      code: "ImageUnreadable",
      what: `cannot read ${path}`,
      why: error instanceof Error ? error.message : String(error),
      fix: "check its name and permissions",
      cause: error,
    });
  }
}

function mismatch(path: string, differences: readonly string[]): UserError {
  const listed = differences.slice(0, mostListed);
  const rest = differences.length - listed.length;
  return new UserError({
    code: "VerificationFailed",
    what: `${path} is not what its manifest says`,
    why: [...listed, ...(rest > 0 ? [`and ${rest} more`] : [])].join("; "),
    fix: "do not use it; build or copy it again",
    exitStatus: 1,
  });
}
