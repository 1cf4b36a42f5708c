package org.fhiradapter.interop;

import ca.uhn.fhir.context.FhirContext;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.hl7.fhir.common.hapi.validation.support.PrePopulatedValidationSupport;
import org.hl7.fhir.r4.model.Bundle;
import org.hl7.fhir.r4.model.CodeSystem;
import org.hl7.fhir.r4.model.Resource;
import org.hl7.fhir.r4.model.StructureDefinition;
import org.hl7.fhir.r4.model.ValueSet;

/** Loads StructureDefinitions, CodeSystems and ValueSets from directories of JSON files. */
final class OwnDefinitions {
  private final FhirContext context;
  private final PrePopulatedValidationSupport support;
  private int count = 0;

  OwnDefinitions(FhirContext context) {
    this.context = context;
    this.support = new PrePopulatedValidationSupport(context);
  }

  PrePopulatedValidationSupport support() {
    return support;
  }

  int count() {
    return count;
  }

  /** Adds all definitions of the *.json files below the directory; other resources are passed over. */
  void addDirectory(Path directory) throws IOException {
    List<Path> files;
    try (Stream<Path> paths = Files.walk(directory)) {
      files = paths.filter(path -> path.toString().endsWith(".json")).sorted().toList();
    }
    for (Path file : files) {
      try {
        add((Resource) context.newJsonParser().parseResource(Files.readString(file)));
      } catch (RuntimeException error) {
        throw new IOException(file + ": " + error.getMessage(), error);
      }
    }
  }

  private void add(Resource resource) {
    if (resource instanceof Bundle bundle) {
      bundle.getEntry().forEach(entry -> add(entry.getResource()));
    } else if (resource instanceof StructureDefinition definition) {
      // Logical models describe sources of maps, no FHIR resource.
      if (definition.getKind() != StructureDefinition.StructureDefinitionKind.LOGICAL) {
        support.addStructureDefinition(definition);
        ++count;
      }
    } else if (resource instanceof CodeSystem || resource instanceof ValueSet) {
      support.addResource(resource);
      ++count;
    }
  }
}
