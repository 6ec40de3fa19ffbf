package fraudstream;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;

/** The event contract as this library needs it: contract.json, which is generated from fraudstream.core.event. */
final class Contract {
    static final int INTEGER = 0;
    static final int NUMBER = 1;
    static final int TEXT = 2;
    static final int DATE = 3;

    static final Contract CURRENT = load();

    /** One field: what its value must be, and how that is said. */
    static final class Field {
        final String name;
        final int kind;
        final boolean required;
        final double minimum;
        final double maximum;
        final Map choices;
        final String expectation;

        Field(JsonNode rule) {
            name = rule.get("name").asText();
            kind = kindOf(rule.get("kind").asText());
            required = rule.get("required").asBoolean();
            minimum = rule.get("minimum").isNull() ? Double.NEGATIVE_INFINITY : rule.get("minimum").asDouble();
            maximum = rule.get("maximum").isNull() ? Double.POSITIVE_INFINITY : rule.get("maximum").asDouble();
            choices = new HashMap();
            for (int code = 0; code < rule.get("choices").size(); code++) {
                choices.put(item(rule.get("choices"), code).asText(), Integer.valueOf(code));
            }
            expectation = rule.get("expectation").asText();
        }

        private static int kindOf(String kind) {
            if ("int".equals(kind)) {
                return INTEGER;
            }
            if ("float".equals(kind)) {
                return NUMBER;
            }
            return "date".equals(kind) ? DATE : TEXT;
        }
    }

    final Field[] fields;
    final Map positions = new HashMap();
    final Set reserved = new HashSet();
    /** Positions, among the fields, of the model's inputs, in their order. */
    final int[] features;
    final int idPosition;
    final int datePosition;
    final int maxEventBytes;
    final int wholeRawBytes;
    final int cutRawBytes;
    final String scoredTopic;
    final String rejectedTopic;

    private Contract(JsonNode described) {
        JsonNode rules = described.get("fields");
        fields = new Field[rules.size()];
        for (int position = 0; position < fields.length; position++) {
            fields[position] = new Field(item(rules, position));
            positions.put(fields[position].name, Integer.valueOf(position));
        }
        JsonNode names = described.get("features");
        features = new int[names.size()];
        for (int feature = 0; feature < features.length; feature++) {
            features[feature] = position(item(names, feature).asText());
        }
        for (int number = 0; number < described.get("reserved").size(); number++) {
            reserved.add(item(described.get("reserved"), number).asText());
        }
        idPosition = position("id");
        datePosition = position("date");
        maxEventBytes = described.get("max_event_bytes").asInt();
        wholeRawBytes = described.get("whole_raw_bytes").asInt();
        cutRawBytes = described.get("cut_raw_bytes").asInt();
        scoredTopic = described.get("scored_topic").asText();
        rejectedTopic = described.get("rejected_topic").asText();
    }

    int position(String name) {
        Integer found = (Integer) positions.get(name);
        return found == null ? -1 : found.intValue();
    }

    /** Of the two methods that Jackson has for this, Spark's compiler takes the wrong one without the cast. */
    static JsonNode item(JsonNode list, int at) {
        return (JsonNode) list.get(at);
    }

    private static Contract load() {
        InputStream resource = Contract.class.getResourceAsStream("/fraudstream/contract.json");
        if (resource == null) {
            throw new IllegalStateException("fraudstream: contract.json is missing from the library's jar");
        }
        try {
            return new Contract(new ObjectMapper().readTree(resource));
        } catch (IOException error) {
            throw new IllegalStateException("fraudstream: contract.json cannot be read: " + error.getMessage());
        }
    }
}
