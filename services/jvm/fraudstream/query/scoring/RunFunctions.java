package fraudstream.query.scoring;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import fraudstream.contract.Contract;
import fraudstream.model.Ensemble;
import fraudstream.query.aggregates.UserAggregates;
import fraudstream.query.expressions.ProjectFunctions;
import fraudstream.query.expressions.UserFunctions;
import fraudstream.query.python.PythonFunctions;
import fraudstream.query.values.PlanRefused;
import fraudstream.query.values.QueryStopped;
import java.io.File;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;

/**
 * The functions of a run on files: the champion, a project's scripts, and its functions in Python. Serves one thread at
 * a time.
 */
public final class RunFunctions implements UserFunctions, UserAggregates {
    private static JsonNode read;
    private static Ensemble ensemble;

    private final List<UserFunctions> all = new ArrayList<>();
    private PythonFunctions python;

    private RunFunctions() {
    }

    /**
     * Takes scripts as {@link ProjectFunctions#of(JsonNode)} does, and beside {@code udf} and {@code uda} the champion,
     * {@code {"names": […], "file": "trees.json", "contract": "{…}"}}, and Python as {@link PythonFunctions#of} does.
     * Throws {@link IllegalStateException} for trees that cannot be read, or are of another contract.
     */
    public static UserFunctions of(JsonNode described) {
        if (described == null || described.isNull()) {
            return UserFunctions.NONE;
        }
        RunFunctions functions = new RunFunctions();
        ObjectNode texts = JsonNodeFactory.instance.objectNode();
        for (String kind : List.of("udf", "uda")) {
            if (described.has(kind)) {
                texts.set(kind, described.get(kind));
            }
        }
        UserFunctions scripts = ProjectFunctions.of(texts);
        if (scripts != UserFunctions.NONE) {
            functions.all.add(scripts);
        }
        if (described.hasNonNull("champion")) {
            functions.all.add(champion(described.get("champion")));
        }
        if (described.hasNonNull("python")) {
            functions.python = PythonFunctions.of(described.get("python"));
            functions.all.add(functions.python);
        }
        return functions.all.isEmpty() ? UserFunctions.NONE : functions;
    }

    private static ScoreFunction champion(JsonNode described) {
        Contract contract = Contract.of(described.get("contract").asText());
        Ensemble champion = ensemble(described, contract);
        List<String> names = new ArrayList<>();
        described.get("names").forEach(name -> names.add(name.asText()));
        return new ScoreFunction(contract, () -> champion, names);
    }

    /** One for all engines of a run: trees are large. */
    private static synchronized Ensemble ensemble(JsonNode described, Contract contract) {
        if (!described.equals(read)) {
            File file = new File(described.get("file").asText());
            try {
                ensemble = Ensemble.read(contract, file);
            } catch (IOException error) {
                throw new IllegalStateException("No champion's trees can be read at " + file + ": " + error.getMessage());
            }
            read = described;
        }
        return ensemble;
    }

    /** The functions in Python, or null. */
    public PythonFunctions python() {
        return python;
    }

    @Override
    public boolean has(String kind, String name) {
        return all.stream().anyMatch(functions -> functions.has(kind, name));
    }

    @Override
    public Object call(String kind, String name, Object[] arguments) {
        for (UserFunctions functions : all) {
            if (functions.has(kind, name)) {
                return functions.call(kind, name, arguments);
            }
        }
        throw new QueryStopped(kind + "." + name + " is not among the project's functions.");
    }

    @Override
    public Supplier<State> aggregate(String name) {
        for (UserFunctions functions : all) {
            if (functions instanceof UserAggregates && functions.has("uda", name)) {
                return ((UserAggregates) functions).aggregate(name);
            }
        }
        throw new PlanRefused("uda." + name + " is not among the project's functions.", 0, 0);
    }
}
