// MapSkeleton: the files that a map is begun with, made from a sample: a logical model, a map, ConceptMaps
// with the codes that were found, for tables the columns file.
//
// The map sends every value as a component of one Observation, or lists it as not mapped with the reason, so
// that nothing is lost from sight while its rules are moved to the resources where they belong.
//
// Pure function over values.
#pragma once

#include <string>
#include <vector>

#include "app/sample.h"

namespace fhir_adapter::app {

struct SkeletonSettings {
  std::string name;  // of map and folder: letters, digits and -
  std::string canonical_base;
};

struct SkeletonFile {
  std::string path;  // in the folder of maps
  std::string text;
};

struct MapSkeleton {
  std::string map;        // its path in the folder of maps
  std::string case_path;  // folder of the first case
  std::vector<SkeletonFile> files;
};

MapSkeleton MakeSkeleton(const Sample& sample, const SkeletonSettings& settings);

}  // namespace fhir_adapter::app
