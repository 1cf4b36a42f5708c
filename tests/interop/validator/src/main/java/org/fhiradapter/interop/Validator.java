package org.fhiradapter.interop;

import ca.uhn.fhir.context.FhirContext;
import ca.uhn.fhir.context.support.DefaultProfileValidationSupport;
import ca.uhn.fhir.context.support.IValidationSupport;
import ca.uhn.fhir.validation.FhirValidator;
import ca.uhn.fhir.validation.ResultSeverityEnum;
import ca.uhn.fhir.validation.SingleValidationMessage;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import java.util.ArrayList;
import java.util.List;
import org.hl7.fhir.common.hapi.validation.support.CommonCodeSystemsTerminologyService;
import org.hl7.fhir.common.hapi.validation.support.InMemoryTerminologyServerValidationSupport;
import org.hl7.fhir.common.hapi.validation.support.SnapshotGeneratingValidationSupport;
import org.hl7.fhir.common.hapi.validation.support.UnknownCodeSystemWarningValidationSupport;
import org.hl7.fhir.common.hapi.validation.support.ValidationSupportChain;
import org.hl7.fhir.common.hapi.validation.validator.FhirInstanceValidator;
import org.hl7.fhir.r5.utils.validation.constants.BestPracticeWarningLevel;

/**
 * The HAPI validator for FHIR R4 without a network: the base definitions, our own, and nothing else.
 *
 * <p>Validates the text, never the parsed object: a parser drops unknown elements before they are seen. Thread-safe.
 */
final class Validator {
  /** What was found in one text. A Bundle counts its entries as resources. */
  record Report(List<Finding> errors, List<Finding> warnings, int resources) {}

  private final FhirValidator validator;

  // Deprecated, but still what turns a code of an unknown system (LOINC, RxNorm) into a warning.
  @SuppressWarnings("deprecation")
  Validator(FhirContext context, OwnDefinitions own) {
    UnknownCodeSystemWarningValidationSupport unknownSystems = new UnknownCodeSystemWarningValidationSupport(context);
    unknownSystems.setNonExistentCodeSystemSeverity(IValidationSupport.IssueSeverity.WARNING);
    ValidationSupportChain chain =
        new ValidationSupportChain(
            new DefaultProfileValidationSupport(context),
            own.support(),
            new CommonCodeSystemsTerminologyService(context),
            new InMemoryTerminologyServerValidationSupport(context),
            new SnapshotGeneratingValidationSupport(context),
            unknownSystems);
    FhirInstanceValidator instance = new FhirInstanceValidator(chain);
    instance.setAnyExtensionsAllowed(true);
    instance.setErrorForUnknownProfiles(false);
    instance.setBestPracticeWarningLevel(BestPracticeWarningLevel.Ignore);
    validator = context.newValidator().registerValidatorModule(instance);
  }

  Report validate(String text) {
    List<Finding> errors = new ArrayList<>();
    List<Finding> warnings = new ArrayList<>();
    try {
      for (SingleValidationMessage message : validator.validateWithResult(text).getMessages()) {
        String location = message.getLocationString() == null ? "" : message.getLocationString();
        Finding finding = new Finding(location, message.getMessage());
        if (message.getSeverity() == ResultSeverityEnum.ERROR || message.getSeverity() == ResultSeverityEnum.FATAL) {
          errors.add(finding);
        } else if (message.getSeverity() == ResultSeverityEnum.WARNING) {
          warnings.add(finding);
        }
      }
    } catch (RuntimeException error) {
      // Thrown for a text that is neither JSON nor XML, or that has no resource type.
      errors.add(new Finding("", String.valueOf(error.getMessage())));
    }
    errors.addAll(DanglingReferences.of(text));
    return new Report(errors, warnings, resourceCount(text));
  }

  private static int resourceCount(String text) {
    try {
      JsonObject root = JsonParser.parseString(text).getAsJsonObject();
      if (root.has("entry") && root.get("entry").isJsonArray()) {
        return root.getAsJsonArray("entry").size();
      }
    } catch (JsonParseException | IllegalStateException notAnObject) {
      // Counted as one faulty resource.
    }
    return 1;
  }
}
