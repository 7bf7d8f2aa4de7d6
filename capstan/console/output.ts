/**
 * Writes bytes to a file descriptor of capstan, keeping their order, without ever blocking the
 * event loop: a reader that does not read (`| less`) must not stop capstan from noticing Ctrl-C.
 * Node's own process.stdout blocks on pipes, therefore it is not used for the guest's output.
 */
import { write } from "node:fs";
import { systemErrorCode } from "../errors.ts";

/** A place for the guest's output. */
export interface OutputSink {
  /**
   * Writes all bytes; resolves when the system has taken them. False when nobody reads any more
   * (EPIPE) or the destination failed; later writes then do nothing.
   */
  write(bytes: Buffer): Promise<boolean>;
  /** Whether a write has not come back yet. */
  readonly isBusy: boolean;
}

/** How long to wait before the next try when a non-blocking descriptor is full. */
const retryMs = 2;

/** A file descriptor, normally 1 or 2. */
export class DescriptorSink implements OutputSink {
  readonly #fd: number;
  #pending = 0;
  #failed = false;

  constructor(fd: number) {
    this.#fd = fd;
  }

  get isBusy(): boolean {
    return this.#pending > 0;
  }

  async write(bytes: Buffer): Promise<boolean> {
    this.#pending += 1;
    try {
      for (let offset = 0; offset < bytes.length && !this.#failed; ) {
        offset += await this.#writeSome(bytes, offset);
      }
    } catch {
      this.#failed = true;
    } finally {
      this.#pending -= 1;
    }
    return !this.#failed;
  }

  #writeSome(bytes: Buffer, offset: number): Promise<number> {
    return new Promise((resolve, reject) => {
      write(this.#fd, bytes, offset, bytes.length - offset, null, (error, count) => {
        if (error === null) resolve(count);
        // Another process that shares the descriptor may have made it non-blocking.
        else if (systemErrorCode(error) === "EAGAIN") setTimeout(resolve, retryMs, 0);
        else reject(error);
      });
    });
  }
}
