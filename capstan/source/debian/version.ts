/**
 * The order of Debian's version numbers, deb-version(7): `[epoch:]upstream[-revision]`. Neighbours:
 * `dependencies.ts` compares.
 */

/** Letters sort before everything else, a tilde even before the end. */
function weight(character: string): number {
  if (character === "~") return -1;
  if (character === "" || /\d/.test(character)) return 0;
  return /[a-z]/i.test(character) ? character.charCodeAt(0) : character.charCodeAt(0) + 256;
}

/** Compares upstream versions or revisions: non-digits and numbers in turn. */
function compareParts(left: string, right: string): number {
  let a = left;
  let b = right;
  while (a !== "" || b !== "") {
    while ((a !== "" && !/^\d/.test(a)) || (b !== "" && !/^\d/.test(b))) {
      const difference = weight(a.charAt(0)) - weight(b.charAt(0));
      if (difference !== 0) return difference;
      a = a.slice(1);
      b = b.slice(1);
    }
    const numberA = /^\d*/.exec(a)?.[0] ?? "";
    const numberB = /^\d*/.exec(b)?.[0] ?? "";
    const difference = BigInt(numberA === "" ? 0 : numberA) - BigInt(numberB === "" ? 0 : numberB);
    if (difference !== 0n) return difference < 0n ? -1 : 1;
    a = a.slice(numberA.length);
    b = b.slice(numberB.length);
  }
  return 0;
}

function split(version: string): [epoch: number, upstream: string, revision: string] {
  const colon = version.indexOf(":");
  const rest = version.slice(colon + 1);
  const dash = rest.lastIndexOf("-");
  const epoch = colon === -1 ? 0 : Number(version.slice(0, colon));
  return dash === -1 ? [epoch, rest, ""] : [epoch, rest.slice(0, dash), rest.slice(dash + 1)];
}

/** Negative if `a` is earlier than `b`, positive if it is later, 0 if they are equal. */
export function compareVersions(a: string, b: string): number {
  const [epochA, upstreamA, revisionA] = split(a);
  const [epochB, upstreamB, revisionB] = split(b);
  return (
    epochA - epochB || compareParts(upstreamA, upstreamB) || compareParts(revisionA, revisionB)
  );
}

/** Whether a version stands in a relation to another, as in `libc6 (>= 2.34)`. */
export function satisfies(version: string, relation: string, wanted: string): boolean {
  const order = compareVersions(version, wanted);
  switch (relation) {
    case "<<":
      return order < 0;
    case "<=":
      return order <= 0;
    case "=":
      return order === 0;
    case ">=":
      return order >= 0;
    case ">>":
      return order > 0;
    default:
      return false;
  }
}
