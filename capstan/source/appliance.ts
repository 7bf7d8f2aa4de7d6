/**
 * Programs that are linked with the kernel as sources: `appliance:memcached`, or `--appliance
 * memcached`. There are no files; the words are the appliance's own options.
 * Neighbours: `kernel/appliances/start.ts` starts what is named here.
 */
import { UserError } from "../errors.ts";
import { FsTree } from "../image/tree.ts";
import { launchDefaults, type SourceKind } from "./source.ts";

/** Names that the kernel knows, and the ports they listen on unless they are told otherwise. */
export const appliances: Readonly<Record<string, readonly number[]>> = { memcached: [11211] };

export const applianceKind: SourceKind = {
  name: "appliance",
  scheme: "appliance",
  recognises: () => false,
  resolve: async (name, args) => {
    const ports = Object.hasOwn(appliances, name) ? appliances[name] : undefined;
    if (ports === undefined) {
      throw new UserError({
        code: "SourceNotFound",
        what: `there is no appliance ${name === "" ? "without a name" : `"${name}"`}`,
        why: `the kernel is linked with ${Object.keys(appliances).join(", ")}`,
        fix: "check the name, or run the program of this name without --appliance",
        exitStatus: 127,
      });
    }
    return {
      tree: new FsTree(),
      launch: {
        ...launchDefaults,
        isAppliance: true,
        executable: name,
        argv0: name,
        args,
        cwd: "/",
        env: {},
        ports: ports.map((port) => ({ port, protocol: "tcp" as const })),
      },
      origin: { kind: "appliance", name: `appliance:${name}` },
      warnings: [],
    };
  },
};
