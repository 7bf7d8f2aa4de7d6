/** Reads what is needed of a package.json. Used by `node.ts`. */
import * as z from "zod";
import { cannotStart, type ProjectDirectory } from "./project.ts";

const manifestSchema = z.object({
  main: z.string().optional(),
  scripts: z.record(z.string(), z.string()).optional(),
  dependencies: z.record(z.string(), z.string()).optional(),
});

/** The file of a project. @throws UserError when it is not what npm accepts */
export function readPackageJson(directory: ProjectDirectory): z.infer<typeof manifestSchema> {
  try {
    return manifestSchema.parse(JSON.parse(directory.read("package.json")));
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw cannotStart(directory, `package.json: ${why}`, "repair package.json");
  }
}
