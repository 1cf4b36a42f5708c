import ca.uhn.fhir.context.FhirContext;
import ca.uhn.fhir.parser.IParser;
import ca.uhn.fhir.parser.LenientErrorHandler;
import java.io.ByteArrayInputStream;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.TreeSet;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import javax.xml.parsers.DocumentBuilderFactory;
import org.w3c.dom.Element;
import org.w3c.dom.Node;
import org.w3c.dom.NodeList;

/**
 * Turns the FHIRPath suites of fhir-test-cases into what the C++ runner reads: one JSON object a test and a line, and
 * each input resource as JSON (those that exist as XML only go through HAPI's parser). The files of the mapping suite
 * are taken as they are, into the folder structure-mapping, with two maps of the validator's.
 *
 * <p>java -cp HAPI SuiteConverter.java fhir-test-cases.jar ucum.jar OUTPUT
 */
public final class SuiteConverter {
  private static final String ROOT = "org/hl7/fhir/testcases/";

  public static void main(String[] arguments) throws Exception {
    Path output = Path.of(arguments[2]);
    Files.createDirectories(output);
    try (ZipFile jar = new ZipFile(arguments[1])) {
      Files.write(output.resolve("ucum-essence.xml"), read(jar, "ucum-essence.xml"));
    }
    try (ZipFile jar = new ZipFile(arguments[0])) {
      convert(jar, "r4", FhirContext.forR4(), output);
      convert(jar, "r5", FhirContext.forR5(), output);
      Path mapping = output.resolve("structure-mapping");
      copyFolder(jar, ROOT + "r5/structure-mapping/", mapping);
      for (String name : new String[] {"map-general-test.fml", "map-general-test2.fml"}) {
        Files.write(mapping.resolve(name), read(jar, ROOT + "validator/" + name));
      }
      Files.writeString(mapping.resolve("tests.ndjson"), manifest(jar));
    }
  }

  private static void copyFolder(ZipFile jar, String folder, Path output) throws Exception {
    Files.createDirectories(output);
    for (ZipEntry entry : Collections.list(jar.entries())) {
      String name = entry.getName();
      if (!entry.isDirectory() && name.startsWith(folder)) {
        Files.write(output.resolve(name.substring(folder.length())), read(jar, name));
      }
    }
  }

  private static void convert(ZipFile jar, String version, FhirContext context, Path output) throws Exception {
    byte[] suite = read(jar, ROOT + version + "/fhirpath/tests-fhir-" + version + ".xml");
    DocumentBuilderFactory factory = DocumentBuilderFactory.newInstance();
    factory.setNamespaceAware(true);
    NodeList tests =
        factory.newDocumentBuilder().parse(new ByteArrayInputStream(suite)).getElementsByTagNameNS("*", "test");
    StringBuilder lines = new StringBuilder();
    TreeSet<String> inputs = new TreeSet<>();
    for (int i = 0; i < tests.getLength(); ++i) {
      Element test = (Element) tests.item(i);
      lines.append(toJson(test, i + 1)).append('\n');
      // CDA documents are no FHIR resources.
      if (!test.getAttribute("inputfile").isEmpty() && !test.getAttribute("mode").equals("cda")) {
        inputs.add(test.getAttribute("inputfile"));
      }
    }
    Files.createDirectories(output.resolve(version));
    Files.writeString(output.resolve(version).resolve("tests.ndjson"), lines);
    for (String input : inputs) {
      String text = new String(read(jar, ROOT + version + "/" + input), StandardCharsets.UTF_8);
      if (input.endsWith(".xml")) {
        IParser xml = context.newXmlParser();
        xml.setParserErrorHandler(new LenientErrorHandler(false));
        text = context.newJsonParser().encodeResourceToString(xml.parseResource(text));
      }
      Files.writeString(output.resolve(version).resolve(input.replaceFirst("\\.(xml|json)$", ".json")), text);
    }
  }

  /** The tests of the mapping suite, one a line. */
  private static String manifest(ZipFile jar) throws Exception {
    byte[] text = read(jar, ROOT + "r5/structure-mapping/manifest.xml");
    NodeList tests =
        DocumentBuilderFactory.newInstance()
            .newDocumentBuilder()
            .parse(new ByteArrayInputStream(text))
            .getElementsByTagName("test");
    StringBuilder lines = new StringBuilder();
    for (int i = 0; i < tests.getLength(); ++i) {
      Element test = (Element) tests.item(i);
      lines.append("{\"number\":" + (i + 1));
      append(lines, "source", test.getAttribute("source"));
      append(lines, "map", test.getAttribute("map"));
      append(lines, "output", test.getAttribute("output"));
      lines.append("}\n");
    }
    return lines.toString();
  }

  private static byte[] read(ZipFile jar, String name) throws Exception {
    try (InputStream stream = jar.getInputStream(jar.getEntry(name))) {
      return stream.readAllBytes();
    }
  }

  private static String toJson(Element test, int number) {
    StringBuilder json = new StringBuilder("{\"number\":" + number);
    append(json, "name", test.getAttribute("name"));
    append(json, "input", test.getAttribute("inputfile").replaceFirst("\\.(xml|json)$", ".json"));
    append(json, "mode", test.getAttribute("mode"));
    append(json, "predicate", test.getAttribute("predicate"));
    append(json, "ordered", test.getAttribute("ordered"));
    StringBuilder outputs = new StringBuilder();
    for (Node child = test.getFirstChild(); child != null; child = child.getNextSibling()) {
      if (!(child instanceof Element element)) continue;
      if (element.getLocalName().equals("expression")) {
        append(json, "expression", element.getTextContent());
        append(json, "invalid", element.getAttribute("invalid"));
        if (test.getAttribute("mode").isEmpty()) append(json, "mode", element.getAttribute("mode"));
      } else if (element.getLocalName().equals("output")) {
        outputs.append(outputs.length() == 0 ? "" : ",").append("{\"type\":").append(quote(element.getAttribute("type")));
        append(outputs, "value", element.getTextContent());
        outputs.append('}');
      }
    }
    return json.append(",\"outputs\":[").append(outputs).append("]}").toString();
  }

  private static void append(StringBuilder json, String name, String value) {
    if (name.equals("mode") && value.isEmpty()) return;
    json.append(",\"").append(name).append("\":").append(quote(value));
  }

  private static String quote(String text) {
    StringBuilder out = new StringBuilder("\"");
    for (char c : text.toCharArray()) {
      if (c == '"' || c == '\\') {
        out.append('\\').append(c);
      } else if (c < 0x20 || c > 0x7e) {
        out.append(String.format("\\u%04x", (int) c));
      } else {
        out.append(c);
      }
    }
    return out.append('"').toString();
  }
}
