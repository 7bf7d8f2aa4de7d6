/**
 * Options of every command that takes a SOURCE, and the request that its words make. Neighbours:
 * `../source/` resolves what is read here.
 */
import { progressFor } from "../console/progress.ts";
import { sourceRequest } from "../source/resolve.ts";
import type { SourceOptions, SourceRequest } from "../source/source.ts";
import { parseEnvironment } from "../text/option-values.ts";
import { type CommandInput, type OptionDefinition, optionList, optionText } from "./command.ts";

/** Of every command that may speak to a registry. */
export const insecureOption: OptionDefinition = {
  flags: "--insecure",
  description: "allow registries on other machines that speak plain HTTP",
};

/** As data for the parser. */
export const sourceOptionDefinitions: readonly OptionDefinition[] = [
  {
    flags: "-e, --env <name[=value]>",
    description: "set an environment variable, or pass on the host's",
    repeats: true,
  },
  {
    flags: "--add <host[:guest]>",
    description: "add a file or directory to the image",
    repeats: true,
  },
  { flags: "--entrypoint <program>", description: "run this instead of an image's entry point" },
  { flags: "--user <user[:group]>", description: "run an image's program as this user" },
  { flags: "--workdir <path>", description: "start in this directory" },
  {
    flags: "--appliance <name>",
    description: "run this program of the kernel's own: memcached; the words are its options",
  },
  {
    flags: "--boot <set>",
    description: "boot this configuration of a package",
    repeats: true,
  },
  insecureOption,
];

/** For the help of every command that takes a source. */
export const sourceNotes = `SOURCE is one of
  .  ./DIR            a project: package.json, requirements.txt, a jar, go.mod, a program, or a
                      Capstanfile or meta/package.yaml that says more
  NAME[:TAG]          an image of this machine (capstan images), else a package (capstan package
                      list), else a program in PATH, else an image from a registry
  docker://REFERENCE  an image, from this machine or a registry
  oci:PATH[:NAME]     an OCI layout or archive, or an archive made by docker save; a path alone does
  deb:NAME[,NAME...]  Debian packages with all that they depend on
  -- PROGRAM          a program of this machine`;

/** What the words and options say. */
export interface GivenSource {
  readonly request: SourceRequest;
  readonly options: SourceOptions;
}

/**
 * Reads a command's source.
 * @param settings what the command adds: a terminal's type, a signal to stop
 * @throws UserError when an option is not understood
 */
export function parseSource(
  input: CommandInput,
  settings: Pick<SourceOptions, "terminalType" | "signal"> = {},
): GivenSource {
  const { args, afterDashes, options, env } = input;
  const entrypoint = optionText(options, "entrypoint");
  const user = optionText(options, "user");
  const workdir = optionText(options, "workdir");
  const appliance = optionText(options, "appliance");
  return {
    request:
      appliance === undefined
        ? sourceRequest(args, afterDashes)
        : { kind: "source", text: `appliance:${appliance}`, args },
    options: {
      cwd: process.cwd(),
      env: parseEnvironment(optionList(options, "env"), env),
      add: optionList(options, "add"),
      boot: optionList(options, "boot"),
      insecure: options.insecure === true,
      host: env,
      progress: progressFor(options),
      ...(entrypoint === undefined ? {} : { entrypoint }),
      ...(user === undefined ? {} : { user }),
      ...(workdir === undefined ? {} : { workdir }),
      ...settings,
    },
  };
}
