/**
 * User and group identities of a process. The guest has no users to separate: a program starts as
 * root and the calls only remember what they were told, so that programs which drop privileges see
 * what they expect (credentials(7)).
 */
export class Credentials {
  realUser: u32 = 0;
  effectiveUser: u32 = 0;
  savedUser: u32 = 0;
  fileUser: u32 = 0;
  realGroup: u32 = 0;
  effectiveGroup: u32 = 0;
  savedGroup: u32 = 0;
  fileGroup: u32 = 0;
}
