// Each kind of fault that `check` knows, planted three times and found at its line and column.

#include <algorithm>
#include <gtest/gtest.h>
#include <map>
#include <string>
#include <vector>

#include "map_run.h"

namespace fhir_adapter::fml::test {
namespace {

struct PlantedFault {
  std::string kind;
  std::vector<SourceFile> files;
  std::string finding;  // the whole line
};

// Rules of a Patient map; their first line is line 6.
std::vector<SourceFile> Rules(const std::string& rules) {
  return {{"m.map", PatientMap(rules)}};
}

std::vector<SourceFile> Tables(const std::string& table, const std::string& rules) {
  return {{"m.map", PatientMap(rules)}, {"t.json", table}};
}

// A ConceptMap of one row in line 2; the target's code begins in column 76.
std::string Table(const std::string& system, const std::string& code) {
  return R"({"resourceType":"ConceptMap","id":"t","url":"http://x/t","group":[{"target":")" + system +
         R"(","unmapped":{"mode":"provided"},"element":[)" + "\n" +
         R"({"code":"a","display":"the first", "target":[{"equivalence":"equal","code":")" + code +
         R"("}]}]}]})";
}

constexpr const char* kCodes =
    R"({"resourceType":"CodeSystem","url":"http://x/CodeSystem/own","content":"complete",
"concept":[{"code":"sedation"},{"code":"relief","concept":[{"code":"relief-percent"}]}]})";

std::vector<SourceFile> WithCodes(std::vector<SourceFile> files) {
  files.push_back({"own.json", kCodes});
  return files;
}

// A map from the model `Rec` with the elements `id`, `text` and `row.dose`.
std::vector<SourceFile> FromModel(const std::string& rules, const std::string& head = "") {
  static constexpr const char* kModel =
      R"({"resourceType":"StructureDefinition","url":"http://x/StructureDefinition/Rec","name":"Rec","kind":"logical",
"type":"Rec","derivation":"specialization","abstract":false,"status":"active","differential":{"element":[
{"id":"Rec","path":"Rec"},{"id":"Rec.code","path":"Rec.code","min":0,"max":"1","type":[{"code":"string"}]},
{"id":"Rec.text","path":"Rec.text","min":0,"max":"1","type":[{"code":"string"}]},
{"id":"Rec.row","path":"Rec.row","min":0,"max":"*","type":[{"code":"BackboneElement"}]},
{"id":"Rec.row.dose","path":"Rec.row.dose","min":0,"max":"1","type":[{"code":"decimal"}]}]}})";
  return {{"m.map", head +
                        "uses \"http://x/StructureDefinition/Rec\" alias Rec as source\n"
                        "group Main(source src : Rec, target tgt : Patient) {\n" +
                        rules + "\n}\n"},
          {"rec.json", kModel}};
}

