// Lets the engine of Mozilla's HTTP Observatory judge pages of one host, and prints what it found as
// JSON. It reads from stdin: {host, port, pages: [{name, path, cookie}]}; OBSERVATORY names the
// folder of the package @mdn/mdn-http-observatory. Unlike its own scan, which takes only pages that
// answer well, this judges error pages too.
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const engine = (path) => import(pathToFileURL(`${process.env.OBSERVATORY}/src/${path}`));
const { retrieve } = await engine("retriever/retriever.js");
const { ALL_TESTS } = await engine("constants.js");
const { getGradeForScore, getScoreModifier } = await engine("grader/grader.js");
const { MINIMUM_SCORE_FOR_EXTRA_CREDIT } = await engine("grader/charts.js");

const { host, port, pages } = JSON.parse(readFileSync(0, "utf-8"));
const judged = [];
for (const { name, path, cookie } of pages) {
  const headers = ["Accept: text/html,application/xhtml+xml,*/*;q=0.8"];
  if (cookie) headers.push(`Cookie: ${cookie}`);
  const found = await retrieve(host, { path, headers, httpPort: port, httpsPort: port });
  if (!found.responses.auto) {
    judged.push({ name, path, status: 0, score: 0, grade: "F", tests: {} });
    continue;
  }
  const tests = {};
  let [all, faults] = [100, 100];
  for (const test of ALL_TESTS) {
    const { constructor, result } = test(found);
    const change = result ? getScoreModifier(result) : 0;
    tests[constructor.name] = { result, change };
    all += change;
    faults += Math.min(change, 0);
  }
  const { score, grade } = getGradeForScore(faults >= MINIMUM_SCORE_FOR_EXTRA_CREDIT ? all : faults);
  judged.push({ name, path, status: found.responses.auto.status, score, grade, tests });
}
console.log(JSON.stringify(judged));
