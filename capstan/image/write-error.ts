/**
 * Errors of writing image files, in words for the user.
 * Neighbours: `erofs/output.ts` and `../disk/output-file.ts` write.
 */
import { systemErrorCode, UserError } from "../errors.ts";

/**
 * Does something with an image file.
 * @throws UserError `DiskFull` or `ImageUnwritable` for Node's system errors
 */
export function writingImage<Result>(path: string, action: () => Result): Result {
  try {
    return action();
  } catch (error) {
    if (systemErrorCode(error) === undefined) throw error;
    const code = systemErrorCode(error) ?? "";
    const isFull = ["ENOSPC", "EDQUOT", "EFBIG"].includes(code);
    throw new UserError({
      code: isFull ? "DiskFull" : "ImageUnwritable",
      what: `cannot write the image ${path}`,
      why: error instanceof Error ? error.message : String(error),
      fix: isFull
        ? "free some space there, or write to a larger disk (CAPSTAN_ROOT for capstan's own files)"
        : `${code === "ENOENT" ? "make the directory" : "make the directory writable for you"}, or choose another one (CAPSTAN_ROOT for capstan's own files)`,
      cause: error,
    });
  }
}
