// fhirpath.js with compiled expressions: the same jobs and answers as bench_peers.cc.
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import fhirpath from 'fhirpath';
import model from 'fhirpath/fhir-context/r4/index.js';

function processorUs() {
  const { user, system } = process.cpuUsage();
  return user + system;
}

function run(job) {
  const resource = JSON.parse(readFileSync(job.input, 'utf8'));
  const evaluate = fhirpath.compile(job.expression, model);
  let values;
  for (let i = 0; i < job.warm_up; i++) evaluate(resource);
  const begin = processorUs();
  for (let i = 0; i < job.repeat; i++) values = evaluate(resource);
  return { microseconds: (processorUs() - begin) / job.repeat, output: values.map(String).join(',') };
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
