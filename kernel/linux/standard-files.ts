/**
 * Opens descriptors 0, 1 and 2 of the first process, as the command line's `console=` says: three
 * byte streams of the host (`ports`), or one terminal for all (`serial`, `hvc`).
 *
 * Neighbours: `dev/console/ports`, `dev/console/tty`, `init.ts`.
 */
import { findOption } from "../arch/bootinfo";
import { CharacterDevice } from "../dev/character";
import { findPort } from "../dev/console/ports";
import { consoleTty } from "../dev/console/tty";
import { openCharacterDevice } from "../fs/character-file";
import { O_RDONLY, O_RDWR, O_WRONLY } from "../fs/constants";
import { File } from "../fs/file";
import { isError } from "../lib/errno";
import { log } from "../lib/log";
import { LinuxProcess } from "./process";

const FD_LIMIT: u32 = 3;

/** Opens what there is; a stream the host does not offer leaves its descriptor closed. */
export function openStandardFiles(process: LinuxProcess): void {
  if (usesPorts()) {
    openAs(process, 0, findPort("stdin"), O_RDONLY);
    openAs(process, 1, findPort("stdout"), O_WRONLY);
    openAs(process, 2, findPort("stderr"), O_WRONLY);
    return;
  }
  const terminal = consoleTty();
  process.terminal = terminal;
  for (let fd = 0; fd < 3; fd++) openAs(process, fd, terminal, O_RDWR);
}

function usesPorts(): bool {
  const option = findOption("console");
  return option ? option.is("ports") : false;
}

function openAs(process: LinuxProcess, fd: i32, device: CharacterDevice | null, flags: u32): void {
  const file = device ? openCharacterDevice(device, null, flags) : 0;
  if (file == 0 || isError(file)) {
    log("init: a standard stream is missing; its descriptor stays closed");
    return;
  }
  const previous = process.files.replace(fd, changetype<File>(file), FD_LIMIT, 0);
  assert(previous == 0, "a fresh table has no files");
}
