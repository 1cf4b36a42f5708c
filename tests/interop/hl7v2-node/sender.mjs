// Builds messages with node-hl7-client, sends them over one connection, and prints of each answer, as that library
// reads it: MSH-9.1 MSA-1 MSA-2 ERR-2 ERR-5.1.
//
// Arguments: host, port. The library waits for ever for an answer and tries for ever to connect: the timer here ends it.
import { once } from "node:events";

import { Client, Message } from "node-hl7-client";
import { HL7_2_5 } from "node-hl7-client/hl7";

const PATIENCE_MS = 20_000;
const timer = setTimeout(() => {
  console.error("no answer");
  process.exit(1);
}, PATIENCE_MS);

function message(type, event, structure, controlId) {
  const built = new Message({
    specification: new HL7_2_5(),
    messageHeader: {
      msh_9_1: type, msh_9_2: event, msh_9_3: structure, msh_10: controlId, msh_11_1: "P",
    },
  });
  built.set("MSH.3", "NODE");
  built.set("MSH.4", "pain-clinic");
  built.set("MSH.5", "ADAPTER");
  built.set("MSH.7", "20140506211000+0900");
  built.set("MSH.18", "UNICODE UTF-8");
  return built;
}

function segment(built, name, values) {
  const added = built.addSegment(name);
  for (const [path, value] of Object.entries(values)) added.set(path, value);
}

function administration(controlId, amount) {
  const built = message("RAS", "O17", "RAS_O17", controlId);
  segment(built, "PID", { 1: "1", "3.1": "100003", "5.1": "Müller|Doe" });
  segment(built, "PR1", { 1: "1", "3.1": "intrathecal-injection", 5: "20140506100000", "19.1": `R-${controlId}` });
  segment(built, "ORC", { 1: "RE" });
  segment(built, "RXA", { 1: "0", 2: "1", 3: "20140506100000", "5.1": "midazolam", 6: amount, "7.1": "mg", 20: "CP" });
  segment(built, "RXR", { "1.1": "IT" });
  return built;
}

function score(controlId, about) {
  const built = message("ORU", "R01", "ORU_R01", controlId);
  segment(built, "PID", { 1: "1", "3.1": "100003" });
  segment(built, "OBR", { 1: "1", "2.1": "REQ-1", "3.1": about, "4.1": "PAIN" });
  segment(built, "OBX", { 1: "1", 2: "NM", "3.1": "NRS", 4: "1", 5: "4", 11: "F", 14: "20140507090000" });
  return built;
}

const answers = [];
const client = new Client({ host: process.argv[2] });
const connection = client.createConnection({ port: Number(process.argv[3]) }, (answer) => {
  const read = answer.getMessage();
  const text = (path) => (read.exists(path) ? read.get(path).toString() : "");
  const fields = [text("MSH.9.1"), text("MSA.1"), text("MSA.2")];
  if (text("ERR.2.1")) fields.push(`${text("ERR.2.1")}-${text("ERR.2.3")}`);
  if (text("ERR.5.1")) fields.push(text("ERR.5.1"));
  answers.shift()(fields.join(" "));
});

async function send(built) {
  const answered = new Promise((resolve) => answers.push(resolve));
  await connection.sendMessage(built);
  console.log(await answered);
}

// A message that is sent before opens a second connection.
await once(connection, "connect");
await send(administration("NODE-1", "2.50"));
await send(administration("NODE-1", "2.50"));
await send(administration("NODE-1", "25"));
await send(administration("NODE-2", "much"));
await send(score("NODE-3", "pain-clinic.R-NODE-1.1"));
clearTimeout(timer);
await connection.close();
process.exit(0);
