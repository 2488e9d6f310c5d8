import { existsSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { expect, test } from "vitest";
import { documents, projectDir, textOf } from "./blocks.ts";

/** The anchors of a document's headings, as its host makes them. */
function anchorsOf(text: string): Set<string> {
  const headings = [...text.replace(/^\s*```[\s\S]*?^\s*```/gm, "").matchAll(/^#{1,6} +(.+)$/gm)];
  return new Set(
    headings.map(([, heading = ""]) =>
      heading
        .toLowerCase()
        .replace(/[^\p{L}\p{N} _-]/gu, "")
        .replaceAll(" ", "-"),
    ),
  );
}

const links = documents.flatMap((file) =>
  [...textOf(file).matchAll(/\]\((?!https?:)([^)\s]+)\)/g)].map(([, target = ""]) => ({ file, target })),
);

test("to a file that there is, and to a heading in it", () => {
  expect(links.length).toBeGreaterThan(15);
  const broken = links.filter(({ file, target }) => {
    const [path = "", anchor] = target.split("#");
    const to = path === "" ? file : relative(projectDir, join(projectDir, dirname(file), path));
    if (!existsSync(join(projectDir, to))) return true;
    return anchor !== undefined && to.endsWith(".md") && !anchorsOf(textOf(to)).has(anchor);
  });
  expect(broken).toEqual([]);
});

test("every document is reached from the README", () => {
  const named = links.filter(({ file }) => file === "README.md").map(({ target }) => target);
  expect(documents.filter((file) => file !== "README.md" && !named.includes(file))).toEqual([]);
});
