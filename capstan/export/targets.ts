/** All targets, in the order of the help text. Neighbours: `target.ts` has the types. */
import { diskFormats } from "../disk/formats.ts";
import { diskTarget, type ImageTarget } from "./target.ts";

/** Every target. */
export const imageTargets: readonly ImageTarget[] = [...diskFormats.map(diskTarget)];
