/**
 * All commands, by name. A definition is imported when its command is called, so that `capstan run`
 * does not pay for the others. Neighbours: `command.ts` (the types), `parse.ts` (the user).
 */
import type { CommandEntry } from "./command.ts";

/** Every command, in the order of the help text. */
export const commands: readonly CommandEntry[] = [
  { name: "run", load: async () => (await import("./run.ts")).runCommand },
  { name: "build", load: async () => (await import("./build.ts")).buildCommand },
  {
    name: "instances",
    aliases: ["ps"],
    load: async () => (await import("./instances.ts")).instancesCommand,
  },
  { name: "start", load: async () => (await import("./start.ts")).startCommand },
  { name: "stop", load: async () => (await import("./stop.ts")).stopCommand },
  {
    name: "delete",
    aliases: ["rm"],
    load: async () => (await import("./delete.ts")).deleteCommand,
  },
  { name: "logs", load: async () => (await import("./logs.ts")).logsCommand },
  { name: "attach", load: async () => (await import("./attach.ts")).attachCommand },
  { name: "inspect", load: async () => (await import("./inspect.ts")).inspectCommand },
  {
    name: "compose up",
    load: async () => (await import("./compose-up.ts")).composeUpCommand,
  },
  {
    name: "compose down",
    load: async () => (await import("./compose-down.ts")).composeDownCommand,
  },
  {
    name: "compose ps",
    load: async () => (await import("./compose-ps.ts")).composePsCommand,
  },
  {
    name: "compose logs",
    load: async () => (await import("./compose-logs.ts")).composeLogsCommand,
  },
  {
    name: "images",
    aliases: ["i"],
    load: async () => (await import("./images.ts")).imagesCommand,
  },
  { name: "rmi", load: async () => (await import("./rmi.ts")).rmiCommand },
  { name: "import", load: async () => (await import("./import.ts")).importCommand },
  { name: "pull", load: async () => (await import("./pull.ts")).pullCommand },
  { name: "push", load: async () => (await import("./push.ts")).pushCommand },
  { name: "login", load: async () => (await import("./login.ts")).loginCommand },
  { name: "logout", load: async () => (await import("./logout.ts")).logoutCommand },
  {
    name: "package init",
    load: async () => (await import("./package-init.ts")).packageInitCommand,
  },
  {
    name: "package build",
    load: async () => (await import("./package-build.ts")).packageBuildCommand,
  },
  {
    name: "package collect",
    load: async () => (await import("./package-collect.ts")).packageCollectCommand,
  },
  {
    name: "package compose",
    load: async () => (await import("./package-compose.ts")).packageComposeCommand,
  },
  {
    name: "package list",
    load: async () => (await import("./package-list.ts")).packageListCommand,
  },
  {
    name: "package search",
    load: async () => (await import("./package-search.ts")).packageSearchCommand,
  },
  {
    name: "package describe",
    load: async () => (await import("./package-describe.ts")).packageDescribeCommand,
  },
  {
    name: "package pull",
    load: async () => (await import("./package-pull.ts")).packagePullCommand,
  },
  {
    name: "package import",
    load: async () => (await import("./package-import.ts")).packageImportCommand,
  },
  {
    name: "package update",
    load: async () => (await import("./package-update.ts")).packageUpdateCommand,
  },
  { name: "check", load: async () => (await import("./check.ts")).checkCommand },
  {
    name: "image build",
    load: async () => (await import("./image-build.ts")).imageBuildCommand,
  },
  {
    name: "image convert",
    load: async () => (await import("./image-convert.ts")).imageConvertCommand,
  },
  {
    name: "image inspect",
    aliases: ["info"],
    load: async () => (await import("./image-inspect.ts")).imageInspectCommand,
  },
  {
    name: "image ls",
    load: async () => (await import("./image-ls.ts")).imageLsCommand,
  },
  {
    name: "image cat",
    load: async () => (await import("./image-cat.ts")).imageCatCommand,
  },
  {
    name: "image cp",
    load: async () => (await import("./image-cp.ts")).imageCpCommand,
  },
  {
    name: "image set",
    load: async () => (await import("./image-set.ts")).imageSetCommand,
  },
  {
    name: "image verify",
    load: async () => (await import("./image-verify.ts")).imageVerifyCommand,
  },
  {
    name: "runtime list",
    load: async () => (await import("./runtime-list.ts")).runtimeListCommand,
  },
  {
    name: "runtime preview",
    load: async () => (await import("./runtime-preview.ts")).runtimePreviewCommand,
  },
  {
    name: "runtime init",
    load: async () => (await import("./runtime-init.ts")).runtimeInitCommand,
  },
  {
    name: "config print",
    aliases: ["config"],
    load: async () => (await import("./config-print.ts")).configPrintCommand,
  },
  {
    name: "config get",
    load: async () => (await import("./config-get.ts")).configGetCommand,
  },
  {
    name: "config set",
    load: async () => (await import("./config-set.ts")).configSetCommand,
  },
  { name: "version", load: async () => (await import("./version.ts")).versionCommand },
  { name: "completion", load: async () => (await import("./completion.ts")).completionCommand },
  {
    name: "__supervise",
    isHidden: true,
    load: async () => (await import("./supervise.ts")).superviseCommand,
  },
  {
    name: "__network",
    isHidden: true,
    load: async () => (await import("./network.ts")).networkCommand,
  },
  {
    name: "__complete",
    isHidden: true,
    load: async () => (await import("./complete.ts")).completeCommand,
  },
];
