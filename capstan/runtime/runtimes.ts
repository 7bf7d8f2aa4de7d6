/**
 * The runtimes as data: what a program of each is called, how it is configured, and a sample.
 *
 * Interpreted ones get `meta/run.yaml`, the form of Capstan's packages; those that must be built
 * get a `Capstanfile`, which says how. Neighbours: `init.ts` writes the files, `samples.ts`;
 * `../source/` reads them.
 */
import { stringify } from "yaml";
import {
  erlangSample,
  goSample,
  javaSample,
  nativeSample,
  nodeSample,
  phpSample,
  pythonSample,
  rubySample,
} from "./samples.ts";

/** A file of a project, with its path in the project. */
export interface ProjectFile {
  readonly path: string;
  readonly text: string;
}

/** A runtime. */
export interface Runtime {
  readonly name: string;
  readonly description: string;
  /** Program of the host that it needs, to run or to build. */
  readonly program: string;
  /** Ends of names of its sources. */
  readonly endings: readonly string[];
  /** Usual names of the file that is started, the first one that of the sample. */
  readonly mains: readonly string[];
  readonly sample: string;
  /** The file that makes `capstan run .` work. @param main path in the project */
  readonly configuration: (main: string) => ProjectFile;
}

/** `meta/run.yaml` with one set of settings. */
function runYaml(runtime: string, settings: object): ProjectFile {
  const text = stringify({ runtime, config_set: { default: settings } });
  return { path: "meta/run.yaml", text };
}

function capstanfile(fields: object): ProjectFile {
  return { path: "Capstanfile", text: stringify(fields) };
}

const withMain =
  (runtime: string) =>
  (main: string): ProjectFile =>
    runYaml(runtime, { main: `/${main}` });

/** All runtimes. */
export const runtimes: readonly Runtime[] = [
  {
    name: "native",
    description: "programs compiled for Linux on x86-64",
    program: "cc",
    endings: [".c"],
    mains: ["server.c", "main.c"],
    sample: nativeSample,
    configuration: (main) => {
      const program = main.replace(/\.c$/, "");
      const build = main.endsWith(".c") ? { build: `cc -O2 -o ${program} ${main}` } : {};
      return capstanfile({
        ...build,
        cmdline: `/${program}`,
        files: { [`/${program}`]: program },
      });
    },
  },
  {
    name: "node",
    description: "JavaScript on Node.js",
    program: "node",
    endings: [".js", ".mjs", ".cjs"],
    mains: ["server.js", "index.js", "app.js", "main.js", "index.mjs", "server.mjs"],
    sample: nodeSample,
    configuration: withMain("node"),
  },
  {
    name: "java",
    description: "Java: a jar, or sources that javac compiles",
    program: "java",
    endings: [".java", ".jar"],
    mains: ["Main.java"],
    sample: javaSample,
    configuration: (main) => {
      if (main.endsWith(".jar")) return runYaml("java", { main: `/${main}` });
      const name = main.replace(/\.java$/, "");
      return capstanfile({
        build: `javac -d classes ${main}`,
        cmdline: `java -cp /app ${name}`,
        files: { "/app": "classes" },
      });
    },
  },
  {
    name: "python",
    description: "Python 3",
    program: "python3",
    endings: [".py"],
    mains: ["server.py", "main.py", "app.py", "__main__.py"],
    sample: pythonSample,
    configuration: withMain("python"),
  },
  {
    name: "ruby",
    description: "Ruby",
    program: "ruby",
    endings: [".rb"],
    mains: ["server.rb", "main.rb", "app.rb"],
    sample: rubySample,
    configuration: withMain("ruby"),
  },
  {
    name: "erlang",
    description: "Erlang scripts, by escript",
    program: "escript",
    endings: [".escript"],
    mains: ["main.escript", "server.escript"],
    sample: erlangSample,
    configuration: withMain("erlang"),
  },
  {
    name: "go",
    description: "Go programs, built by go build",
    program: "go",
    endings: [".go"],
    mains: ["main.go", "server.go"],
    sample: goSample,
    configuration: (main) =>
      capstanfile({
        build: `CGO_ENABLED=0 go build -o server ${main}`,
        cmdline: "/server",
        files: { "/server": "server" },
      }),
  },
  {
    name: "php",
    description: "PHP with its own web server",
    program: "php",
    endings: [".php"],
    mains: ["index.php", "server.php", "main.php"],
    sample: phpSample,
    configuration: (main) => runYaml("php", { bootcmd: `php -S 0.0.0.0:8080 /${main}` }),
  },
];
