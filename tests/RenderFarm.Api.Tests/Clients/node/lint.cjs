// node lint.cjs FILE: what Redocly's linter says of an OpenAPI document by its recommended rules.
'use strict';
const { spawnSync } = require('node:child_process');
const path = require('node:path');

const file = path.resolve(process.argv[2]);
const linter = spawnSync(process.execPath, [require.resolve('@redocly/cli/bin/cli.js'), 'lint', file, '--extends', 'recommended', '--format', 'json'], {
  // No redocly.yaml of somebody's home may change the rules.
  cwd: path.dirname(file),
  encoding: 'utf8',
  maxBuffer: 1 << 26,
  // It asks nobody for a newer version, and tells nobody that it ran.
  env: { ...process.env, REDOCLY_TELEMETRY: 'off', REDOCLY_SUPPRESS_UPDATE_NOTICE: 'true' },
});

let found;
try {
  found = JSON.parse(linter.stdout);
} catch {
  console.error(`the linter ended with ${linter.status}: ${linter.stderr}`);
  process.exit(1);
}

const problems = found.problems.map((problem) => ({
  severity: problem.severity,
  rule: problem.ruleId,
  where: problem.location[0]?.pointer ?? '',
  message: problem.message,
}));
console.log(JSON.stringify({ version: found.version, problems }));
