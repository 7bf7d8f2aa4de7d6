/**
 * Settings that users keep: defaults for options. A value comes, in this order, from the option on
 * the command line, the environment variable, the file `config.yaml`, or capstan's own default.
 *
 *     $CAPSTAN_ROOT/config.yaml
 *         memory: 1G
 *         accel: tcg
 *
 * Neighbours: `../commands/parse.ts` fills in options, `../commands/config-*.ts` show and change
 * them, `file.ts` reads the file.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { capstanHome } from "../home.ts";
import { hypervisorNames } from "../hypervisor/hypervisor-names.ts";
import { parseChoice, parseCount, parseMemory } from "../text/option-values.ts";
import { accelerators, defaultSettings, machines, type SettingName } from "./run-defaults.ts";

/** Where a value comes from. */
export type Origin = "option" | "environment" | "file" | "default";

/** A setting. */
export interface Setting {
  readonly name: SettingName;
  readonly variable: string;
  readonly description: string;
  /** capstan's own default; undefined where there is none. */
  readonly initial: string | undefined;
  /** Refuses a value that the option would refuse. @throws UserError */
  readonly check: (text: string) => unknown;
}

/** Every setting. */
export const settings: readonly Setting[] = [
  setting("memory", "memory of machines", parseMemory),
  setting("cpus", "processors of machines", (text) => parseCount("--cpus", text, 1, 64)),
  setting("accel", "accelerator: auto, kvm, hvf or tcg", (text) => {
    return parseChoice("--accel", text, accelerators);
  }),
  setting("machine", "hardware that QEMU emulates: microvm, q35 or pc", (text) => {
    return parseChoice("--machine", text, machines);
  }),
  setting("hypervisor", "what runs machines", (text) => {
    return parseChoice("--hypervisor", text, hypervisorNames);
  }),
  setting("kernel", "kernel to boot, instead of the one that was built", (text) => text),
];

function setting(
  name: SettingName,
  description: string,
  check: (text: string) => unknown,
): Setting {
  const variable = `CAPSTAN_${name.toUpperCase()}`;
  return { name, variable, description, initial: defaultSettings[name], check };
}

/** The path of the file of settings; it need not exist. */
export function settingsPath(env: NodeJS.ProcessEnv): string {
  return join(capstanHome(env), "config.yaml");
}

/** A setting's value and where it comes from. */
export interface Found {
  readonly value: string | undefined;
  readonly origin: Origin;
}

/**
 * The value of a setting that no option gives.
 * @throws UserError when the environment variable or the file holds a value that is not understood
 */
export async function findSetting(setting: Setting, env: NodeJS.ProcessEnv): Promise<Found> {
  const chosen = env[setting.variable];
  if (chosen !== undefined && chosen !== "") {
    setting.check(chosen);
    return { value: chosen, origin: "environment" };
  }
  const path = settingsPath(env);
  // YAML is only loaded where there is some.
  if (existsSync(path)) {
    const { readSettings } = await import("./file.ts");
    const value = readSettings(path)[setting.name];
    if (value !== undefined) return { value, origin: "file" };
  }
  return { value: setting.initial, origin: "default" };
}
