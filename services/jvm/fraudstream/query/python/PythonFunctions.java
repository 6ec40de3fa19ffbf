package fraudstream.query.python;

import com.fasterxml.jackson.databind.JsonNode;
import fraudstream.query.expressions.UserFunctions;
import fraudstream.query.values.QueryStopped;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/**
 * The functions of a project that are written in Python. Serves one thread at a time.
 *
 * <p>Calls can be gathered first: then each gives NULL, unless its result is known, and {@link #fetch} asks for all at
 * once. A later run of the same rows finds the results.
 */
public final class PythonFunctions implements UserFunctions {
    private final JsonNode described;
    /** Their spelling by their names in lower case. */
    private final Map<String, String> names = new HashMap<>();
    private final Map<String, Set<String>> gathered = new LinkedHashMap<>();
    private boolean isGathering;

    private PythonFunctions(JsonNode described) {
        this.described = described;
        described.get("names").forEach(
            name -> names.put(name.asText().toLowerCase(Locale.ROOT), name.asText()));
    }

    /** Takes the functions' names, and the command, environment and log of the process that has them. */
    public static PythonFunctions of(JsonNode described) {
        return new PythonFunctions(described);
    }

    /** From now on calls are gathered. */
    public void gather() {
        isGathering = true;
    }

    /** Asks for the results of all gathered calls. One that fails is asked for again, alone, by whoever needs it. */
    public void fetch() {
        isGathering = false;
        gathered.forEach((name, arguments) -> {
            try {
                PythonWorker.of(described).results(name, List.copyOf(arguments));
            } catch (QueryStopped failed) {
                // The row that it belongs to may never be computed.
            }
        });
        gathered.clear();
    }

    private String spelling(String name) {
        return names.get(name.toLowerCase(Locale.ROOT));
    }

    @Override
    public boolean has(String kind, String name) {
        return "udf".equals(kind) && spelling(name) != null;
    }

    @Override
    public Object call(String kind, String name, Object[] arguments) {
        String known = spelling(name);
        String json = PythonValues.toPython(arguments).toString();
        PythonWorker worker = PythonWorker.of(described);
        if (isGathering && !worker.knows(known, json)) {
            gathered.computeIfAbsent(known, first -> new LinkedHashSet<>()).add(json);
            return null;
        }
        return worker.results(known, List.of(json)).get(0);
    }
}
