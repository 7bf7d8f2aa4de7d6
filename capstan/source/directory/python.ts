/** Python projects: a virtual environment if there is one, and a script with a usual name. */
import { cannotStart, type ProjectKind } from "./project.ts";

const SIGNS = ["requirements.txt", "pyproject.toml", "setup.py", "Pipfile"];
const SCRIPTS = ["main.py", "app.py", "server.py", "__main__.py", "run.py", "index.py"];
const ENVIRONMENTS = [".venv", "venv", "env"];

export const pythonProject: ProjectKind = {
  name: "Python",
  signs: "requirements.txt, main.py",
  async recognise(directory) {
    const sources = directory.matching(/\.py$/);
    const script = directory.firstOf(SCRIPTS) ?? (sources.length === 1 ? sources[0] : undefined);
    if (script === undefined) {
      if (directory.firstOf(SIGNS) === undefined) return undefined;
      throw cannotStart(
        directory,
        `it is a Python project without one of ${SCRIPTS.join(", ")}`,
        "name the script: capstan runtime init python, or capstan run -- python3 FILE",
      );
    }
    const own = ENVIRONMENTS.map((name) => `${name}/bin/python`);
    const interpreter = directory.firstOf(own);
    return { program: interpreter === undefined ? "python3" : `./${interpreter}`, args: [script] };
  },
};
