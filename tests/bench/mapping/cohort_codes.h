// The code tables of the hand-written mapper: those rows of the shipped tables that the cohort needs.
//
// Constants.
#pragma once

#include "tree_builder.h"

namespace fhir_adapter::bench {

inline constexpr std::string_view kSnomed = "http://snomed.info/sct";
inline constexpr std::string_view kConditionClinical =
    "http://terminology.hl7.org/CodeSystem/condition-clinical";
inline constexpr std::string_view kConditionVerification =
    "http://terminology.hl7.org/CodeSystem/condition-ver-status";
inline constexpr std::string_view kObservationCategory =
    "http://terminology.hl7.org/CodeSystem/observation-category";
inline constexpr std::string_view kDataAbsentReason =
    "http://terminology.hl7.org/CodeSystem/data-absent-reason";

inline constexpr Coding kChronicLowBackPain[] = {{kSnomed, "278860009", "Chronic low back pain"}};
inline constexpr Coding kPostLaminectomy[] = {{kSnomed, "202725007", "Lumbar post-laminectomy syndrome"}};
inline constexpr Concept kIndications[] = {{"CLBP", kChronicLowBackPain, "CLBP"},
                                           {"FBSS", kPostLaminectomy, "FBSS"}};

inline constexpr Coding kDrowsy[] = {{kSnomed, "271782001", "Drowsy"}};
inline constexpr Coding kHeadache[] = {{kSnomed, "25064002", "Headache"}};
inline constexpr Coding kNausea[] = {{kSnomed, "422587007", "Nausea"}};
inline constexpr Concept kSymptoms[] = {{"drowsiness", kDrowsy, "drowsiness"},
                                        {"headache", kHeadache, "headache"},
                                        {"nausea", kNausea, "nausea"},
                                        {"pain-worsened", {}, "pain worsened"}};

inline constexpr Coding kNeedleCoding[] = {{kSnomed, "79068005", "Needle, device"}};
inline constexpr Concept kNeedle = {"needle", kNeedleCoding, "Needle"};

inline constexpr Coding kNumericScale[] = {
    {"http://loinc.org", "72514-3", "Pain severity - 0-10 verbal numeric rating [Score] - Reported"},
    {kSnomed, "1284857008", "Numeric Pain Rating Scale score"}};
inline constexpr Concept kPainScales[] = {{"NRS", kNumericScale, ""}};

inline constexpr Coding kTherapeuticCoding[] = {{kSnomed, "277132007", "Therapeutic procedure"}};
inline constexpr Concept kTherapeutic = {"therapeutic", kTherapeuticCoding, "Therapeutic procedure"};
inline constexpr Coding kAdministrationOfDrug[] = {
    {kSnomed, "18629005", "Administration of drug or medicament"}};
inline constexpr Concept kProcedureKinds[] = {
    {"intrathecal-injection", kAdministrationOfDrug, "Intrathecal injection"}};
inline constexpr Coding kLocalAnaesthesiaCoding[] = {{kSnomed, "386761002", "Local anesthesia"}};
inline constexpr Concept kLocalAnaesthesia = {"local-anaesthesia", kLocalAnaesthesiaCoding,
                                              "Local anaesthesia"};

inline constexpr Coding kSuccessful[] = {{kSnomed, "385669000", "Successful"}};
inline constexpr Coding kPartiallySuccessful[] = {{kSnomed, "385670004", "Partially successful"}};
inline constexpr Coding kUnsuccessful[] = {{kSnomed, "385671000", "Unsuccessful"}};
inline constexpr Concept kOutcomes[] = {{"successful", kSuccessful, "Successful"},
                                        {"partial", kPartiallySuccessful, "Partially successful"},
                                        {"unsuccessful", kUnsuccessful, "Unsuccessful"},
                                        {"unknown", {}, "Unknown"}};

inline constexpr Coding kMidazolamProduct[] = {{kSnomed, "26800000", "Product containing midazolam"},
                                               {"http://www.whocc.no/atc", "N05CD08", "midazolam"}};
// The text is the product's name.
inline constexpr Concept kDrugs[] = {{"midazolam", kMidazolamProduct, ""}};
inline constexpr Coding kMidazolam[] = {{kSnomed, "373476007", "Midazolam"}};
inline constexpr Concept kSubstances[] = {{"midazolam", kMidazolam, "midazolam"}};
inline constexpr Concept kDiluents[] = {{"glucose-5%", {}, "glucose 5%"},
                                        {"normal-saline", {}, "normal saline"}};

inline constexpr Coding kOutpatient[] = {
    {"http://terminology.hl7.org/CodeSystem/medication-admin-category", "outpatient", "Outpatient"}};
inline constexpr Concept kSettings[] = {{"outpatient", kOutpatient, "outpatient"}};
inline constexpr Coding kIntrathecal[] = {
    {kSnomed, "72607000", "Intrathecal route"},
    {"http://terminology.hl7.org/CodeSystem/v3-RouteOfAdministration", "ITINJ", "Injection, intrathecal"},
    {"http://standardterms.edqm.eu", "20042000", "Intrathecal use"}};
inline constexpr Concept kRoutes[] = {{"intrathecal", kIntrathecal, "intrathecal"}};

inline constexpr Coding kRecumbent[] = {{kSnomed, "102538003", "Recumbent body position"}};
inline constexpr Concept kPositions[] = {{"recumbent", kRecumbent, "recumbent"}};

}  // namespace fhir_adapter::bench
