package org.fhiradapter.interop;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Finds {@code urn:uuid:} and {@code urn:oid:} references of a Bundle that are the fullUrl of none of its entries.
 *
 * <p>The HAPI validator only warns of these, but no server can resolve them.
 */
final class DanglingReferences {
  private final Set<String> fullUrls = new HashSet<>();
  private final List<Finding> found = new ArrayList<>();

  /** Returns one finding a dangling reference; none when the text is no Bundle or no JSON. */
  static List<Finding> of(String text) {
    DanglingReferences search = new DanglingReferences();
    try {
      search.bundle(JsonParser.parseString(text));
    } catch (JsonParseException notJson) {
      // The validator itself reports this.
    }
    return search.found;
  }

  private void bundle(JsonElement root) {
    if (!root.isJsonObject() || !"Bundle".equals(text(root.getAsJsonObject().get("resourceType")))) {
      return;
    }
    if (!(root.getAsJsonObject().get("entry") instanceof JsonArray entries)) {
      return;
    }
    for (JsonElement entry : entries) {
      if (entry.isJsonObject()) {
        fullUrls.add(text(entry.getAsJsonObject().get("fullUrl")));
      }
    }
    walk(entries, "Bundle.entry");
  }

  private void walk(JsonElement element, String path) {
    if (element instanceof JsonArray array) {
      for (int i = 0; i < array.size(); ++i) {
        walk(array.get(i), path + "[" + i + "]");
      }
    } else if (element instanceof JsonObject object) {
      String reference = text(object.get("reference"));
      if ((reference.startsWith("urn:uuid:") || reference.startsWith("urn:oid:")) && !fullUrls.contains(reference)) {
        found.add(new Finding(path, "the reference " + reference + " is the fullUrl of no entry"));
      }
      for (Map.Entry<String, JsonElement> member : object.entrySet()) {
        walk(member.getValue(), path + "." + member.getKey());
      }
    }
  }

  private static String text(JsonElement element) {
    return element != null && element.isJsonPrimitive() ? element.getAsString() : "";
  }

  private DanglingReferences() {}
}
