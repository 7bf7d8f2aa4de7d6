/**
 * The environment variables of a program in a guest: few and fixed, so that a run does not depend
 * on the shell it was started from. The user adds to them with `--env`, a recipe with what its
 * runtime needs.
 */

const defaults: Readonly<Record<string, string>> = {
  PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
  HOME: "/root",
};

/**
 * The guest's environment.
 * @param chosen what the user gave with --env
 * @param terminalType the host's TERM when the program has a terminal, else undefined
 */
export function guestEnvironment(
  chosen: Readonly<Record<string, string>>,
  terminalType: string | undefined,
): Record<string, string> {
  return {
    ...defaults,
    ...(terminalType === undefined ? {} : { TERM: terminalType }),
    ...chosen,
  };
}
