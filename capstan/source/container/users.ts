/**
 * Whom an image wants its program to run as: `USER`, `USER:GROUP`, names or numbers, looked up in
 * the image's own /etc/passwd and /etc/group (passwd(5), group(5)); OCI config.md, "User".
 */
import { UserError } from "../../errors.ts";
import type { LaunchUser } from "../source.ts";

/** A user with what /etc/passwd says. */
export interface ImageUser extends LaunchUser {
  readonly home: string;
}

interface Account {
  readonly name: string;
  readonly fields: readonly string[];
}

function accounts(text: string | undefined): Account[] {
  return (text ?? "").split("\n").map((line) => {
    const fields = line.split(":");
    return { name: fields[0] ?? "", fields };
  });
}

function isNumber(text: string): boolean {
  return /^\d+$/.test(text) && Number(text) <= 0xffff_fffe;
}

/**
 * Understands a user.
 * @param passwd text of the image's /etc/passwd, if it has one
 * @param group text of the image's /etc/group
 * @throws UserError `UserNotFound`
 */
export function imageUser(
  text: string,
  passwd: string | undefined,
  group: string | undefined,
): ImageUser {
  const [userText = "", groupText] = text.split(":");
  const wanted = userText === "" ? "0" : userText;
  const known = accounts(passwd).find(
    ({ name, fields }) => name === wanted || (isNumber(wanted) && fields[2] === wanted),
  );
  if (known === undefined && !isNumber(wanted)) throw notFound("user", wanted, "/etc/passwd");
  const uid = Number(known?.fields[2] ?? wanted);
  let gid = Number(known?.fields[3] ?? 0);
  if (groupText !== undefined && groupText !== "") {
    const found = accounts(group).find(({ name }) => name === groupText);
    if (found === undefined && !isNumber(groupText)) {
      throw notFound("group", groupText, "/etc/group");
    }
    gid = Number(found?.fields[2] ?? groupText);
  }
  const home = known?.fields[5] ?? "";
  return { uid, gid, home: home === "" ? (uid === 0 ? "/root" : "/") : home };
}

function notFound(what: string, name: string, file: string): UserError {
  return new UserError({
    code: "UserNotFound",
    what: `cannot run as the ${what} ${name}`,
    why: `the image's ${file} has no ${what} of this name`,
    fix: "give a number, or a name that the image has: --user 1000:1000",
  });
}
