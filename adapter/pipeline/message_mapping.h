// MessageMapping: one HL7 v2 message through its map: to a record, which then goes the way of every record,
// or to a Bundle of resources that speak of records.
//
// The map is the file `hl7v2/{MSH-9.1}-{MSH-9.2}.map` of the set (lower case: `hl7v2/oru-r01.map`), so that a
// further kind of message is a map and a logical model, and nothing here. Its source is the logical model
// that the message is shaped by (record/hl7v2_shape.h); its target is the set's record model, or Bundle.
//
// One per thread, and not longer than the RecordMapping it was made for. What is wrong with a message is in
// the issues, never an error of the operation; places are segment and column, or pointers of the record that
// the message became.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "core/time_zone.h"
#include "fml/mapper.h"
#include "pipeline/message_input.h"
#include "pipeline/record_mapping.h"
#include "record/hl7v2_reader.h"
#include "record/record_model.h"

namespace fhir_adapter::pipeline {

struct LoneGroup;  // message_input.cc

// The path of the map for messages of this kind, `hl7v2/oru-r01.map`; empty: the message cannot be read.
std::string MessageMapPath(std::string_view message);

class MessageMapping {
 public:
  explicit MessageMapping(RecordMapping& records);

  // The sink that observes the records observes the message's map too.
  // `facts` are those of the record that the message becomes.
  MappedRecord Map(const record::Hl7MessageText& text, RecordForm form, const std::string& file = {},
                   const RecordFacts& facts = {});

  // What the message asks the store to take. Times without an offset are those of `zone` where MSH-7 has none
  // either; null: they cannot be read.
  MessageInput Read(const std::string& bytes, const TimeZone* zone);

 private:
  struct Kind {
    const fml::MapInfo* map = nullptr;
    std::unique_ptr<record::RecordModel> model;
  };
  Result<const Kind*> KindOf(const fhir::Node& message);
  MappedRecord MapRecord(const fhir::Node& record, RecordForm form, const std::string& file,
                         const RecordFacts& facts);
  void MapResources(fml::Mapping& mapping, RecordForm form, const std::string& file, MappedRecord& mapped);

  void ReadRecord(const Kind& kind, const fhir::Node& shaped, const std::string& bytes, MessageInput& input);
  void ReadObservations(const Kind& kind, const fhir::Node& shaped, Arena& arena, MessageInput& input);
  const fhir::Node* MapWhatCanBeRead(const Kind& kind, const LoneGroup& lone, Issues& waiting,
                                     MessageInput& input);
  void ReadObservation(const fhir::Node& resource, const Issues& waiting, const Location& place,
                       MessageInput& input);

  RecordMapping& records_;
  fml::Mapper mapper_;
  std::map<std::string, Kind> kinds_;  // by path of the map
};

}  // namespace fhir_adapter::pipeline