const PlantedFault kFaults[] = {
    {"unknown element", Rules("src.famly as v -> tgt.active = v;"),
     "m.map:6:5: error: Patient has no element famly"},
    {"unknown element", Rules("src.active as v ->\n  tgt.activ = v;"),
     "m.map:7:7: error: Patient has no element activ; did you mean active?"},
    {"unknown element", Rules("src where (%src.nam.exists()) -> tgt.active = true;"),
     "m.map:6:17: error: Patient has no element 'nam'; did you mean 'name'?"},

    {"wrong type", Rules("src.name as n -> tgt.maritalStatus = n;"),
     "m.map:6:38: error: the element maritalStatus (CodeableConcept) takes no HumanName"},
    {"wrong type", Rules("src.active as v -> tgt.birthDate = v;"),
     "m.map:6:36: error: the element birthDate (date) takes no boolean"},
    {"wrong type", Rules("src -> tgt.active = 'yes';"),
     "m.map:6:21: error: active: the value is not a boolean"},

    {"wrong arity", Rules("src.id as v -> tgt.id = truncate(v);"),
     "m.map:6:25: error: truncate takes 2 parameters, not 1"},
    {"wrong arity", Rules("src -> tgt as t then Main(src, t, t);"),
     "m.map:6:22: error: group Main takes 2 parameters, not 3"},
    {"wrong arity", Rules("src.id as v ->\n tgt.id = uuid(v);"),
     "m.map:7:11: error: uuid takes 0 parameters, not 1"},

    {"cardinality", Rules("src.gender 2..3 as v -> tgt.gender = v;"),
     "m.map:6:1: error: the cardinality can never be met: gender occurs at most once"},
    {"cardinality", Rules("src.name 3..2 -> tgt.active = true;"),
     "m.map:6:1: error: the cardinality can never be met: its minimum is above its maximum"},
    {"cardinality", Rules("src.name as n then {\n  n.period 4..* -> tgt.active = true;\n};"),
     "m.map:7:3: error: the cardinality can never be met: period occurs at most once"},

    {"unknown group", Rules("src -> tgt as t then Mian(src, t);"),
     "m.map:6:22: error: unknown group Mian; did you mean Main?"},
    {"unknown group", Rules("src.name as n then {\n  n -> tgt as t then Man(src, t);\n};"),
     "m.map:7:22: error: unknown group Man; did you mean Main?"},
    {"unknown group",
     {{"m.map",
       "group Main(source s : Patient, target t : Patient) extends Bass { s.id as a -> t.id = a; }\n"
       "group Base(source s : Patient, target t : Patient) { s.id as a -> t.id = a; }"}},
     "m.map:1:60: error: unknown group Bass; did you mean Base?"},

    {"unknown ConceptMap", Rules("src.id as v -> tgt.id = translate(v, '#none', 'code');"),
     "m.map:6:38: error: no ConceptMap #none"},
    {"unknown ConceptMap",
     Tables(Table("http://y", "b"), "src.id as v -> tgt.id = translate(v, 'http://x/tt', 'code');"),
     "m.map:6:38: error: no ConceptMap http://x/tt; did you mean http://x/t?"},
    {"unknown ConceptMap",
     Tables(R"({"resourceType":"ConceptMap","id":"drug","url":"http://x/drug"})",
            "src.id as v ->\n  tgt.id = translate(v, '#drugs', 'code');"),
     "m.map:7:25: error: no ConceptMap #drugs; did you mean #drug?"},

    {"unknown variable", Rules("scr.name -> tgt.id = 'x';"),
     "m.map:6:1: error: unknown variable scr; did you mean src?"},
    {"unknown variable", Rules("src.name as nam -> tgt.id = name;"),
     "m.map:6:29: error: unknown variable name; did you mean nam?"},
    {"unknown variable", Rules("src -> tgd.id = 'x';"),
     "m.map:6:8: error: unknown variable tgd; did you mean tgt?"},

    {"unused variable", Rules("src.name as n -> tgt.active = true;"),
     "m.map:6:13: warning: the variable n is never used"},
    {"unused variable", Rules("src.id as v ->\n  tgt.name as made, tgt.id = v;"),
     "m.map:7:15: warning: the variable made is never used"},
    {"unused variable",
     {{"m.map", "let idle = 'x';\n" + PatientMap("src.id as v -> tgt.id = v;")}},
     "m.map:1:1: warning: the constant idle is never used"},

    {"unused group",
     {{"m.map", PatientMap("src.id as v -> tgt.id = v;") +
                    "group Idle(source a : Patient, target b : Patient) { a.id as i -> b.id = i; }"}},
     "m.map:8:7: warning: no rule calls the group Idle"},
    {"unused group",
     {{"m.map",
       "group Main(source s : Patient, target t : Patient) extends Base { s.id as a -> t.id = a; }\n"
       "group Base(source s : Patient, target t : Patient) { s.active as a -> t.active = a; }\n"
       "group Bass(source s : Patient, target t : Patient) { s.active as a -> t.active = a; }"}},
     "m.map:3:7: warning: no rule calls the group Bass"},
    {"unused group",
     {{"a.map", "imports \"http://x/b\"\n" + PatientMap("src then One(src, tgt);")},
      {"b.map",
       "/// url = 'http://x/b'\ngroup First(source s : Patient, target t) { s.id as a -> t.id = a; }\n"
       "group One(source s : Patient, target t) { s.id as a -> t.id = a; }\n"
       "group Two(source s : Patient, target t) { s.id as a -> t.id = a; }"}},
     "b.map:4:7: warning: no rule calls the group Two"},

    {"unreachable rule", Rules("src.id as v where (1 = 2) -> tgt.id = v;"),
     "m.map:6:20: warning: the rule never runs: its condition is never true"},
    {"unreachable rule", Rules("src.name 0..0 -> tgt.active = true;"),
     "m.map:6:1: warning: the rule never runs: its source may have no element"},
    {"unreachable rule", Rules("src.name then {\n  src.gender not_first as g -> tgt.gender = g;\n};"),
     "m.map:7:3: warning: the rule never runs: gender occurs at most once"},

    {"required target",
     {{"m.map",
       "group Main(source s : Patient, target bundle : Bundle) {\n  s -> bundle.type = 'collection';\n"
       "  s -> bundle.entry as e, e.resource = create('Observation') as o then {\n"
       "    s -> o.status = 'final';\n  };\n}\n"}},
     "m.map:3:40: warning: no rule assigns Observation.code, which is required"},
    {"required target",
     {{"m.map",
       "group Main(source s : Patient, target bundle : Bundle) {\n  s.id as i -> bundle.id = i;\n}\n"}},
     "m.map:1:39: warning: no rule assigns Bundle.type, which is required"},
    {"required target",
     Rules("src -> tgt.link as link then {\n  src.id as id -> link.id = id;\n  src -> link.type = "
           "'seealso';\n};"),
     "m.map:6:8: warning: no rule assigns Patient.link.other, which is required"},

    {"source never read",
     FromModel("src.code as c -> tgt.id = c; src.row as r then { r.dose as d -> tgt.language = "
               "(%d.toString()); };"),
     "m.map:2:7: warning: no map reads the source element text; map it, or say why not: /// notSent = "
     "'text: …'"},
    {"source never read", FromModel("src.code as c -> tgt.id = c; src.text as t -> tgt.language = t;"),
     "m.map:2:7: warning: no map reads the source element row.dose; map it, or say why not: /// notSent = "
     "'row.dose: …'"},
    {"source never read",
     FromModel("src.row as r then { r.dose as d -> tgt.language = (%d.toString()); };",
               "/// notSent = 'text: why'\n"),
     "m.map:3:7: warning: no map reads the source element code; map it, or say why not: /// notSent = "
     "'code: …'"},

    {"ambiguous choice", Rules("src -> tgt.deceased as d then { src -> d.id = 'x'; };"),
     "m.map:6:12: error: the element deceased has several types (boolean, dateTime): say which with "
     "create()"},
    {"ambiguous choice",
     Rules("src then {\n  src -> tgt.multipleBirth as m then { src -> m.id = 'x'; };\n};"),
     "m.map:7:14: error: the element multipleBirth has several types (boolean, integer): say which with "
     "create()"},
    {"ambiguous choice", Rules("src -> tgt.multipleBirth.id = 'x';"),
     "m.map:6:12: error: the element multipleBirth has several types (boolean, integer): make it with "
     "create() first"},

    {"code outside binding", Rules("src -> tgt.gender = 'femal';"),
     "m.map:6:21: error: the code femal is not in the value set that gender is bound to; did you mean "
     "female?"},
    {"code outside binding", Rules("src -> tgt.name as n,\n  n.use = 'offical';"),
     "m.map:7:11: error: the code offical is not in the value set that use is bound to; did you mean "
     "official?"},
    {"code outside binding",
     Rules("src -> tgt.link as l, l.other = create('Reference'), l.type = ('repl' & 'acing');"),
     "m.map:6:63: error: the code replacing is not in the value set that type is bound to; did you mean "
     "replaces?"},

    {"ConceptMap target outside binding",
     Tables(Table("http://hl7.org/fhir/administrative-gender", "femal"),
            "src.id as v -> tgt.gender = translate(v, '#t', 'code');"),
     "t.json:2:76: error: the code femal is not in the value set that Patient.gender is bound to; did you "
     "mean female?"},
    {"ConceptMap target outside binding",
     Tables(Table("http://hl7.org/fhir/name-use", "offical"),
            "src.id as v -> tgt.name as n, n.use = translate(v, '#t');"),
     "t.json:2:76: error: the code offical is not in the value set that HumanName.use is bound to; did you "
     "mean official?"},
    {"ConceptMap target outside binding",
     {{"m.map",
       "conceptmap \"#in\" {\n  prefix s = \"http://s\"\n  prefix t = \"http://t\"\n  unmapped for s = "
       "quarantine\n  s:m == t:mal\n}\n" +
           PatientMap("src.id as v -> tgt.gender = translate(v, '#in', 'code');")}},
     "m.map:5:3: error: the code mal is not in the value set that Patient.gender is bound to; did you mean "
     "male?"},

    {"undeclared local code",
     WithCodes(Rules("src -> tgt.maritalStatus = cc('http://x/CodeSystem/own', 'sedaton');")),
     "m.map:6:58: error: the code sedaton is not declared in own.json; did you mean sedation?"},
    {"undeclared local code",
     WithCodes(Rules("src -> tgt.meta as m, m.tag as tag,\n  tag.system = 'http://x/CodeSystem/own', "
                     "tag.code = 'releif';")),
     "m.map:7:54: error: the code releif is not declared in own.json; did you mean relief?"},
    {"undeclared local code",
     WithCodes(Tables(Table("http://x/CodeSystem/own", "relief-percnt"),
                      "src.id as v -> tgt.maritalStatus = translate(v, '#t', 'CodeableConcept');")),
     "t.json:2:76: error: the code relief-percnt is not declared in own.json; did you mean "
     "relief-percent?"},
};

