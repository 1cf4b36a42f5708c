package org.fhiradapter.interop;

import ca.uhn.fhir.context.FhirContext;
import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/** The command line of the validator: files to a table of findings, or NDJSON in and NDJSON out. */
public final class ValidatorMain {
  private static final String USAGE =
      "usage: validator [--profiles DIR...] [--threads N] FILE...\n"
          + "       validator [--profiles DIR...] [--threads N] --stream\n"
          + "  --profiles DIR...  own StructureDefinitions, CodeSystems and ValueSets (*.json)\n"
          + "  --threads N        texts validated at a time (default 2)\n"
          + "  FILE               .ndjson: one resource a line; any other name: one resource\n"
          + "  --stream           one resource a line on standard input, one JSON answer a line\n"
          + "Exit code 1 on validation errors, 2 when it cannot run.";

  private final List<Path> profileDirectories = new ArrayList<>();
  private final List<Path> files = new ArrayList<>();
  private boolean stream = false;
  private int threads = 2;

  private final PrintStream output = new PrintStream(System.out, false, StandardCharsets.UTF_8);
  private final Gson gson = new GsonBuilder().disableHtmlEscaping().create();
  private long resources = 0;
  private long errors = 0;
  private long warnings = 0;

  /** A text under way; {@code label} names the file (and line) it came from. */
  private record Job(String label, CompletableFuture<Validator.Report> report) {}

  private record Answer(List<Finding> errors, int warnings) {}

  private void parse(String[] arguments) {
    for (int i = 0; i < arguments.length; ++i) {
      switch (arguments[i]) {
        case "--stream" -> stream = true;
        case "--threads" -> threads = Integer.parseInt(value(arguments, ++i));
        case "--profiles" -> {
          profileDirectories.add(directory(value(arguments, ++i)));
          while (i + 1 < arguments.length && Files.isDirectory(Path.of(arguments[i + 1]))) {
            profileDirectories.add(Path.of(arguments[++i]));
          }
        }
        default -> {
          if (arguments[i].startsWith("--") || !Files.isRegularFile(Path.of(arguments[i]))) {
            throw new IllegalArgumentException("no such option or file: " + arguments[i]);
          }
          files.add(Path.of(arguments[i]));
        }
      }
    }
    if (stream == !files.isEmpty()) {
      throw new IllegalArgumentException("either files or --stream");
    }
    if (threads < 1) {
      throw new IllegalArgumentException("--threads must be at least 1");
    }
  }

  private static String value(String[] arguments, int index) {
    if (index >= arguments.length) {
      throw new IllegalArgumentException(arguments[index - 1] + " needs a value");
    }
    return arguments[index];
  }

  private static Path directory(String name) {
    if (!Files.isDirectory(Path.of(name))) {
      throw new IllegalArgumentException("no such directory: " + name);
    }
    return Path.of(name);
  }

  /** Hands the texts to the pool in order; the bounded queue keeps few of them in memory. */
  private final class Feeder implements AutoCloseable {
    private final Validator validator;
    private final ExecutorService pool = Executors.newFixedThreadPool(threads);
    private final BlockingQueue<Job> queue = new ArrayBlockingQueue<>(4 * threads);

    Feeder(Validator validator) {
      this.validator = validator;
    }

    void submit(String label, String text) throws InterruptedException {
      queue.put(new Job(label, CompletableFuture.supplyAsync(() -> validator.validate(text), pool)));
    }

    void end() throws InterruptedException {
      queue.put(new Job("", null));
    }

    Job take() throws InterruptedException {
      return queue.take();
    }

    @Override
    public void close() {
      pool.shutdownNow();
    }
  }

  private void readAll(Feeder feeder) throws IOException, InterruptedException {
    if (stream) {
      try (BufferedReader lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8))) {
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
          feeder.submit("", line);
        }
      }
      return;
    }
    for (Path file : files) {
      if (!file.toString().endsWith(".ndjson")) {
        feeder.submit(file + "#", Files.readString(file));
        continue;
      }
      try (BufferedReader lines = Files.newBufferedReader(file)) {
        int number = 1;
        for (String line = lines.readLine(); line != null; line = lines.readLine(), ++number) {
          if (!line.isBlank()) {
            feeder.submit(file + ":" + number + "#", line);
          }
        }
      }
    }
  }

  private void print(String label, Validator.Report report) {
    resources += report.resources();
    errors += report.errors().size();
    warnings += report.warnings().size();
    if (stream) {
      output.println(gson.toJson(new Answer(report.errors(), report.warnings().size())));
      output.flush();
      return;
    }
    report.errors().forEach(finding -> printRow("error", label, finding));
    report.warnings().forEach(finding -> printRow("warning", label, finding));
  }

  private void printRow(String severity, String label, Finding finding) {
    String message = finding.message().replaceAll("\\s+", " ");
    output.println(severity + "\t" + label + finding.location() + "\t" + message);
  }

  private int run(Validator validator) throws Exception {
    try (Feeder feeder = new Feeder(validator)) {
      CompletableFuture<Void> reading =
          CompletableFuture.runAsync(
              () -> {
                try {
                  try {
                    readAll(feeder);
                  } finally {
                    feeder.end();
                  }
                } catch (IOException | InterruptedException error) {
                  throw new IllegalStateException(error);
                }
              });
      for (Job job = feeder.take(); job.report() != null; job = feeder.take()) {
        print(job.label(), job.report().join());
      }
      reading.join();
    }
    if (!stream) {
      output.printf("%d resources, %d errors, %d warnings%n", resources, errors, warnings);
    }
    output.flush();
    return errors == 0 ? 0 : 1;
  }

  public static void main(String[] arguments) {
    ValidatorMain command = new ValidatorMain();
    try {
      command.parse(arguments);
      FhirContext context = FhirContext.forR4();
      OwnDefinitions own = new OwnDefinitions(context);
      for (Path directory : command.profileDirectories) {
        own.addDirectory(directory);
      }
      System.exit(command.run(new Validator(context, own)));
    } catch (IllegalArgumentException error) {
      System.err.println(error.getMessage() + "\n" + USAGE);
    } catch (Exception error) {
      System.err.println("validator: " + error);
    }
    System.exit(2);
  }
}
