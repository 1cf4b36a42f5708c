package org.fhiradapter.interop;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import org.hl7.fhir.r4.formats.IParser;
import org.hl7.fhir.r4.formats.JsonParser;
import org.hl7.fhir.r4.formats.XmlParser;
import org.hl7.fhir.r4.model.Bundle;

/**
 * Writes the official FHIR R4 4.0.1 definitions, which the jar hapi-fhir-validation-resources-r4 has as XML, as JSON.
 *
 * <p>Lossless but for white space in texts. Argument: the directory to write to.
 */
public final class DefinitionConverter {
  private static final String ROOT = "/org/hl7/fhir/r4/model/";

  private static final String[] XML_FILES = {
    "profile/profiles-types.xml",
    "profile/profiles-resources.xml",
    "profile/profiles-others.xml",
    "extension/extension-definitions.xml",
    "valueset/valuesets.xml",
    "valueset/v2-tables.xml",
    "valueset/v3-codesystems.xml"
  };

  private static InputStream open(String name) throws IOException {
    InputStream stream = DefinitionConverter.class.getResourceAsStream(ROOT + name);
    if (stream == null) {
      throw new IOException("not on the class path: " + ROOT + name);
    }
    return stream;
  }

  private static void convert(String name, Path directory) throws IOException {
    String file = name.substring(name.indexOf('/') + 1).replace(".xml", ".json");
    Bundle bundle;
    try (InputStream stream = open(name)) {
      bundle = (Bundle) new XmlParser().parse(stream);
    }
    try (OutputStream stream = Files.newOutputStream(directory.resolve(file))) {
      JsonParser writer = new JsonParser();
      writer.setOutputStyle(IParser.OutputStyle.PRETTY);
      writer.compose(stream, bundle);
    }
    System.out.println(file + " " + bundle.getEntry().size());
  }

  public static void main(String[] arguments) throws IOException {
    if (arguments.length != 1) {
      System.err.println("usage: definition-converter DIRECTORY");
      System.exit(2);
    }
    Path directory = Files.createDirectories(Path.of(arguments[0]));
    for (String name : XML_FILES) {
      convert(name, directory);
    }
    try (InputStream stream = open("sp/search-parameters.json")) {
      Files.write(directory.resolve("search-parameters.json"), stream.readAllBytes());
    }
    System.out.println("search-parameters.json");
  }

  private DefinitionConverter() {}
}