TEST(PlantedFaults, EachKind_IsFoundThreeTimesAtItsPlace) {
  std::map<std::string, int> found;
  for (const PlantedFault& fault : kFaults) {
    const std::vector<std::string> lines = Check(fault.files);
    const bool is_found = std::find(lines.begin(), lines.end(), fault.finding) != lines.end();
    EXPECT_TRUE(is_found) << fault.kind << ": " << fault.finding
                          << "\n  found: " << (lines.empty() ? "nothing" : lines.front());
    EXPECT_EQ(lines.size(), 1u) << fault.kind << ": " << fault.finding
                                << "\n  last: " << (lines.empty() ? "" : lines.back());
    found[fault.kind] += is_found ? 1 : 0;
  }
  EXPECT_EQ(found.size(), 16u);
  for (const auto& [kind, count] : found) EXPECT_GE(count, 3) << kind;
}

TEST(PlantedFaults, WhatAnotherPartAdds_IsNotMissed) {
  const std::string rules =
      "group Main(source s : Patient, target bundle : Bundle) {\n  s.id as i -> bundle.id = i;\n}\n";
  EXPECT_TRUE(Check({{"m.map", "/// addedLater = 'Bundle.type: the sender knows it'\n" + rules}}).empty());
}

TEST(PlantedFaults, SystemBelowTheCanonicalBase_MustBeDeclared) {
  MapSetOptions options;
  options.configuration = {{"canonicalBase", "http://site"}};
  const auto check = [&options](const std::string& system) {
    std::vector<Finding> findings;
    (void)MapSet::Compile(WithCodes(Rules("src -> tgt.maritalStatus = cc('" + system + "', 'sedation');")),
                          options, findings);
    return findings.empty() ? std::string() : ToLine(findings.front());
  };
  EXPECT_EQ(check("http://site/CodeSystem/own"), "");   // the same code system under the site's own base
  EXPECT_EQ(check("http://other/CodeSystem/owm"), "");  // somebody else's
  EXPECT_EQ(
      check("http://site/CodeSystem/owm"),
      "m.map:6:61: error: no CodeSystem http://site/CodeSystem/owm declares the code sedation; did you mean "
      "http://x/CodeSystem/own?");
}

}  // namespace
}  // namespace fhir_adapter::fml::test
