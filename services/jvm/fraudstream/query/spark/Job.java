package fraudstream.query.spark;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import fraudstream.query.expressions.UserFunctions;
import fraudstream.query.input.Admission;
import fraudstream.query.scoring.RunFunctions;
import java.io.IOException;
import java.io.Serializable;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** What a run has to do, as the command describes it in JSON: the plan, and the files of its inputs. */
final class Job implements Serializable {
    private static final long serialVersionUID = 1L;
    private static final ObjectMapper MAPPER = new ObjectMapper();

    private final String text;
    private transient JsonNode tree;

    Job(String text) {
        this.text = text;
    }

    private JsonNode tree() {
        if (tree == null) {
            try {
                tree = MAPPER.readTree(text);
            } catch (IOException error) {
                throw new UncheckedIOException(error);
            }
        }
        return tree;
    }

    JsonNode plan() {
        return tree().get("plan");
    }

    /** The time of all records of an input without TIMESTAMP BY, in ticks. */
    long start() {
        return tree().get("start").asLong();
    }

    /** The folder for the outputs' files. */
    String target() {
        return tree().get("target").asText();
    }

    /** The name of an output's file. */
    String fileName(int output) {
        return tree().get("files").get(output).asText();
    }

    /** The folder for files that are of no use after the run. */
    String folder() {
        return tree().get("folder").asText();
    }

    /** Whether rows may be computed in any order, each by itself. */
    boolean isStateless() {
        return tree().get("stateless").asBoolean();
    }

    /** The streams, or the reference data. */
    List<Input> inputs(String kind) {
        List<Input> inputs = new ArrayList<>();
        for (JsonNode input : tree().get(kind)) {
            List<String> files = new ArrayList<>();
            input.get("files").forEach(file -> files.add(file.asText()));
            Set<String> datetimes = new HashSet<>();
            input.path("datetimes").forEach(column -> datetimes.add(column.asText()));
            String delimiter = input.path("delimiter").isTextual() ? input.get("delimiter").asText() : null;
            inputs.add(new Input(
                input.get("name").asText(), input.get("format").asText(), delimiter, files, datetimes,
                input.path("key")));
        }
        return inputs;
    }

    /** The names of the plan's outputs, each once. */
    List<String> outputs() {
        List<String> names = new ArrayList<>();
        for (JsonNode output : plan().get("outputs")) {
            String name = output.get("name").asText();
            if (names.stream().noneMatch(name::equalsIgnoreCase)) {
                names.add(name);
            }
        }
        return names;
    }

    Admission admission(Input input) {
        return Admission.of(plan(), input.name, input.datetimes, functions());
    }

    /** The project's functions; each engine has its own. */
    UserFunctions functions() {
        return RunFunctions.of(tree().get("functions"));
    }

    static ObjectNode object() {
        return MAPPER.createObjectNode();
    }

    /** An input with its files; {@code key}: the expressions by which its rows are kept apart, missing if by none. */
    static final class Input {
        final String name;
        final String format;
        final String delimiter;
        final List<String> files;
        final Set<String> datetimes;
        final JsonNode key;

        private Input(
            String name, String format, String delimiter, List<String> files, Set<String> datetimes, JsonNode key) {
            this.name = name;
            this.format = format;
            this.delimiter = delimiter;
            this.files = files;
            this.datetimes = datetimes;
            this.key = key;
        }
    }
}
