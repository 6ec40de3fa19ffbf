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

/** The event contract as this library needs it: contract.json, made of fraudstream.core.contract.event. */
public final class Contract {
    /** The contract that this library was made with. */
    public static final Contract CURRENT = load();

    /** What a field's value is. */
    enum Kind { INTEGER, NUMBER, TEXT, DATE }

    /** One field: what its value must be, and how that is said. */
    public static final class Field {
        /** Its name in the event's JSON. */
        public final String name;
        /** The texts that it may be, each with its code, which is its place in the contract's list. */
        public final Map<String, Integer> choices = new HashMap<>();
        final Kind kind;
        final boolean required;
        final double minimum;
        final double maximum;
        final byte[] nameBytes;
        final byte[][] choiceBytes;
        final UTF8String[] choiceTexts;
        /** What the field expects, as reasons say it: "expected …". */
        final String expected;

        private Field(JsonNode rule) {
            name = rule.get("name").asText();
            kind = kindOf(rule.get("kind").asText());
            required = rule.get("required").asBoolean();
            minimum = rule.get("minimum").isNull() ? Double.NEGATIVE_INFINITY : rule.get("minimum").asDouble();
            maximum = rule.get("maximum").isNull() ? Double.POSITIVE_INFINITY : rule.get("maximum").asDouble();
            nameBytes = ascii(name);
            JsonNode listed = rule.get("choices");
            choiceBytes = new byte[listed.size()][];
            choiceTexts = new UTF8String[choiceBytes.length];
            for (int code = 0; code < choiceBytes.length; code++) {
                String choice = listed.get(code).asText();
                choices.put(choice, code);
                choiceBytes[code] = ascii(choice);
                choiceTexts[code] = UTF8String.fromString(choice);
            }
            expected = "expected " + rule.get("expectation").asText();
        }

        private static Kind kindOf(String kind) {
            return switch (kind) {
                case "int" -> Kind.INTEGER;
                case "float" -> Kind.NUMBER;
                case "date" -> Kind.DATE;
                default -> Kind.TEXT;
            };
        }
    }

    /** The event's fields in the contract's order. A field's place among them is its position. */
    public final Field[] fields;
    /** Positions, among the fields, of the model's inputs, in their order. */
    public final int[] features;
    /** A refused value of so many bytes at most is kept whole in its record. */
    public final int wholeRawBytes;
    /** Of a larger value, so many of its first bytes are kept. */
    public final int cutRawBytes;
    /** A sender's key of so many bytes at most is kept whole. */
    public final int wholeKeyBytes;
    /** So many characters of a reason are kept at most. */
    public final int shownReason;
    /** A record of so many bytes at most is one that every topic takes. */
    public final int mostRecordBytes;
    /** The topic of the events that were scored. */
    public final String scoredTopic;
    /** The topic of the events that were refused. */
    public final String rejectedTopic;
    final Set<String> reserved = new HashSet<>();
    final byte[][] reservedBytes;
    final int idPosition;
    final int maxEventBytes;
    final int mostNesting;
    final int mostFields;
    final int mostDocumentBytes;
    final int mostDecimalDigits;
    final int leastDecimalExponent;
    final int mostDecimalExponent;
    /** Reasons that the gate in Python gives as well. */
    final String dollarName;
    final String nulName;
    final String lostDigits;
    final String roundedDigits;
    private final Map<String, Integer> positions = new HashMap<>();
    private final Map<String, String> schemas = new HashMap<>();

    private Contract(JsonNode described) {
        JsonNode rules = described.get("fields");
        fields = new Field[rules.size()];
        for (int position = 0; position < fields.length; position++) {
            fields[position] = new Field(rules.get(position));
            positions.put(fields[position].name, position);
        }
        JsonNode names = described.get("features");
        features = new int[names.size()];
        for (int feature = 0; feature < features.length; feature++) {
            features[feature] = position(names.get(feature).asText());
        }
        JsonNode taken = described.get("reserved");
        reservedBytes = new byte[taken.size()][];
        for (int index = 0; index < reservedBytes.length; index++) {
            String name = taken.get(index).asText();
            reserved.add(name);
            reservedBytes[index] = ascii(name);
        }
        for (Map.Entry<String, JsonNode> schema : described.get("schemas").properties()) {
            schemas.put(schema.getKey(), schema.getValue().asText());
        }
        idPosition = position("id");
        maxEventBytes = described.get("max_event_bytes").asInt();
        wholeRawBytes = described.get("whole_raw_bytes").asInt();
        cutRawBytes = described.get("cut_raw_bytes").asInt();
        wholeKeyBytes = described.get("whole_key_bytes").asInt();
        shownReason = described.get("shown_reason").asInt();
        mostRecordBytes = described.get("most_record_bytes").asInt();
        mostNesting = described.get("most_nesting").asInt();
        mostFields = described.get("most_fields").asInt();
        mostDocumentBytes = described.get("most_document_bytes").asInt();
        mostDecimalDigits = described.get("most_decimal_digits").asInt();
        JsonNode exponents = described.get("decimal_exponents");
        leastDecimalExponent = exponents.get(0).asInt();
        mostDecimalExponent = exponents.get(1).asInt();
        dollarName = described.get("dollar_name").asText();
        nulName = described.get("nul_name").asText();
        lostDigits = described.get("lost_digits").asText();
        roundedDigits = described.get("rounded_digits").asText();
        scoredTopic = described.get("scored_topic").asText();
        rejectedTopic = described.get("rejected_topic").asText();
    }

    /** A field's position; -1 for a name that the contract does not have. */
    int position(String name) {
        Integer found = positions.get(name);
        return found == null ? -1 : found;
    }

    /** A schema in Spark's DDL: what the function of that name answers, or {@code answer}, a scorer's answer. */
    public String schema(String name) {
        return schemas.get(name);
    }

    /** A text of ASCII as bytes. */
    public static byte[] ascii(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }

    private static Contract load() {
        try (InputStream resource = Contract.class.getResourceAsStream("/fraudstream/contract.json")) {
            if (resource == null) {
                throw new IllegalStateException("fraudstream: contract.json is missing from the library's jar");
            }
            return new Contract(new ObjectMapper().readTree(resource));
        } catch (IOException error) {
            throw new IllegalStateException("fraudstream: contract.json cannot be read: " + error.getMessage());
        }
    }
}
