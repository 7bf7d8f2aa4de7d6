/**
 * The file of settings, `config.yaml`: read with errors that name line and column, and changed so
 * that the user's comments stay. Neighbours: `settings.ts`.
 */
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { isMap, parseDocument } from "yaml";
import * as z from "zod";
import { UserError } from "../errors.ts";
import { readYamlFile } from "../text/yaml-file.ts";
import type { SettingName } from "./run-defaults.ts";
import { type Setting, settings } from "./settings.ts";

const text = z.union([z.string(), z.number()]).transform(String).optional();

const schema = z.strictObject({
  memory: text,
  cpus: text,
  accel: text,
  machine: text,
  hypervisor: text,
  kernel: text,
} satisfies Record<SettingName, typeof text>);

/** What the file sets. @throws UserError with line and column */
export function readSettings(path: string): Partial<Record<SettingName, string | undefined>> {
  const { value, errorAt } = readYamlFile(path, "a file of settings", schema);
  for (const { name, check } of settings) {
    const given = value[name];
    if (given === undefined) continue;
    try {
      check(given);
    } catch (error) {
      if (error instanceof UserError) throw errorAt([name], `${error.what}: ${error.why}`);
      throw error;
    }
  }
  return value;
}

/**
 * Changes one setting in the file, which is made if need be and replaced as a whole.
 * @param value undefined to remove the setting
 * @throws UserError when the value is not understood
 */
export function writeSetting(path: string, setting: Setting, value: string | undefined): void {
  if (value !== undefined) setting.check(value);
  if (existsSync(path)) readSettings(path);
  const document = parseDocument(existsSync(path) ? readFileSync(path, "utf8") : "");
  if (value === undefined) {
    if (isMap(document.contents)) document.delete(setting.name);
  } else {
    document.set(setting.name, value);
  }
  mkdirSync(dirname(path), { recursive: true });
  const temporary = `${path}.${process.pid}.tmp`;
  writeFileSync(temporary, String(document));
  renameSync(temporary, path);
}
