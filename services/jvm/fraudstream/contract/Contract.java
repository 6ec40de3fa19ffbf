package fraudstream.contract;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import org.apache.spark.unsafe.types.UTF8String;

/** The event contract as this library needs it: contract.json, which is generated from fraudstream.core.contract.event. */
final class Contract {
    static final int INTEGER = 0;
    static final int NUMBER = 1;
    static final int TEXT = 2;
    static final int DATE = 3;

    static final Contract CURRENT = load();

    /** One field: what its value must be, and how that is said. */
    static final class Field {
        /** The problem of a value that is not what the field expects. */
        static final String UNEXPECTED = "unexpected";

        final String name;
        final int kind;
        final boolean required;
        final double minimum;
        final double maximum;
        final Map choices;
        final byte[] nameBytes;
        final byte[][] choiceBytes;
        final UTF8String[] choiceTexts;
        final String expectation;

        Field(JsonNode rule) {
            name = rule.get("name").asText();
            kind = kindOf(rule.get("kind").asText());
            required = rule.get("required").asBoolean();
            minimum = rule.get("minimum").isNull() ? Double.NEGATIVE_INFINITY : rule.get("minimum").asDouble();
            maximum = rule.get("maximum").isNull() ? Double.POSITIVE_INFINITY : rule.get("maximum").asDouble();
            choices = new HashMap();
            nameBytes = ascii(name);
            choiceBytes = new byte[rule.get("choices").size()][];
            choiceTexts = new UTF8String[choiceBytes.length];
            for (int code = 0; code < choiceBytes.length; code++) {
                String choice = item(rule.get("choices"), code).asText();
                choices.put(choice, Integer.valueOf(code));
                choiceBytes[code] = ascii(choice);
                choiceTexts[code] = UTF8String.fromString(choice);
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
    final byte[][] reservedBytes;
    /** The schemas of our functions' answers, by the functions' names, in Spark's DDL. */
    final Map schemas = new HashMap();
    /** Positions, among the fields, of the model's inputs, in their order. */
    final int[] features;
    final int idPosition;
    final int datePosition;
    final int maxEventBytes;
    final int wholeRawBytes;
    final int cutRawBytes;
    final int wholeKeyBytes;
    final int shownReason;
    final int mostNesting;
    final int mostFields;
    final int mostDocumentBytes;
    final int mostDecimalDigits;
    final int[] decimalExponents;
    /** Reasons that the gate in Python gives as well. */
    final String dollarName;
    final String nulName;
    final String lostDigits;
    final String roundedDigits;
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
        reservedBytes = new byte[described.get("reserved").size()][];
        for (int number = 0; number < reservedBytes.length; number++) {
            String taken = item(described.get("reserved"), number).asText();
            reserved.add(taken);
            reservedBytes[number] = ascii(taken);
        }
        java.util.Iterator functions = described.get("schemas").fieldNames();
        while (functions.hasNext()) {
            String function = (String) functions.next();
            schemas.put(function, described.get("schemas").get(function).asText());
        }
        idPosition = position("id");
        datePosition = position("date");
        maxEventBytes = described.get("max_event_bytes").asInt();
        wholeRawBytes = described.get("whole_raw_bytes").asInt();
        cutRawBytes = described.get("cut_raw_bytes").asInt();
        wholeKeyBytes = described.get("whole_key_bytes").asInt();
        shownReason = described.get("shown_reason").asInt();
        mostNesting = described.get("most_nesting").asInt();
        mostFields = described.get("most_fields").asInt();
        mostDocumentBytes = described.get("most_document_bytes").asInt();
        mostDecimalDigits = described.get("most_decimal_digits").asInt();
        JsonNode exponents = described.get("decimal_exponents");
        decimalExponents = new int[] {item(exponents, 0).asInt(), item(exponents, 1).asInt()};
        dollarName = described.get("dollar_name").asText();
        nulName = described.get("nul_name").asText();
        lostDigits = described.get("lost_digits").asText();
        roundedDigits = described.get("rounded_digits").asText();
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

    static byte[] ascii(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
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
