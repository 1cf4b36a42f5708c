package org.fhiradapter.interop;

import java.io.IOException;
import java.io.InputStream;
import org.hl7.fhir.convertors.factory.VersionConvertorFactory_40_50;
import org.hl7.fhir.r4.formats.JsonParser;
import org.hl7.fhir.r4.formats.XmlParser;
import org.hl7.fhir.r4.model.Bundle;
import org.hl7.fhir.r5.conformance.profile.ProfileUtilities;
import org.hl7.fhir.r5.context.SimpleWorkerContext;
import org.hl7.fhir.r5.model.ConceptMap;
import org.hl7.fhir.r5.model.Enumerations.FHIRVersion;
import org.hl7.fhir.r5.model.PackageInformation;
import org.hl7.fhir.r5.model.Resource;

/** The R4 (4.0.1) definitions for the R5 engines. A copy has resources of its own on top. */
final class R4Context extends SimpleWorkerContext {
  private static final String FOLDER = "/org/hl7/fhir/r4/model/";
  private static final String[] DEFINITIONS = {
    "profile/profiles-types.xml", "profile/profiles-resources.xml", "valueset/valuesets.xml", "valueset/v3-codesystems.xml"
  };

  private R4Context(SimpleWorkerContext base) throws IOException {
    super(base);
    version = "4.0.1";
    setAllowLoadingDuplicates(true);
  }

  static R4Context load() throws IOException {
    R4Context context = new R4Context(new SimpleWorkerContextBuilder().fromNothing());
    context.setCanRunWithoutTerminology(true);
    context.setNoTerminologyServer(true);
    context.setExpansionParameters(new org.hl7.fhir.r5.model.Parameters());
    context.cacheResource(ProfileUtilities.makeBaseDefinition(FHIRVersion._4_0_1));
    for (String name : DEFINITIONS) {
      try (InputStream stream = R4Context.class.getResourceAsStream(FOLDER + name)) {
        Bundle bundle = (Bundle) new XmlParser().parse(stream);
        for (Bundle.BundleEntryComponent entry : bundle.getEntry()) context.add(entry.getResource());
      }
    }
    return context;
  }

  R4Context copy() throws IOException {
    return new R4Context(this);
  }

  /** A ConceptMap or other definition of R4. */
  void addJson(byte[] json) throws IOException {
    add(new JsonParser().parse(json));
  }

  private void add(org.hl7.fhir.r4.model.Resource resource) {
    if (resource == null) return;
    Resource converted = VersionConvertorFactory_40_50.convertResource(resource);
    if (converted != null) cacheResource(converted);
  }
}
