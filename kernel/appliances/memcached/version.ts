/** What `version` answers: clients only look at the number's form. */
export const VERSION: string = "1.6.0-osv.ts";
