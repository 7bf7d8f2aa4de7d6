/** All targets, in the order of the help text. Neighbours: `target.ts` has the types. */
import { diskFormats } from "../disk/formats.ts";
import { cloudHypervisorTarget, firecrackerTarget } from "./direct-boot.ts";
import { gceTarget } from "./gce.ts";
import { kubevirtTarget, uruncTarget } from "./oci.ts";
import { ovaEsxiTarget, ovaTarget } from "./ova.ts";
import { diskTarget, type ImageTarget } from "./target.ts";
import { vmwareTarget } from "./vmware.ts";

/** Every target. */
export const imageTargets: readonly ImageTarget[] = [
  ...diskFormats.map(diskTarget),
  ovaTarget,
  ovaEsxiTarget,
  vmwareTarget,
  gceTarget,
  kubevirtTarget,
  uruncTarget,
  firecrackerTarget,
  cloudHypervisorTarget,
];
