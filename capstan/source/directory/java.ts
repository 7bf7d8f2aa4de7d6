/** Java projects: a jar that Maven or Gradle has built, a compiled class, a lone source file. */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { cannotStart, type ProjectDirectory, type ProjectKind } from "./project.ts";

/** Where builds leave jars. */
const OUTPUTS = ["target", "build/libs", "."];
const BUILDS = ["pom.xml", "build.gradle", "build.gradle.kts"];

/** Jars that are by-products: sources, documentation, what the shade plugin keeps. */
const BY_PRODUCT = /-(sources|javadoc|tests|plain)\.jar$|^original-/;

function jarsIn(directory: ProjectDirectory, folder: string): string[] {
  let names: string[];
  try {
    names = readdirSync(join(directory.path, folder));
  } catch {
    return [];
  }
  const jars = names.filter((name) => name.endsWith(".jar") && !BY_PRODUCT.test(name)).sort();
  // An assembly with all dependencies is what runs by itself.
  const whole = jars.filter((name) => /-(all|fat|jar-with-dependencies|runner)\.jar$/.test(name));
  return (whole.length > 0 ? whole : jars).map((name) => join(folder, name));
}

export const javaProject: ProjectKind = {
  name: "Java",
  signs: "pom.xml with target/*.jar, a jar, Main.java",
  async recognise(directory) {
    for (const folder of OUTPUTS) {
      const [jar, ...others] = jarsIn(directory, folder);
      if (jar === undefined) continue;
      if (others.length === 0) return { program: "java", args: ["-jar", jar] };
      throw cannotStart(
        directory,
        `${folder} has several jars: ${[jar, ...others].join(", ")}`,
        "name the one to run: capstan run -- java -jar FILE",
      );
    }
    const build = directory.firstOf(BUILDS);
    if (build !== undefined) {
      const command = build === "pom.xml" ? "mvn package" : "gradle build";
      throw cannotStart(directory, `${build} has built no jar yet`, `run: ${command}`);
    }
    const compiled = directory.firstOf(["Main.class", "App.class"]);
    if (compiled !== undefined) {
      return { program: "java", args: ["-cp", ".", compiled.replace(/\.class$/, "")] };
    }
    const sources = directory.matching(/\.java$/);
    const source = directory.firstOf(["Main.java"]) ?? (sources.length === 1 ? sources[0] : "");
    return source === undefined || source === "" ? undefined : { program: "java", args: [source] };
  },
};
