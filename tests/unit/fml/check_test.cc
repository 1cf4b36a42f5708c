// What is known before a map runs: each finding with its line, its column and a way out.

#include <gtest/gtest.h>
#include <string>

#include "map_run.h"

namespace fhir_adapter::fml::test {
namespace {

struct CheckCase {
  const char* name;
  std::string rules;    // of a Patient map; its first line is line 6
  std::string finding;  // begins so
};

void PrintTo(const CheckCase& c, std::ostream* out) {
  *out << c.name;
}

class CheckTest : public testing::TestWithParam<CheckCase> {};

TEST_P(CheckTest, Fault_IsFoundAtItsPlace) {
  const auto findings = Check({{"m.map", PatientMap(GetParam().rules)}});
  ASSERT_EQ(findings.size(), 1u);
  EXPECT_TRUE(findings[0].starts_with(GetParam().finding)) << findings[0];
}

const CheckCase kCases[] = {
    {"UnknownSourceElement", "src.famly as v -> tgt.active = true;",
     "m.map:6:5: error: Patient has no element famly"},
    {"UnknownNestedElement", "src.name as n -> tgt.name as t then { n.famili as f -> t.family = f; };",
     "m.map:6:41: error: HumanName has no element famili; did you mean family?"},
    {"UnknownTargetElement", "src -> tgt.gendre = 'male';",
     "m.map:6:12: error: Patient has no element gendre; did you mean gender?"},
    {"UnknownElementInExpression", "src -> tgt.id = (%src.nam.family);",
     "m.map:6:23: error: Patient has no element 'nam'"},
    {"UnknownVariable", "src.name as nam -> tgt.id = name;",
     "m.map:6:29: error: unknown variable name; did you mean nam?"},
    {"UnknownContext", "scr.name as n -> tgt.id = 'x';",
     "m.map:6:1: error: unknown variable scr; did you mean src?"},
    {"UnknownTargetContext", "src -> tgd.id = 'x';",
     "m.map:6:8: error: unknown variable tgd; did you mean tgt?"},
    {"VariableOutOfScope", "src.name as n then { n.family as f then { }; }; src -> tgt.id = n;",
     "m.map:6:65: error: unknown variable n"},
    {"SourceIsNotWritten", "src.name as n -> n.family = 'x';",
     "m.map:6:18: error: the variable n is a source and cannot be written"},
    {"UnknownGroup", "src -> tgt as t then Mian(src, t);",
     "m.map:6:22: error: unknown group Mian; did you mean Main?"},
    {"GroupArity", "src -> tgt as t then Main(src);",
     "m.map:6:22: error: group Main takes 2 parameters, not 1"},
    {"GroupParameterType", "src.name as n -> tgt as t then Main(n, t);",
     "m.map:6:37: error: parameter src of group Main is a Patient, and what is given is a HumanName"},
    {"GroupParameterMode", "src then Main(src, src);",
     "m.map:6:20: error: parameter tgt of group Main is a target"},
    {"UnknownTransform", "src -> tgt.id = trunkate(src, 1);",
     "m.map:6:17: error: unknown transform trunkate; did you mean truncate?"},
    {"ArityBelow", "src.id as v -> tgt.id = truncate(v);",
     "m.map:6:25: error: truncate takes 2 parameters, not 1"},
    {"ArityAbove", "src.id as v -> tgt.id = uuid(v);", "m.map:6:25: error: uuid takes 0 parameters, not 1"},
    {"ArityOfQty", "src -> tgt.extension as e, e.value = qty(1, 'a', 'b');",
     "m.map:6:38: error: qty takes 1, 2 or 4 parameters, not 3"},
    {"UnknownConceptMap", "src.id as v -> tgt.id = translate(v, '#nothing', 'code');",
     "m.map:6:38: error: no ConceptMap #nothing"},
    {"TranslateOutput", "src.id as v -> tgt.id = translate(v, '#inline', 'codes');",
     "m.map:6:38: error: no ConceptMap #inline"},
    {"UnknownCreateType",
     "src -> tgt.extension as e, e.value = create('Quantitty') as q then { src -> q.unit = 'x'; };",
     "m.map:6:45: error: unknown type Quantitty; did you mean Quantity?"},
    {"UnknownTypeFilter", "src.deceased : bolean as d -> tgt.active = d;",
     "m.map:6:1: error: unknown type bolean; did you mean boolean?"},
    {"ImpossibleTypeFilter", "src.deceased : Quantity as d -> tgt.active = true;",
     "m.map:6:1: error: the element deceased is never a Quantity; it is boolean, dateTime"},
    {"WrongType", "src.name as n -> tgt.maritalStatus = n;",
     "m.map:6:38: error: the element maritalStatus (CodeableConcept) takes no HumanName"},
    {"WrongPrimitive", "src.active as v -> tgt.birthDate = v;",
     "m.map:6:36: error: the element birthDate (date) takes no boolean"},
    {"ComplexIntoPrimitive", "src.name as n -> tgt.id = n;",
     "m.map:6:27: error: the element id (id) takes no HumanName"},
    {"PrimitiveIntoComplex", "src.id as v -> tgt.maritalStatus = v;",
     "m.map:6:36: error: the element maritalStatus (CodeableConcept) takes no id"},
    {"BadLiteral", "src -> tgt.active = 'yes';", "m.map:6:21: error: active: the value is not a boolean"},
    {"CodeOutsideBinding", "src -> tgt.gender = 'femal';",
     "m.map:6:21: error: the code femal is not in the value set that gender is bound to; did you mean "
     "female?"},
    {"AmbiguousChoice", "src -> tgt.deceased as d then { src -> d.id = 'x'; };",
     "m.map:6:12: error: the element deceased has several types (boolean, dateTime): say which with "
     "create()"},
    {"PrimitiveWithoutValue", "src -> tgt.birthDate;",
     "m.map:6:8: error: a Patient cannot be copied to birthDate"},
    {"CardinalityNeverMet", "src.gender 2..3 as v -> tgt.gender = v;",
     "m.map:6:1: error: the cardinality can never be met: gender occurs at most once"},
    {"CardinalityInverted", "src.name 3..2 as v -> tgt.active = true;",
     "m.map:6:1: error: the cardinality can never be met: its minimum is above its maximum"},
    {"CopyWithoutGroup", "src.name -> tgt.maritalStatus;",
     "m.map:6:13: error: a HumanName cannot be copied to maritalStatus (CodeableConcept), and there is no "
     "default"},
    {"ExpressionSyntax", "src where (%src.id = ) -> tgt.id = 'x';", "m.map:6:21: error: expected a value"},
    {"EscapeFormat", "src.id as v -> tgt.id = escape(v, 'htlm', 'text');",
     "m.map:6:35: error: unknown format htlm"},
    {"TimeFormat", "src.id as v -> tgt.birthDate = toDate(v, 'yyyy-QQ');",
     "m.map:6:42: error: unknown format code QQ"},
    {"DateOp", "src.birthDate as v -> tgt.birthDate = dateOp(v, 'add');",
     "m.map:6:39: error: dateOp is listed but not defined by the specification"},
};

INSTANTIATE_TEST_SUITE_P(Faults, CheckTest, testing::ValuesIn(kCases),
                         [](const auto& test) { return std::string(test.param.name); });

TEST(CheckHead, MissingModelAndImport_AreNamedAsSuch) {
  const auto findings =
      Check({{"m.map",
              "uses \"http://x/StructureDefinition/Record\" alias Record as source\n"
              "imports \"http://x/StructureMap/none\"\n"
              "group Main(source src : Record, target tgt : Patient) { src.a as a -> tgt.id = a; }"}});
  ASSERT_EQ(findings.size(), 2u);
  EXPECT_EQ(findings[0], "m.map:1:6: error: no model http://x/StructureDefinition/Record");
  EXPECT_EQ(findings[1], "m.map:2:9: error: no map http://x/StructureMap/none to import");
}

TEST(CheckHead, WildcardWithoutMatch_IsAWarning) {
  const auto findings =
      Check({{"m.map",
              "imports \"http://x/*\"\n"
              "group Main(source src : Patient, target tgt : Patient) { src.id as a -> tgt.id = a; }"}});
  ASSERT_EQ(findings.size(), 1u);
  EXPECT_TRUE(findings[0].starts_with("m.map:1:9: warning: no map http://x/* to import")) << findings[0];
}

TEST(CheckHead, ImportAlmostRight_IsSuggested) {
  const auto findings =
      Check({{"a.map",
              "/// url = 'http://x/StructureMap/first'\nimports \"http://x/StructureMap/secund\"\n"
              "group Main(source s : Patient, target t : Patient) { s.id as a -> t.id = a; }"},
             {"b.map",
              "/// url = 'http://x/StructureMap/second'\n"
              "group Other(source s : Patient, target t : Patient) { s.id as a -> t.id = a; }"}});
  ASSERT_EQ(findings.size(), 1u);
  EXPECT_NE(findings[0].find("a.map:2:9: error: no map http://x/StructureMap/secund to import; did you mean "
                             "http://x/StructureMap/second?"),
            std::string::npos)
      << findings[0];
}

TEST(CheckGroups, GroupThatIsNeverCalled_IsCheckedToo) {
  const auto findings =
      Check({{"m.map",
              "group Main(source s : Patient, target t : Patient) { s.id as a -> t.id = a; }\n"
              "group Idle(source s : Patient, target t : Patient) { s.idd as a -> t.id = a; }"}});
  ASSERT_EQ(findings.size(), 1u);
  EXPECT_TRUE(findings[0].starts_with("m.map:2:56: error: Patient has no element idd; did you mean id?"))
      << findings[0];
}

TEST(CheckGroups, ExtendsItselfOrNothing_IsFound) {
  const auto findings =
      Check({{"m.map",
              "group Main(source s : Patient, target t : Patient) extends Base { s.id as a -> t.id = a; }\n"
              "group Base(source s : Patient, target t : Patient) extends Main { s.id as a -> t.id = a; }\n"
              "group Else(source s : Patient, target t : Patient) extends Bass { s.id as a -> t.id = a; }"}});
  ASSERT_EQ(findings.size(), 3u);
  EXPECT_EQ(findings[0], "m.map:1:60: error: group Main extends itself");
  EXPECT_EQ(findings[1], "m.map:2:60: error: group Base extends itself");
  EXPECT_EQ(findings[2], "m.map:3:60: error: unknown group Bass; did you mean Base?");
}

TEST(CheckFiles, BrokenJson_IsReportedAndTheRestGoesOn) {
  const auto findings =
      Check({{"c.json", "{\n  \"resourceType\": }"}, {"m.map", PatientMap("src.idd as v -> tgt.id = v;")}});
  ASSERT_EQ(findings.size(), 2u);
  EXPECT_TRUE(findings[0].starts_with("c.json:2:")) << findings[0];
  EXPECT_TRUE(findings[1].starts_with("m.map:6:5: error: Patient has no element idd")) << findings[1];
}

TEST(CheckFiles, SyntaxFault_StandsInOneLine) {
  const auto findings =
      Check({{"m.map", PatientMap("src.id as v -> tgt.id = v\nsrc.active as a -> tgt.active = a;")}});
  ASSERT_EQ(findings.size(), 1u);
  EXPECT_EQ(findings[0], "m.map:6:26: error: expected ; before the end of the line");
}

}  // namespace
}  // namespace fhir_adapter::fml::test
