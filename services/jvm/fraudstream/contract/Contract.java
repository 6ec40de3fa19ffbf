package fraudstream.contract;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.IntStream;

/**
 * The event contract as this library needs it: contract.json, made by {@code fraudstream.spark.contract_jar} of the
 * project in force.
 */
public final class Contract {
    private static final String FILE = "fraudstream/contract.json";

    /** The contract in force, which stands on the class path. */
    public static final Contract CURRENT = load();

    /**
     * The scalars, those inside objects included. A field's place among them is its slot in an event. Behind them stand
     * the model's inputs that no event has.
     */
    public final Field[] slots;
    /** Slots of the model's inputs, in their order. */
    public final int[] features;
    /** Slots of the fields by which events are counted, in their order. */
    public final int[] dimensions;
    /** Slot of the event's id. */
    public final int id;
    /** Slot of the amount. */
    public final int amount;
    /** Slot of the label. */
    public final int label;
    /** Slot of the field whose text is a scored record's key. */
    public final int key;
    /** The event's own fields. */
    final Fields fields;
    /** Positions of those that an event has to have. */
    final int[] required;
    /** Whether events with all of these fields and a few others are small enough for every document. */
    final boolean isPlain;
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
    final Names reservedNames;
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
    private final Map<String, String> schemas = new HashMap<>();

    private Contract(JsonNode described) {
        List<Field> scalars = new ArrayList<>();
        fields = new Fields(described.get("fields"), scalars);
        // No event has them: they are named as inputs of the model, which the project's query computes.
        described.path("computed").forEach(rule -> new Field(rule, scalars));
        slots = scalars.toArray(Field[]::new);
        features = slots(described.get("features"));
        dimensions = slots(described.get("dimensions"));
        id = slot(described.get("id"));
        amount = slot(described.get("amount"));
        label = slot(described.get("label"));
        key = slot(described.get("key"));
        List<String> taken = new ArrayList<>();
        for (JsonNode name : described.get("reserved")) {
            taken.add(name.asText());
        }
        reserved.addAll(taken);
        reservedNames = new Names(taken);
        required = IntStream.range(0, fields.all.length).filter(place -> fields.all[place].required).toArray();
        for (Map.Entry<String, JsonNode> schema : described.get("schemas").properties()) {
            schemas.put(schema.getKey(), schema.getValue().asText());
        }
        maxEventBytes = described.get("max_event_bytes").asInt();
        wholeRawBytes = described.get("whole_raw_bytes").asInt();
        cutRawBytes = described.get("cut_raw_bytes").asInt();
        wholeKeyBytes = described.get("whole_key_bytes").asInt();
        shownReason = described.get("shown_reason").asInt();
        mostRecordBytes = described.get("most_record_bytes").asInt();
        mostNesting = described.get("most_nesting").asInt();
        mostFields = described.get("most_fields").asInt();
        isPlain = fields.all.length < mostFields / 2;
        mostDocumentBytes = described.get("most_document_bytes").asInt();
        mostDecimalDigits = described.get("most_decimal_digits").asInt();
        JsonNode exponents = described.get("decimal_exponents");
        leastDecimalExponent = exponents.get(0).asInt();
        mostDecimalExponent = exponents.get(1).asInt();
        dollarName = described.get("dollar_name").asText();
        nulName = described.get("nul_name").asText();
        lostDigits = described.get("lost_digits").asText();
        scoredTopic = described.get("scored_topic").asText();
        rejectedTopic = described.get("rejected_topic").asText();
    }

    private int[] slots(JsonNode names) {
        int[] found = new int[names.size()];
        for (int at = 0; at < found.length; at++) {
            found[at] = slot(names.get(at));
        }
        return found;
    }

    /** The slot of a field by its name, which is from now on one that is used. */
    private int slot(JsonNode name) {
        for (Field field : slots) {
            if (field.name.equals(name.asText())) {
                field.used = true;
                return field.slot;
            }
        }
        throw new IllegalStateException("fraudstream: the contract has no field " + name.asText());
    }

    /** The names of the event's own fields, in the contract's order. */
    public List<String> outerNames() {
        List<String> names = new ArrayList<>();
        for (Field field : fields.all) {
            names.add(field.name);
        }
        return names;
    }

    /** The names of all fields inside objects, which are their paths with dots. */
    public List<String> innerPaths() {
        List<String> paths = new ArrayList<>();
        for (Field field : fields.all) {
            addInner(field, paths);
        }
        return paths;
    }

    private static void addInner(Field field, List<String> paths) {
        if (field.fields == null) {
            return;
        }
        for (Field inner : field.fields.all) {
            paths.add(inner.name);
            addInner(inner, paths);
        }
    }

    /** A schema in Spark's DDL: what the function of that name answers, or {@code answer}, a scorer's answer. */
    public String schema(String name) {
        return schemas.get(name);
    }

    /** A text of ASCII as bytes. */
    public static byte[] ascii(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }

    /** A contract as JSON. */
    public static Contract of(String described) {
        try {
            return new Contract(new ObjectMapper().readTree(described));
        } catch (IOException error) {
            throw new IllegalStateException("fraudstream: a contract cannot be read: " + error.getMessage());
        }
    }

    private static Contract load() {
        // Where Spark has brought the jars to its executors, their loader has the file, and this class's may not.
        ClassLoader threads = Thread.currentThread().getContextClassLoader();
        ClassLoader loader = threads != null && threads.getResource(FILE) != null
            ? threads : Contract.class.getClassLoader();
        try (InputStream resource = loader.getResourceAsStream(FILE)) {
            if (resource == null) {
                throw new IllegalStateException("fraudstream: " + FILE + " is missing from the class path");
            }
            return new Contract(new ObjectMapper().readTree(resource));
        } catch (IOException error) {
            throw new IllegalStateException("fraudstream: " + FILE + " cannot be read: " + error.getMessage());
        }
    }
}
