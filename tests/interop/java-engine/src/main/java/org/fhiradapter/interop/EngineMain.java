package org.fhiradapter.interop;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.BufferedReader;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.hl7.fhir.r5.conformance.profile.ProfileUtilities;
import org.hl7.fhir.r5.context.IWorkerContext;
import org.hl7.fhir.r5.elementmodel.Element;
import org.hl7.fhir.r5.elementmodel.Manager;
import org.hl7.fhir.r5.elementmodel.Manager.FhirFormat;
import org.hl7.fhir.r5.fhirpath.ExpressionNode;
import org.hl7.fhir.r5.fhirpath.FHIRPathEngine;
import org.hl7.fhir.r5.formats.IParser.OutputStyle;
import org.hl7.fhir.r5.model.Base;
import org.hl7.fhir.r5.model.Coding;
import org.hl7.fhir.r5.model.StructureDefinition;
import org.hl7.fhir.r5.model.StructureMap;
import org.hl7.fhir.r5.utils.structuremap.ITransformerServices;
import org.hl7.fhir.r5.utils.structuremap.StructureMapUtilities;

/**
 * Reads a job a line, answers a line each: {"output": …} or {"error": …}.
 *
 * <p>A map: {"map": PATH, "imports": [PATH…], "definitions": [PATH…], "input": PATH}. An expression: {"expression": TEXT,
 * "input": PATH}. With "repeat" and "warm_up" the work is done that often, from text to text, and the answer has
 * "microseconds" of processor time of one time after the warm-up, of this thread alone: compiling and collecting garbage
 * are done by others.
 */
public final class EngineMain {
  private final R4Context base;

  private EngineMain(R4Context base) {
    this.base = base;
  }

  public static void main(String[] arguments) throws Exception {
    PrintStream answers = new PrintStream(System.out, true, StandardCharsets.UTF_8);
    System.setOut(System.err); // the library talks
    EngineMain engine = new EngineMain(R4Context.load());
    BufferedReader jobs = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    for (String line = jobs.readLine(); line != null; line = jobs.readLine()) {
      JsonObject answer = new JsonObject();
      try {
        engine.run(JsonParser.parseString(line).getAsJsonObject(), answer);
      } catch (Exception | Error fault) {
        answer.addProperty("error", fault.getClass().getSimpleName() + ": " + fault.getMessage());
      }
      answers.println(answer);
    }
    System.exit(0); // a thread of the library may stay
  }

  /** What is done once for a job, or many times. */
  private interface Work {
    void run() throws Exception;
  }

  private void run(JsonObject job, JsonObject answer) throws Exception {
    byte[] input = Files.readAllBytes(Path.of(job.get("input").getAsString()));
    R4Context context = base.copy();
    for (String path : paths(job, "definitions")) context.addJson(Files.readAllBytes(Path.of(path)));
    Work work =
        job.has("expression")
            ? expression(context, job.get("expression").getAsString(), input, answer)
            : map(context, job, input, answer);
    if (!job.has("repeat")) {
      work.run();
      return;
    }
    for (int i = job.get("warm_up").getAsInt(); i > 0; --i) work.run();
    int repeat = job.get("repeat").getAsInt();
    ThreadMXBean threads = ManagementFactory.getThreadMXBean();
    long begin = threads.getCurrentThreadCpuTime();
    for (int i = 0; i < repeat; ++i) work.run();
    answer.addProperty("microseconds", (threads.getCurrentThreadCpuTime() - begin) / 1000.0 / repeat);
  }

  private static List<String> paths(JsonObject job, String name) {
    List<String> paths = new ArrayList<>();
    JsonArray array = job.has(name) ? job.getAsJsonArray(name) : new JsonArray();
    for (JsonElement path : array) paths.add(path.getAsString());
    return paths;
  }

  private static String text(String path) throws IOException {
    return Files.readString(Path.of(path));
  }

  private static Work map(R4Context context, JsonObject job, byte[] input, JsonObject answer) throws Exception {
    Services services = new Services(context);
    StructureMapUtilities utilities = new StructureMapUtilities(context, services);
    for (String path : paths(job, "imports")) context.cacheResource(utilities.parse(text(path), path));
    StructureMap map = utilities.parse(text(job.get("map").getAsString()), "map");
    context.cacheResource(map);
    StructureDefinition type = utilities.getTargetType(map);
    return () -> {
      Element source = Manager.parseSingle(context, new ByteArrayInputStream(input), FhirFormat.JSON);
      Element target = Manager.build(context, type);
      utilities.transform(null, source, map, target);
      ByteArrayOutputStream bytes = new ByteArrayOutputStream();
      Manager.compose(context, target, bytes, FhirFormat.JSON, OutputStyle.NORMAL, null);
      answer.addProperty("output", bytes.toString(StandardCharsets.UTF_8));
    };
  }

  private static Work expression(R4Context context, String text, byte[] input, JsonObject answer) throws Exception {
    FHIRPathEngine engine = new FHIRPathEngine(context);
    ExpressionNode expression = engine.parse(text);
    Element source = Manager.parseSingle(context, new ByteArrayInputStream(input), FhirFormat.JSON);
    answer.addProperty("output", engine.convertToString(engine.evaluate(source, expression)));
    return () -> engine.evaluate(source, expression);
  }

  private static final class Services implements ITransformerServices {
    private final IWorkerContext context;

    Services(IWorkerContext context) {
      this.context = context;
    }

    @Override
    public void log(String message) {}

    @Override
    public Base createType(Object appInfo, String name, ProfileUtilities profileUtilities) {
      StructureDefinition type = context.fetchResource(StructureDefinition.class, name);
      return Manager.build(context, type == null ? context.fetchTypeDefinition(name) : type, profileUtilities);
    }

    @Override
    public Base createResource(Object appInfo, Base resource, boolean atRootOfTransform) {
      return resource;
    }

    @Override
    public Coding translate(Object appInfo, Coding source, String conceptMapUrl) {
      throw new UnsupportedOperationException("translate by the host");
    }

    @Override
    public Base resolveReference(Object appContext, String url) {
      throw new UnsupportedOperationException("references are not resolved");
    }

    @Override
    public List<Base> performSearch(Object appContext, String url) {
      throw new UnsupportedOperationException("there is nothing to search");
    }
  }
}
