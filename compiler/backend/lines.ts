/**
 * Puts lines of C together with `#line` directives, so that debuggers show the TypeScript source.
 * What comes from one source line stays on one C line; a directive is written only where the
 * source position does not simply advance.
 *
 * Neighbour: `emit.ts`.
 */
import type { Line } from "./expression.ts";

/** Assembles one C file. */
export class SourceText {
  readonly #withLines: boolean;
  readonly #parts: string[] = [];
  #file = "";
  #line = 0;
  #current = "";

  /** @param withLines whether to write `#line` directives */
  constructor(withLines: boolean) {
    this.#withLines = withLines;
  }

  /** Adds text that belongs to no source line. */
  plain(text: string): void {
    this.#flush();
    this.#parts.push(text, "\n");
    this.#file = "";
  }

  /** Adds a statement. */
  add({ text, location }: Line): void {
    if (!this.#withLines) {
      this.#parts.push(text, "\n");
      return;
    }
    if (location && (location.file !== this.#file || location.line !== this.#line)) {
      this.#flush();
      // Lines far ahead cost a directive, near ones only empty lines.
      const gap = location.file === this.#file ? location.line - this.#line : -1;
      if (gap >= 0 && gap < 8) this.#parts.push("\n".repeat(gap));
      else this.#parts.push(`#line ${location.line} ${JSON.stringify(location.file)}\n`);
      this.#file = location.file;
      this.#line = location.line;
    }
    this.#current += (this.#current ? " " : "") + text;
  }

  #flush(): void {
    if (!this.#current) return;
    this.#parts.push(this.#current, "\n");
    this.#current = "";
    this.#line++;
  }

  /** The whole text. */
  toString(): string {
    this.#flush();
    return this.#parts.join("");
  }
}
