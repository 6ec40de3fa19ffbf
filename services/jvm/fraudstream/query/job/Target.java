package fraudstream.query.job;

import com.fasterxml.jackson.databind.JsonNode;
import fraudstream.query.values.Casts;
import fraudstream.query.values.Json;
import fraudstream.query.values.Record;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Locale;
import org.apache.spark.unsafe.types.UTF8String;

/** Where an output's rows go, and what the job adds to them. */
public final class Target {
    /** What the job adds: the place in the topic, the clock, and what the sender wrote. */
    public enum Stamp { NONE, SCORED, REJECTED }

    public final UTF8String topic;
    public final Stamp stamp;
    /** The column whose value is the record's key; null for the project's own. */
    private final String keyColumn;

    Target(JsonNode described) {
        topic = UTF8String.fromString(described.get("topic").asText());
        stamp = Stamp.valueOf(described.get("stamp").asText().toUpperCase(Locale.ROOT));
        keyColumn = described.path("key").isTextual() ? described.get("key").asText() : null;
    }

    /** The key that the row has by its column; null where there is none. */
    public byte[] key(Record row) {
        Object value = keyColumn == null ? null : row.get(keyColumn);
        if (value == null) {
            return null;
        }
        String text = value instanceof Record || value instanceof List ? Json.text(value) : Casts.text(value);
        return text.getBytes(StandardCharsets.UTF_8);
    }
}
