package fraudstream.query.python;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import fraudstream.query.values.QueryStopped;
import java.io.BufferedReader;
import java.io.BufferedWriter;
import java.io.File;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStreamWriter;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * The process that runs a project's functions in Python, with the rights of who started the query. All engines of a run
 * share it, and what it has answered: a function gives one result for the same arguments.
 */
final class PythonWorker {
    private static final int MOST_KEPT = 200_000;
    private static PythonWorker current;

    private final JsonNode described;
    private final Process process;
    private final BufferedWriter requests;
    private final BufferedReader answers;
    private final Map<String, Object> kept = new HashMap<>();
    private volatile boolean hasEnded;

    private PythonWorker(JsonNode described) {
        this.described = described;
        List<String> command = new ArrayList<>();
        described.get("command").forEach(word -> command.add(word.asText()));
        ProcessBuilder builder = new ProcessBuilder(command);
        builder.environment().clear();
        described.get("environment").properties()
            .forEach(entry -> builder.environment().put(entry.getKey(), entry.getValue().asText()));
        builder.redirectError(ProcessBuilder.Redirect.appendTo(new File(described.get("log").asText())));
        try {
            process = builder.start();
        } catch (IOException error) {
            throw new QueryStopped("Python cannot be started: " + error.getMessage());
        }
        requests = new BufferedWriter(new OutputStreamWriter(process.getOutputStream(), StandardCharsets.UTF_8));
        answers = new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
    }

    /** The process of a run, started with its first engine; that of an earlier run ends. */
    static synchronized PythonWorker of(JsonNode described) {
        if (current == null || current.hasEnded || !current.described.equals(described)) {
            if (current != null) {
                current.process.destroy();
            }
            current = new PythonWorker(described);
        }
        return current;
    }

    /** Whether the result of a call is known; {@code arguments} are JSON. */
    synchronized boolean knows(String name, String arguments) {
        return kept.containsKey(key(name, arguments));
    }

    /** The results of calls of one function; {@code arguments} are JSON, one array for each. Throws QueryStopped. */
    synchronized List<Object> results(String name, List<String> arguments) {
        List<String> unknown = new ArrayList<>();
        for (String one : arguments) {
            if (!kept.containsKey(key(name, one))) {
                unknown.add(one);
            }
        }
        if (!unknown.isEmpty()) {
            if (kept.size() + unknown.size() > MOST_KEPT) {
                kept.clear();
                return ask(name, arguments);
            }
            List<Object> answered = ask(name, unknown);
            for (int at = 0; at < unknown.size(); at++) {
                kept.put(key(name, unknown.get(at)), answered.get(at));
            }
        }
        List<Object> results = new ArrayList<>(arguments.size());
        for (String one : arguments) {
            results.add(kept.get(key(name, one)));
        }
        return results;
    }

    private static String key(String name, String arguments) {
        return name + '\0' + arguments;
    }

    private List<Object> ask(String name, List<String> arguments) {
        ObjectNode head = PythonValues.MAPPER.createObjectNode().put("function", name);
        String text = head.toString();
        try {
            requests.write(text, 0, text.length() - 1);
            requests.write(",\"rows\":[" + String.join(",", arguments) + "]}\n");
            requests.flush();
            String line = answers.readLine();
            if (line == null) {
                throw ended(name, "its output is closed");
            }
            JsonNode answer = PythonValues.MAPPER.readTree(line);
            if (answer.has("error")) {
                throw new QueryStopped("udf." + name + " stopped: " + answer.get("error").asText());
            }
            List<Object> results = new ArrayList<>(arguments.size());
            answer.get("results").forEach(result -> results.add(PythonValues.fromPython(result)));
            return results;
        } catch (IOException error) {
            throw ended(name, error.getMessage());
        }
    }

    private QueryStopped ended(String name, String how) {
        // Whoever calls next starts another one.
        hasEnded = true;
        return new QueryStopped(
            "udf." + name + ": Python has ended (" + how + "). " + described.get("advice").asText());
    }
}
