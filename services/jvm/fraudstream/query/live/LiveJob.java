package fraudstream.query.live;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import fraudstream.query.expressions.ProjectFunctions;
import fraudstream.query.expressions.UserFunctions;
import fraudstream.query.values.Datetime;
import java.io.IOException;
import java.io.Serializable;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** What a live query has to do, as Python describes it in JSON: {@code fraudstream.asaql.live.job} says what it holds. */
final class LiveJob implements Serializable {
    static final ObjectMapper MAPPER = new ObjectMapper();
    /** An event may be as late as it likes: so much more than all times that there are. */
    static final long UNLIMITED = 1L << 60;
    private static final long serialVersionUID = 1L;

    private final String text;
    private transient JsonNode tree;
    private transient List<Input> inputs;

    LiveJob(String text) {
        this.text = text;
    }

    JsonNode tree() {
        if (tree == null) {
            tree = read(text);
        }
        return tree;
    }

    static JsonNode read(String json) {
        try {
            return MAPPER.readTree(json);
        } catch (IOException error) {
            throw new UncheckedIOException(error);
        }
    }

    /** The whole plan, by which records get their times. */
    JsonNode plan() {
        return tree().get("plan");
    }

    /** The plan of the outputs whose rows are computed each by itself, or null. */
    JsonNode each() {
        return tree().get("each").isObject() ? tree().get("each") : null;
    }

    /** The plan of the outputs with state, or null. */
    JsonNode windows() {
        return tree().get("windows").isObject() ? tree().get("windows") : null;
    }

    /** The folder of the query's own files. */
    String folder() {
        return tree().get("folder").asText();
    }

    /** What has to stay the same while a checkpoint is in use. */
    String fingerprint() {
        return tree().get("fingerprint").asText();
    }

    /** How many parts a new state has. */
    int parts() {
        return tree().get("parts").asInt();
    }

    /** Rows on which an expression fails are set aside; otherwise they end the query. */
    boolean setsAside() {
        return tree().get("sets_aside").asBoolean();
    }

    boolean readsMetadata() {
        return tree().get("reads_metadata").asBoolean();
    }

    /** How many rows of each output that goes to no topic are kept to be shown. */
    int shownRows() {
        return tree().get("shown_rows").asInt();
    }

    /**
     * So many ticks after its last record nobody waits for a partition of an input whose events may be as late as they
     * like; otherwise its last events would wait for ever. 0: everybody waits.
     */
    long idle() {
        return tree().path("idle_seconds").asLong() * Datetime.TICKS_PER_SECOND;
    }

    /** The class that stands before the query, or null. */
    String gateClass() {
        return tree().path("gate").textValue();
    }

    /** The topic of what is set aside, or null. */
    String rejectedTopic() {
        return tree().path("rejected_topic").textValue();
    }

    /** The project's functions; each engine has its own. */
    UserFunctions functions() {
        JsonNode described = tree().get("functions");
        String className = tree().path("functions_class").textValue();
        return className == null ? ProjectFunctions.of(described) : ProjectFunctions.of(className, described);
    }

    List<Input> inputs() {
        if (inputs == null) {
            List<Input> all = new ArrayList<>();
            tree().get("inputs").forEach(input -> all.add(new Input(input, all.size())));
            inputs = all;
        }
        return inputs;
    }

    List<Output> outputs() {
        List<Output> outputs = new ArrayList<>();
        tree().get("outputs").forEach(output -> outputs.add(new Output(
            output.get("name").asText(), output.path("topic").textValue(), output.path("key").textValue(),
            output.path("decided").asBoolean()
        )));
        return outputs;
    }

    /** The number of an output by its name, in any case. */
    int output(String name) {
        int at = 0;
        for (JsonNode output : tree().get("outputs")) {
            if (output.get("name").asText().equalsIgnoreCase(name)) {
                return at;
            }
            at++;
        }
        throw new IllegalArgumentException("The job has no output " + name + ".");
    }

    /**
     * An output: its topic, or null, the column that is the key of its records, or null, and whether they are decisions.
     */
    record Output(String name, String topic, String key, boolean isDecided) {
    }

    /** A stream and its topic. Times are ticks. */
    static final class Input {
        final int number;
        final String name;
        final String topic;
        final String format;
        final String delimiter;
        /** The expressions by which rows are kept apart; missing or null if by none. */
        final JsonNode key;
        /** Whether TIMESTAMP BY gives its rows their times; otherwise their arrival does. */
        final boolean isTimed;
        /** Whether its keys have times of their own. */
        final boolean hasOver;
        final long late;
        final long outOfOrder;
        final boolean drops;
        final int partitions;

        private Input(JsonNode described, int number) {
            this.number = number;
            name = described.get("name").asText();
            topic = described.get("topic").asText();
            format = described.get("format").asText();
            delimiter = described.path("delimiter").textValue();
            key = described.path("key");
            isTimed = described.get("timed").asBoolean();
            hasOver = described.get("over").asBoolean();
            long seconds = described.get("late_seconds").asLong();
            late = !isTimed ? 0 : seconds < 0 ? UNLIMITED : seconds * Datetime.TICKS_PER_SECOND;
            outOfOrder = described.get("disorder_seconds").asLong() * Datetime.TICKS_PER_SECOND;
            drops = described.get("drops").asBoolean();
            partitions = described.get("partitions").asInt();
        }

        boolean isCsv() {
            return format.toLowerCase(Locale.ROOT).equals("csv");
        }
    }
}
