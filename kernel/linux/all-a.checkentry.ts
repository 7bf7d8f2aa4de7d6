export * from "./dispatch";
export * from "./init";
export * from "./signal-deliver";
