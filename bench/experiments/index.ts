/** All experiments, in the order of the table. New rows are added here. */
import type { Experiment } from "../experiment.ts";
import { diskFirstOutput, firstOutput, guestBoot, smallestMemory } from "./boot.ts";
import { idleGuest } from "./idle.ts";
import {
  contextSwitches,
  creation,
  eventLoop,
  fileReads,
  largeFork,
  pageFaults,
  singleProcess,
  systemCalls,
} from "./micro.ts";
import {
  iperf,
  lossyPath,
  memcached,
  memcachedAppliance,
  netemPath,
  nginx,
  redis,
  singleSegments,
  udpEcho,
} from "./network.ts";
import { imageBuild, kernelSize, wholeRun } from "./sizes.ts";

/** Every experiment. */
export const experiments: readonly Experiment[] = [
  firstOutput,
  diskFirstOutput,
  guestBoot,
  smallestMemory,
  systemCalls,
  pageFaults,
  contextSwitches,
  eventLoop,
  creation,
  singleProcess,
  largeFork,
  fileReads,
  idleGuest,
  nginx,
  redis,
  memcached,
  memcachedAppliance,
  iperf,
  singleSegments,
  lossyPath,
  netemPath,
  udpEcho,
  kernelSize,
  imageBuild,
  wholeRun,
];
