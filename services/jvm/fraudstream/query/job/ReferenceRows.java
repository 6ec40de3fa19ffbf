package fraudstream.query.job;

import com.fasterxml.jackson.databind.JsonNode;
import fraudstream.query.expressions.UserFunctions;
import fraudstream.query.input.Admission;
import fraudstream.query.input.Files;
import fraudstream.query.input.Records;
import fraudstream.query.values.BadEvent;
import fraudstream.query.values.Record;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** The reference data of a project, read once for all threads. */
final class ReferenceRows {
    private static final String CSV = "csv";

    private ReferenceRows() {
    }

    /** The rows by the input's name; rows that do not have their declared types are dropped, as the service drops them. */
    static Map<String, List<Record>> of(JsonNode described, JsonNode plan) throws IOException {
        Map<String, List<Record>> rows = new HashMap<>();
        for (JsonNode reference : described) {
            String name = reference.get("name").asText();
            Admission admission = Admission.of(plan, name, UserFunctions.NONE);
            List<Record> read = new ArrayList<>();
            for (JsonNode file : reference.get("files")) {
                read(Path.of(file.asText()), reference, admission, read);
            }
            rows.put(name, read);
        }
        return rows;
    }

    private static void read(Path file, JsonNode reference, Admission admission, List<Record> to) throws IOException {
        String format = reference.get("format").asText();
        String delimiter = reference.path("delimiter").isTextual() ? reference.get("delimiter").asText() : null;
        try (Records records = Files.records(file, format, delimiter, 0, -1)) {
            while (records.next()) {
                try {
                    to.add(admission.checked(records.record(), format.equals(CSV)));
                } catch (BadEvent dropped) {
                    continue;
                }
            }
        }
    }
}
