// Khronos' glTF validator over files: one line of JSON with file, errors, warnings, infos and messages for each.
//     node validate_gltf.mjs FOLDER_WITH_NODE_MODULES FILE...
import fs from "node:fs";
import path from "node:path";
import { createRequire } from "node:module";

const [home, ...files] = process.argv.slice(2);
const validator = createRequire(path.join(path.resolve(home), "x.js"))("gltf-validator");
for (const file of files) {
  const { issues, info } = await validator.validateBytes(new Uint8Array(fs.readFileSync(file)), { maxIssues: 100 });
  const { numErrors: errors, numWarnings: warnings, numInfos: infos, messages } = issues;
  console.log(JSON.stringify({ file, errors, warnings, infos, messages, vertices: info?.totalVertexCount }));
}
