/**
 * Where manifests lie. Apart from `manifest.ts`, so that an image that is not written again does not
 * load all that describes and signs one.
 */

/** Where the manifest of an image file stands. */
export function manifestPathOf(imagePath: string): string {
  return `${imagePath}.manifest.json`;
}
