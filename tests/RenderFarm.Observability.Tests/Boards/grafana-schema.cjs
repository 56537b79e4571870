// node grafana-schema.cjs FILE…: boards against the types that Grafana publishes as @grafana/schema, turned into JSON schemas.
'use strict';
const fs = require('node:fs');
const path = require('node:path');
const Ajv = require('ajv');
const { createGenerator } = require('ts-json-schema-generator');

const raw = path.join(path.dirname(require.resolve('@grafana/schema/package.json')), 'dist', 'esm', 'raw');
const ajv = new Ajv({ allErrors: true, allowUnionTypes: true, strict: false });

// A validator for one exported type of one file of types; null where the file has no such type.
function validator(file, type) {
  if (!fs.readFileSync(file, 'utf8').includes(`export interface ${type} `)) return null;
  const schema = createGenerator({ path: file, type, additionalProperties: false, skipTypeCheck: true }).createSchema(type);
  return ajv.compile(schema);
}

const board = validator(path.join(raw, 'dashboard', 'x', 'dashboard_types.gen.d.ts'), 'Dashboard');
const kinds = new Map();

function kindOf(type) {
  if (!kinds.has(type)) {
    const folder = path.join(raw, 'composable', type, 'panelcfg', 'x');
    if (!fs.existsSync(folder)) throw new Error(`Grafana has no panel '${type}'`);
    const file = path.join(folder, fs.readdirSync(folder).find((name) => name.endsWith('.d.ts')));
    kinds.set(type, { Options: validator(file, 'Options'), FieldConfig: validator(file, 'FieldConfig') });
  }
  return kinds.get(type);
}

const problems = [];

function check(validate, value, where) {
  if (!validate(value)) for (const error of validate.errors) problems.push(`${where}${error.instancePath}: ${error.message} ${JSON.stringify(error.params)}`);
}

for (const file of process.argv.slice(2)) {
  const name = path.basename(file);
  const document = JSON.parse(fs.readFileSync(file, 'utf8'));
  check(board, document, name);
  for (const panel of document.panels) {
    if (panel.type === 'row') continue;
    const { Options, FieldConfig } = kindOf(panel.type);
    const where = `${name} "${panel.title}"`;
    check(Options, panel.options, `${where} options`);
    if (panel.fieldConfig?.defaults.custom !== undefined) {
      if (FieldConfig === null) problems.push(`${where}: panels of this kind have no custom fields`);
      else check(FieldConfig, panel.fieldConfig.defaults.custom, `${where} custom`);
    }
  }
  console.log(`${name}: ${document.panels.length} panels`);
}

if (problems.length > 0) {
  console.error(problems.join('\n'));
  process.exitCode = 1;
}
