/**
 * Keeps directories that are added as a whole from getting out of hand, and leaves out parts.
 *
 * Neighbours: `guest-files.ts` asks for every entry; `arguments.ts` and `recipes/` set the limits.
 */
import { UserError } from "../errors.ts";
import { contentSizeBytes, type FsNode } from "../image/tree.ts";

/** What to leave out of a directory. */
export interface Skip {
  /** Tells different selections of the same directory apart. */
  readonly name: string;
  leavesOut(name: string, path: string, isDirectory: boolean): boolean;
}

/** Counts entries and bytes, and ends in an error beyond a limit. */
export class TreeLimit {
  readonly #what: string;
  readonly #maxBytes: number;
  readonly #maxEntries: number;
  readonly #fix: string;
  #bytes = 0;
  #entries = 0;

  /** `what` names what is being added, for the message; `fix` is the way out. */
  constructor(what: string, maxBytes: number, maxEntries: number, fix: string) {
    this.#what = what;
    this.#maxBytes = maxBytes;
    this.#maxEntries = maxEntries;
    this.#fix = fix;
  }

  /** Counts one node. Throws a UserError beyond the limit. */
  count(node: FsNode): void {
    this.#entries += 1;
    if (node.kind === "file") this.#bytes += contentSizeBytes(node.content);
    if (this.#bytes > this.#maxBytes) this.#fail(`more than ${this.#maxBytes / 1024 ** 3} GiB`);
    if (this.#entries > this.#maxEntries) this.#fail(`more than ${this.#maxEntries} files`);
  }

  #fail(amount: string): never {
    throw new UserError({
      code: "TooMuchToAdd",
      what: `cannot put ${this.#what} into the image`,
      why: `it holds ${amount}`,
      fix: this.#fix,
    });
  }
}
