/**
 * An open character device: joins `dev/character` to the `File` interface.
 */
import { CharacterDevice } from "../dev/character";

/** Opens a device directly, without a name (console ports). @returns a File with a reference */
export function openCharacterDevice(_device: CharacterDevice, _flags: u32): usize {
  abort("unwritten");
  return 0;
}
