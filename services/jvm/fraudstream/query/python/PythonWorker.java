package fraudstream.query.python;

import com.fasterxml.jackson.databind.JsonNode;
import fraudstream.query.values.QueryStopped;
import java.io.IOException;
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
    private final PythonProcess process;
    private final Map<String, Object> kept = new HashMap<>();
    private volatile boolean hasEnded;

    private PythonWorker(JsonNode described) {
        this.described = described;
        try {
            process = new PythonProcess(described);
        } catch (IOException error) {
            throw new QueryStopped("Python cannot be started: " + error.getMessage());
        }
    }

    /** The process of a run, started with its first engine; that of an earlier run ends. */
    static synchronized PythonWorker of(JsonNode described) {
        if (current == null || current.hasEnded || !current.described.equals(described)) {
            if (current != null) {
                current.process.end();
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
        try {
            return process.results(name, arguments, 0);
        } catch (PythonProcess.Ended ended) {
            // Whoever calls next starts another one.
            hasEnded = true;
            throw new QueryStopped("udf." + name + ": Python has ended (" + ended.getMessage() + "). "
                + described.get("advice").asText());
        }
    }
}
