// Rules as the specification describes them, and what other engines get wrong about them.

#include <gtest/gtest.h>
#include <string>

#include "map_run.h"

namespace fhir_adapter::fml::test {
namespace {

struct RuleCase {
  const char* name;
  std::string rules;
  std::string record;
  std::string expected;  // the target; or "!code pointer" of an issue
};

void PrintTo(const RuleCase& c, std::ostream* out) {
  *out << c.name;
}

class RuleTest : public testing::TestWithParam<RuleCase> {};

TEST_P(RuleTest, Record_GivesTarget) {
  const RunResult run = RunRules(GetParam().rules, GetParam().record);
  ASSERT_TRUE(run.findings.empty()) << run.findings.front();
  std::string got = run.json;
  if (!run.issues.empty()) got = "!" + run.issues.front();
  EXPECT_EQ(got, GetParam().expected) << (run.messages.empty() ? "" : run.messages.front());
}

std::string Patient(const std::string& members) {
  return "{\"resourceType\":\"Patient\"" + (members.empty() ? "" : "," + members) + "}";
}

const std::string kNames = Patient(R"("name":[{"family":"A"},{"family":"B"},{"family":"C"}])");

RuleCase Names(const char* name, const std::string& mode, const std::string& expected) {
  return {name, "src.name " + mode + " as v -> tgt.name as t then { v.family as f -> t.family = f; };",
          kNames, expected.starts_with("!") ? expected : Patient(expected)};
}

const RuleCase kSources[] = {
    {"Copy", "src.active as v -> tgt.active = v;", Patient(R"("active":false)"),
     Patient(R"("active":false)")},
    {"NoValue_NoRule", "src.gender as v -> tgt.active = true;", Patient(""), Patient("")},
    {"ContextAlone", "src -> tgt.active = true;", Patient(""), Patient(R"("active":true)")},
    Names("All", "", R"("name":[{"family":"A"},{"family":"B"},{"family":"C"}])"),
    Names("First", "first", R"("name":[{"family":"A"}])"),
    Names("NotFirst", "not_first", R"("name":[{"family":"B"},{"family":"C"}])"),
    Names("Last", "last", R"("name":[{"family":"C"}])"),
    Names("NotLast", "not_last", R"("name":[{"family":"A"},{"family":"B"}])"),
    Names("OnlyOneOfThree", "only_one", "!map-failed "),
    {"OnlyOne", "src.name only_one as v -> tgt.name as t then { v.family as f -> t.family = f; };",
     Patient(R"("name":[{"family":"A"}])"), Patient(R"("name":[{"family":"A"}])")},
    // The list mode picks from what `where` has left.
    {"WhereThenFirst",
     "src.name first as v where (v.family != 'A') -> tgt.name as t then { v.family as f -> t.family = f; };",
     kNames, Patient(R"("name":[{"family":"B"}])")},
    // min..max is enforced (others ignore it).
    {"CardinalityBelow", "src.name 4..* as v -> tgt.active = true;", kNames, "!map-failed "},
    {"CardinalityAbove", "src.name 0..2 as v -> tgt.active = true;", kNames, "!map-failed "},
    {"CardinalityMet", "src.name 3..3 as v -> tgt.active = true;", kNames, Patient(R"("active":true)")},
    {"CardinalityOfNothing", "src.gender 1..1 as v -> tgt.active = true;", Patient(""), "!map-failed "},
    // `where` filters first, `check` judges what is left, the alias is bound before both.
    {"CheckHolds", "src.id as v check (v.length() <= 3) -> tgt.id = v;", Patient(R"("id":"abc")"),
     Patient(R"("id":"abc")")},
    {"CheckFails", "src.id as v check (v.length() <= 3) -> tgt.id = v;", Patient(R"("id":"abcd")"),
     "!map-check /id"},
    {"CheckAfterWhere", "src.id as v where (v != 'abcd') check (v.length() <= 3) -> tgt.id = v;",
     Patient(R"("id":"abcd")"), Patient("")},
    {"WhereOnThis",
     "src.name as v where (family = 'B') -> tgt.name as t then { v.family as f -> t.family = f; };", kNames,
     Patient(R"("name":[{"family":"B"}])")},
    {"WhereEmpty_IsFalse", "src.id as v where (%src.gender = 'male') -> tgt.id = v;", Patient(R"("id":"a")"),
     Patient("")},
    {"DefaultUsed", "src.gender default ('unknown') as v -> tgt.gender = v;", Patient(""),
     Patient(R"("gender":"unknown")")},
    {"DefaultNotUsed", "src.gender default ('unknown') as v -> tgt.gender = v;",
     Patient(R"("gender":"male")"), Patient(R"("gender":"male")")},
    {"DefaultBoolean", "src.active default (true) as v -> tgt.active = v;", Patient(""),
     Patient(R"("active":true)")},
    // Several sources permute; the first is the outermost loop; all must match.
    {"Permutation", "src.name as n, src.identifier as i -> tgt.name as t, t.family = (%n.family & %i.value);",
     Patient(R"("identifier":[{"value":"1"},{"value":"2"}],"name":[{"family":"A"},{"family":"B"}])"),
     Patient(R"("name":[{"family":"A1"},{"family":"A2"},{"family":"B1"},{"family":"B2"}])")},
    {"PermutationWithNothing", "src.name as n, src.identifier as i -> tgt.name as t, t.family = 'x';", kNames,
     Patient("")},
    {"SecondSourceFromFirst", "src.contact as c, c.name as n -> tgt.name as t, t.family = (%n.family);",
     Patient(R"("contact":[{"name":{"family":"A"}},{"gender":"male"},{"name":{"family":"B"}}])"),
     Patient(R"("name":[{"family":"A"},{"family":"B"}])")},
    {"TypeFilter",
     "src.deceased : boolean as d -> tgt.active = d; src.deceased : dateTime as d -> tgt.active = true;",
     Patient(R"("deceasedBoolean":false)"), Patient(R"("active":false)")},
    {"NullIsAbsent", "src.active as v -> tgt.active = true;", Patient(R"("active":null)"), Patient("")},
    {"SourcePath", "src.contact.name.family as v -> tgt.name as t, t.family = v;",
     Patient(R"("contact":[{"name":{"family":"A"}},{"name":{"family":"B"}}])"),
     Patient(R"("name":[{"family":"A"},{"family":"B"}])")},
    {"NoArrow", "src.name first as v then { v.family as f -> tgt.id = f; };", kNames, Patient(R"("id":"A")")},
};

INSTANTIATE_TEST_SUITE_P(Sources, RuleTest, testing::ValuesIn(kSources),
                         [](const auto& test) { return std::string(test.param.name); });

const RuleCase kTargets[] = {
    {"Several", "src.id as v -> tgt.id = v, tgt.active = true;", Patient(R"("id":"a")"),
     Patient(R"("id":"a","active":true)")},
    {"SubElement", "src.id as v -> tgt.contact.name.family = v;", Patient(R"("id":"a")"),
     Patient(R"("contact":[{"name":{"family":"a"}}])")},
    {"ScalarIsMadeOnce",
     "src -> tgt.maritalStatus as m, m.text = 'x'; src -> tgt.maritalStatus as m, m.id = 'i';", Patient(""),
     Patient(R"("maritalStatus":{"id":"i","text":"x"})")},
    // A constant belongs to the map: changing it in one record must not change the next.
    {"ConstantIsNotChanged",
     "src.name as n -> tgt.contact as c, c.relationship = cc('u', 'a') as r, r.text = (%n.family);", kNames,
     Patient(R"("contact":[{"relationship":[{"coding":[{"system":"u","code":"a"}],"text":"A"}]},)"
             R"({"relationship":[{"coding":[{"system":"u","code":"a"}],"text":"B"}]},)"
             R"({"relationship":[{"coding":[{"system":"u","code":"a"}],"text":"C"}]}])")},
    {"ChoiceByValue", "src.birthDate as v -> tgt.deceased = v; src.active as v -> tgt.multipleBirth = v;",
     Patient(R"("birthDate":"2001-02-03","active":true)"),
     Patient(R"("deceasedDateTime":"2001-02-03","multipleBirthBoolean":true)")},
    {"ChoiceByLiteral", "src -> tgt.multipleBirth = 2;", Patient(""), Patient(R"("multipleBirthInteger":2)")},
    {"ChoiceByName", "src -> tgt.multipleBirthInteger = 2;", Patient(""),
     Patient(R"("multipleBirthInteger":2)")},
    {"ChoiceIsReplaced", "src -> tgt.multipleBirth = 2; src -> tgt.multipleBirth = true;", Patient(""),
     Patient(R"("multipleBirthBoolean":true)")},
    {"CreateInChoice",
     "src -> tgt.extension as e, e.url = 'u', e.value = create('Quantity') as q, q.value = 1.10;",
     Patient(""), Patient(R"("extension":[{"url":"u","valueQuantity":{"value":1.10}}])")},
    {"ExtensionOnPrimitive",
     "src -> tgt.birthDate as d then { src -> d.extension as e, e.url = 'u', e.value = cast('unknown', "
     "'code'); };",
     Patient(""), Patient(R"("_birthDate":{"extension":[{"url":"u","valueCode":"unknown"}]})")},
    {"ExtensionOnValue",
     "src.birthDate as v -> tgt.birthDate = v as d then { src -> d.extension as e, e.url = 'u', e.value = "
     "'x'; };",
     Patient(R"("birthDate":"2001")"),
     Patient(R"("birthDate":"2001","_birthDate":{"extension":[{"url":"u","valueString":"x"}]})")},
    {"ExtensionOnListOfPrimitives",
     "src.name as n -> tgt.name as t then { n.given as g -> t.given = g; n.given last as g -> t.given = g as "
     "x "
     "then { g -> x.extension as e, e.url = 'u', e.value = true; }; };",
     Patient(R"("name":[{"given":["a","b"]}])"),
     Patient(
         R"("name":[{"given":["a","b","b"],"_given":[null,null,{"extension":[{"url":"u","valueBoolean":true}]}]}])")},
    {"ShadowIsCopied", "src.birthDate as v -> tgt.birthDate = v;",
     Patient(R"("_birthDate":{"extension":[{"url":"u","valueCode":"unknown"}]})"),
     Patient(R"("_birthDate":{"extension":[{"url":"u","valueCode":"unknown"}]})")},
    {"ComplexIsCopied", "src.name as v -> tgt.name = v;",
     Patient(R"("name":[{"family":"A","given":["x","y"]}])"),
     Patient(R"("name":[{"family":"A","given":["x","y"]}])")},
    // A copy is a copy: what is written into one place does not show in the other.
    {"CopyIsNoAlias",
     "src.name as v -> tgt.name = v as one, tgt.contact as c, c.name = v as two, one.text = '1', two.text = "
     "'2';",
     Patient(R"("name":[{"family":"A"}])"),
     Patient(R"("name":[{"text":"1","family":"A"}],"contact":[{"name":{"text":"2","family":"A"}}])")},
    {"AssignVariable",
     "src.id as v -> tgt.language as l then Set(v, l);} group Set(source s, target t : code) { s -> t = s;",
     Patient(R"("id":"de")"), Patient(R"("language":"de")")},
    {"CreatedPrimitive", "src.birthDate as v -> tgt.deceased = create('dateTime') as d, d.value = v;",
     Patient(R"("birthDate":"2001")"), Patient(R"("deceasedDateTime":"2001")")},
    {"EmptyObjectsVanish", "src -> tgt.maritalStatus as m, tgt.contact as c, c.name as n;", Patient(""),
     Patient("")},
    {"TargetFirst",
     "src.name as v -> tgt.name as t, t.family = (%v.family); src -> tgt.name as t first, t.family = 'F';",
     kNames, Patient(R"("name":[{"family":"F"},{"family":"A"},{"family":"B"},{"family":"C"}])")},
    {"TargetLast",
     "src -> tgt.name as t last, t.family = 'L'; src.name as v -> tgt.name as t, t.family = (%v.family);",
     kNames, Patient(R"("name":[{"family":"A"},{"family":"B"},{"family":"C"},{"family":"L"}])")},
    {"TwoRulesFirst",
     "src -> tgt.name as t first, t.family = 'F'; src -> tgt.name as t first, t.family = 'G';", kNames,
     "!map-failed "},
    {"Single", "src.name as v -> tgt.name as t single, t.given = (%v.family);", kNames,
     Patient(R"("name":[{"given":["A","B","C"]}])")},
    {"Share",
     "src.name as v -> tgt.name as t share n then { v.family as f -> t.given = f; };"
     "src.id as v -> tgt.name as t share n then { v -> t.text = v; };",
     Patient(R"("id":"i","name":[{"family":"A"},{"family":"B"}])"),
     Patient(R"("name":[{"text":"i","given":["A","B"]}])")},
    {"ShareIsPerParent",
     "src.name as v -> tgt.contact as c then { v.family as f -> c.telecom as t share x, t.value = f;"
     " v.text as f -> c.telecom as t share x, t.id = f; };",
     Patient(R"("name":[{"family":"A","text":"a"},{"family":"B","text":"b"}])"),
     Patient(R"("contact":[{"telecom":[{"id":"a","value":"A"}]},{"telecom":[{"id":"b","value":"B"}]}])")},
    {"ReplaceByAlias", "src -> tgt as t, t.active = true;", Patient(""), Patient(R"("active":true)")},
    {"FirstOfSeveralGroupsRuns",
     "src -> tgt.active = true; } group Other(source src : Patient, target tgt : Patient) { src -> "
     "tgt.active = false;",
     Patient(""), Patient(R"("active":true)")},
};

INSTANTIATE_TEST_SUITE_P(Targets, RuleTest, testing::ValuesIn(kTargets),
                         [](const auto& test) { return std::string(test.param.name); });

const RuleCase kExpressions[] = {
    {"NoResult_NoElement", "src -> tgt.gender = (%src.name.family);", Patient(""), Patient("")},
    // Several results: one element each (others throw).
    {"SeveralResults", "src -> tgt.name as t, t.given = (%src.name.family);", kNames,
     Patient(R"("name":[{"given":["A","B","C"]}])")},
    {"SeveralResultsForOnePlace", "src -> tgt.id = (%src.name.family);", kNames, "!map-failed "},
    {"SeveralResultsRepeatTheRule", "src -> (%src.name) as n, tgt.contact as c, c.name = n;", kNames,
     Patient(R"("contact":[{"name":{"family":"A"}},{"name":{"family":"B"}},{"name":{"family":"C"}}])")},
    {"EvaluateWithContext",
     "src.name as n -> tgt.contact as c, c.name as t, t.text = evaluate(n, given.join('-'));",
     Patient(R"("name":[{"given":["x","y"]}])"), Patient(R"("contact":[{"name":{"text":"x-y"}}])")},
    {"EvaluateEmptyContext", "src -> tgt.id = evaluate(src.name, given.first());", Patient(""), Patient("")},
    // The second parameter is an expression; a text is a text.
    {"EvaluateText", "src.name as n -> tgt.id = evaluate(n, 'given');",
     Patient(R"("name":[{"given":["x"]}])"), Patient(R"("id":"given")")},
    {"BareNames", "src.name as n -> tgt.id = (n.given.first() & src.language);",
     Patient(R"("language":"de","name":[{"given":["x"]}])"), Patient(R"("id":"xde")")},
    {"EmptyVariable_RuleDoesNotRun",
     "src -> (%src.name.given) as g then { g -> tgt.active = true; }; src -> tgt.id = 'i';", Patient(""),
     Patient(R"("id":"i")")},
};

TEST(Expressions, Cases_GiveTargets) {
  for (const RuleCase& c : kExpressions) {
    const RunResult run = RunRules(c.rules, c.record);
    const std::string got = run.issues.empty() ? run.json : "!" + run.issues.front();
    EXPECT_EQ(got, c.expected) << c.name << " " << (run.findings.empty() ? "" : run.findings.front());
  }
}

TEST(Constants, Let_IsSeenAndCanBeHidden) {
  const std::string map =
      "let b = a & '!';\nlet a = 'x';\nlet base = %canonicalBase & '/sid';\n"
      "group Main(source src : Patient, target tgt : Patient) {\n"
      " src -> tgt.id = a, tgt.language = b;\n"
      " src.name as a -> tgt.contact as c, c.name = a;\n"
      " src -> tgt.implicitRules = (base & '/y');\n}";
  EXPECT_EQ(RunRules(map, Patient(R"("name":[{"family":"F"}])")).json,
            Patient(R"("id":"x","implicitRules":"https://clinic.example/fhir/sid/y","language":"x!",)"
                    R"("contact":[{"name":{"family":"F"}}])"));
}

TEST(Constants, Circle_IsAnErrorWhenItIsUsed) {
  const std::string head = "let a = b & 'x';\nlet b = a & 'y';\n";
  EXPECT_EQ(RunRules(head + "group Main(source src : Patient, target tgt : Patient) { src -> tgt.id = (a); }",
                     Patient(""))
                .issues,
            std::vector<std::string>{"map-failed "});
}

TEST(Environment, UnsetValue_IsEmptyAndUnknownName_IsAnError) {
  EXPECT_EQ(
      RunRules("src where (%unset.empty() and %recordKey.empty()) -> tgt.id = (%site);", Patient("")).json,
      Patient(R"("id":"s1")"));
  const RunResult run = RunRules("src -> tgt.id = (%sight);", Patient(""));
  ASSERT_EQ(run.findings.size(), 1u);
  EXPECT_NE(run.findings[0].find("m.map:6:18: error:"), std::string::npos) << run.findings[0];
}

TEST(Log, Expression_IsWritten) {
  const RunResult run =
      RunRules("src.id as v log ('id ' & v) -> tgt.id = v; src.name as n where (false) log ('no');",
               Patient(R"("id":"7","name":[{}])"));
  EXPECT_EQ(run.log, std::vector<std::string>{"id 7"});
}

TEST(Groups, Dependents_RunInOrderWithTheirParameters) {
  const std::string map =
      "group Main(source src : Patient, target tgt : Patient) {\n"
      " src.name as n -> tgt.name as t then Family(n, t), Given(n, t, 'z') { n -> t.text = 'after'; };\n}\n"
      "group Family(source s : HumanName, target t : HumanName) { s.family as v -> t.family = v; }\n"
      "group Given(source s : HumanName, target t : HumanName, source more) { s -> t.given = more; }\n";
  EXPECT_EQ(RunRules(map, Patient(R"("name":[{"family":"F"}])")).json,
            Patient(R"("name":[{"text":"after","family":"F","given":["z"]}])"));
}

TEST(Groups, GroupAndVariableOfOneName_AreTwoThings) {
  const std::string map =
      "group Main(source src : Patient, target tgt : Patient) {\n"
      " src.name as name -> tgt.name as t then name(name, t);\n}\n"
      "group name(source s : HumanName, target t : HumanName) { s.family as v -> t.family = v; }\n";
  EXPECT_EQ(RunRules(map, Patient(R"("name":[{"family":"F"}])")).json, Patient(R"("name":[{"family":"F"}])"));
}

TEST(Groups, Extends_RunsTheBaseFirst) {
  const std::string map =
      "group Main(source src : Patient, target tgt : Patient) extends Middle { src -> tgt.name as n, n.given "
      "= 'c'; }\n"
      "group Middle(source src : Patient, target tgt : Patient) extends Base { src -> tgt.name as n, n.given "
      "= 'b'; }\n"
      "group Base(source src : Patient, target tgt : Patient) { src -> tgt.name as n, n.given = 'a'; }\n";
  EXPECT_EQ(RunRules(map, Patient("")).json,
            Patient(R"("name":[{"given":["a"]},{"given":["b"]},{"given":["c"]}])"));
}

TEST(Groups, UntypedGroup_IsPlannedForEachTypeItIsCalledWith) {
  const std::string map =
      "group Main(source src : Patient, target tgt : Patient) {\n"
      " src.identifier as i -> tgt.identifier as t then Use(i, t);\n"
      " src.telecom as i -> tgt.telecom as t then Use(i, t);\n}\n"
      "group Use(source s, target t) { s.use as u -> t.use = u; s.value as v -> t.value = v; }\n";
  const std::string record =
      Patient(R"("identifier":[{"use":"old","value":"1"}],"telecom":[{"value":"2","use":"home"}])");
  EXPECT_EQ(RunRules(map, record).json,
            Patient(R"("identifier":[{"use":"old","value":"1"}],"telecom":[{"value":"2","use":"home"}])"));
}

constexpr const char* kDefaults =
    "group Main(source src : Patient, target tgt : Patient) {\n%RULES%\n}\n"
    "group Name(source s : HumanName, target t : HumanName) <<types>> { s.family as f -> t.text = f; }\n"
    "group Id(source s : Identifier, target t : Quantity) <<type+>> { s.value as v -> t.unit = v; }\n";

std::string WithDefaults(const std::string& rules) {
  std::string text = kDefaults;
  return text.replace(text.find("%RULES%"), 7, rules);
}

TEST(DefaultGroups, SimpleForm_CallsTheGroupOfItsTypes) {
  EXPECT_EQ(RunRules(WithDefaults("src.name -> tgt.name;"), Patient(R"("name":[{"family":"F"}])")).json,
            Patient(R"("name":[{"text":"F"}])"));
}

TEST(DefaultGroups, WithoutThen_CallsTheGroupOfItsTypes) {
  const std::string record = Patient(R"("name":[{"family":"F"}])");
  EXPECT_EQ(RunRules(WithDefaults("src.name as a -> tgt.name as b;"), record).json,
            Patient(R"("name":[{"text":"F"}])"));
  EXPECT_EQ(RunRules(WithDefaults("src.name as a -> tgt.name = create('HumanName') as b;"), record).json,
            Patient(R"("name":[{"text":"F"}])"));
}

TEST(DefaultGroups, WithThen_AreNotCalled) {
  EXPECT_EQ(RunRules(WithDefaults("src.name as a -> tgt.name as b then { a -> b.use = 'usual'; };"),
                     Patient(R"("name":[{"family":"F"}])"))
                .json,
            Patient(R"("name":[{"use":"usual"}])"));
}

TEST(DefaultGroups, TypePlus_ServesAChoice) {
  EXPECT_EQ(
      RunRules(
          WithDefaults("src.identifier as i -> tgt.extension as e then { i -> e.url = 'u'; src.identifier -> "
                       "e.value; };"),
          Patient(R"("identifier":[{"value":"7"}])"))
          .json,
      Patient(R"("extension":[{"url":"u","valueQuantity":{"unit":"7"}}])"));
}

TEST(DefaultGroups, SimpleFormWithoutGroup_Copies) {
  EXPECT_EQ(RunRules("src.telecom -> tgt.telecom; src.active -> tgt.active; src -> tgt: gender, birthDate;",
                     Patient(R"("active":true,"telecom":[{"value":"1"}],"gender":"male","birthDate":"2001")"))
                .json,
            Patient(R"("active":true,"telecom":[{"value":"1"}],"gender":"male","birthDate":"2001")"));
}

SourceFile Library(const std::string& number, const std::string& import, const std::string& body) {
  return {"lib" + number + ".map", "/// url = 'http://example.org/StructureMap/lib" + number +
                                       "'\n/// name = 'L" + number + "'\n" + import + "\n" + body};
}

TEST(Imports, AreTransitiveAndTakeWildcards) {
  const std::string main =
      "/// url = 'http://example.org/StructureMap/main'\nimports \"http://example.org/StructureMap/*1\"\n"
      "group Main(source src : Patient, target tgt : Patient) { src -> tgt.active = true then Two(src, tgt); "
      "}\n";
  const RunResult run = RunMap(
      {{"main.map", main},
       Library("1", "imports \"http://example.org/StructureMap/lib2\"",
               "group One(source s : Patient, target t : Patient) { s -> t.id = 'one'; }"),
       Library(
           "2", "imports \"http://example.org/StructureMap/lib1\"",
           "group Two(source s : Patient, target t : Patient) { s -> t.language = 'two' then One(s, t); }")},
      Patient(""));
  EXPECT_TRUE(run.findings.empty()) << run.findings.front();
  EXPECT_EQ(run.json, Patient(R"("id":"one","language":"two","active":true)"));
}

TEST(Resources, CreatedLoose_IsPlacedAndFilledLater) {
  const std::string map =
      "group Main(source src : Patient, target bundle : Bundle) {\n"
      " src -> create('Encounter') as enc, bundle.entry as entry then {\n"
      "  src -> entry.resource = enc;\n  src -> enc.status = 'finished';\n"
      "  src -> bundle.entry as e2, e2.resource = create('Basic') as b, b.subject = reference(enc);\n };\n}";
  const RunResult run = RunRules(map, Patient(R"("id":"p")"));
  ASSERT_TRUE(run.findings.empty()) << run.findings.front();
  EXPECT_TRUE(run.json.starts_with(
      R"({"resourceType":"Bundle","entry":[{"resource":{"resourceType":"Encounter","id":)"))
      << run.json;
  EXPECT_NE(run.json.find(R"("status":"finished")"), std::string::npos) << run.json;
  EXPECT_NE(run.json.find(R"("subject":{"reference":"Encounter/)"), std::string::npos) << run.json;
}

TEST(Resources, CreateOfADatatype_HasNoResourceType) {
  EXPECT_EQ(
      RunRules("src -> tgt.maritalStatus = create('CodeableConcept') as m, m.text = 'x';", Patient("")).json,
      Patient(R"("maritalStatus":{"text":"x"})"));
}

TEST(Resources, Contained_IsReferredToByFragment) {
  const std::string map =
      "group Main(source src : Patient, target tgt : MedicationAdministration) {\n"
      " src -> tgt.contained = create('Medication') as m, m.id = 'm', tgt.medication = create('Reference') "
      "as r,"
      " r.reference = reference(m);\n}";
  EXPECT_EQ(
      RunRules(map, Patient("")).json,
      R"({"resourceType":"MedicationAdministration","contained":[{"resourceType":"Medication","id":"m"}],)"
      R"("medicationReference":{"reference":"#m"}})");
}

TEST(ContentReference, NestedItems_AreFollowed) {
  const std::string map =
      "group Main(source src : QuestionnaireResponse, target tgt : QuestionnaireResponse) {\n"
      " src.item as s -> tgt.item as t then Item(s, t);\n}\n"
      "group Item(source s, target t) { s.linkId as l -> t.linkId = l; s.item as i -> t.item as u then "
      "Item(i, u); }";
  const std::string record =
      R"({"resourceType":"QuestionnaireResponse","item":[{"linkId":"1","item":[{"linkId":"1.1","item":[{"linkId":"1.1.1"}]}]}]})";
  EXPECT_EQ(RunRules(map, record).json, record);
}

TEST(Untyped, MembersThatRepeat_BecomeLists) {
  const std::string map =
      "group Main(source src, target tgt) {\n"
      " src.name as n -> tgt.people as p then { n.family as f -> p.last = f; n.given as g -> p.first = g; "
      "};\n"
      " src.id as i -> tgt.key = i, tgt.n = 12;\n}";
  EXPECT_EQ(
      RunRules(map, Patient(R"("id":"k","name":[{"family":"A","given":["x","y"]},{"family":"B"}])")).json,
      R"({"people":[{"last":"A","first":["x","y"]},{"last":"B"}],"key":"k","n":12})");
}

TEST(OldMaps, JsonNamesAndValues_AreRead) {
  const std::string map =
      "map \"http://example.org/q\" = \"q\"\n"
      "uses \"http://hl7.org/fhir/StructureDefinition/QuestionnaireResponse\" alias QuestionnaireResponse as "
      "source\n"
      "group Main(source src : QuestionnaireResponse, target tgt : Patient) {\n src.item as item then "
      "item(item, tgt);\n}\n"
      "group item(source src, target tgt) {\n"
      " src.item as item where linkId.value in ('patient.sex') -> tgt.gender = "
      "(item.answer.valueString);\n}\n";
  EXPECT_EQ(RunRules(map, R"({"resourceType":"QuestionnaireResponse","item":[{"linkId":"a","item":[
      {"linkId":"patient.sex","answer":[{"valueString":"female"}]},{"linkId":"x","answer":[{"valueString":"no"}]}]}]})")
                .json,
            Patient(R"("gender":"female")"));
}

}  // namespace
}  // namespace fhir_adapter::fml::test
